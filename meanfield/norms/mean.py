"""Batch norm's mean subtraction alone: ū = u − (mean over samples), per unit.

The theory is exact at any T: centring is a projection, so the field stays Gaussian.
"""

import jax

from meanfield.norms.base import Norm, unit_factor
from meanfield.theory.given_inputs.readout import GivenReadout, read_kernel
from meanfield.theory.kernels import Exchangeable, Full
from meanfield.theory.white_noise.readout import Readout, read_outputs


def _batch(u: jax.Array) -> jax.Array:
    return u - u.mean(axis=0)


def _batch_held(u: jax.Array) -> jax.Array:
    return u - jax.lax.stop_gradient(u.mean(axis=0))


def _kernels(S: Exchangeable, K: Exchangeable) -> tuple[Exchangeable, Exchangeable]:
    return S.centred(), K.centred()


def _readout(S: Exchangeable, K: Exchangeable, outputs: int) -> Readout:
    return read_outputs(K.centred(), outputs)


def _read_given(S: Full, K: Full, outputs: int, vectors: int, *_) -> GivenReadout:
    return read_kernel(K.centred(), outputs, vectors)


MEAN = Norm(
    "mean",
    _batch,
    _kernels,
    unit_factor,
    unit_factor,
    _readout,
    _read_given,
    mixes_samples=True,
    batch_held=_batch_held,
    min_samples=2,
)
