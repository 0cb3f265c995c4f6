"""No normalization: ū = u."""

import jax

from meanfield.norms.base import Norm, unit_factor
from meanfield.theory.given_inputs.readout import GivenReadout, read_kernel
from meanfield.theory.kernels import Exchangeable, Full
from meanfield.theory.white_noise.readout import Readout, read_outputs


def _batch(u: jax.Array) -> jax.Array:
    return u


def _kernels(S: Exchangeable, K: Exchangeable) -> tuple[Exchangeable, Exchangeable]:
    return S, K


def _readout(S: Exchangeable, K: Exchangeable, outputs: int) -> Readout:
    return read_outputs(K, outputs)


def _read_given(S: Full, K: Full, outputs: int, vectors: int, *_) -> GivenReadout:
    return read_kernel(K, outputs, vectors)


PLAIN = Norm("none", _batch, _kernels, unit_factor, unit_factor, _readout, _read_given)
