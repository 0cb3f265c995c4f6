"""Layer norm's mean subtraction alone: ū = u − (mean over units), per sample.

In a wide hidden layer the projection is negligible; in the last one it takes one of C directions.
"""

import jax

from meanfield.norms.base import Norm, unit_factor
from meanfield.theory.given_inputs.readout import GivenReadout, read_kernel
from meanfield.theory.kernels import Exchangeable, Full
from meanfield.theory.white_noise.readout import Readout, read_outputs


def _batch(u: jax.Array) -> jax.Array:
    return u - u.mean(axis=1, keepdims=True)


def _kernels(S: Exchangeable, K: Exchangeable) -> tuple[Exchangeable, Exchangeable]:
    return S, K


def _readout(S: Exchangeable, K: Exchangeable, outputs: int) -> Readout:
    return read_outputs(K, outputs - 1)


def _read_given(S: Full, K: Full, outputs: int, vectors: int, *_) -> GivenReadout:
    return read_kernel(K, outputs - 1, vectors)


def _width_flaw(units: int) -> str | None:
    return "the only unit is subtracted from itself" if units < 2 else None


LAYER_MEAN = Norm(
    "layer-mean",
    _batch,
    _kernels,
    unit_factor,
    unit_factor,
    _readout,
    _read_given,
    width_flaw=_width_flaw,
)
