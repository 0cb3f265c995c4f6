"""Batch norm: ū = (u − mean over samples) / (population std over samples), per unit.

The theory is exact as T → ∞; at finite T it treats the normalized field as Gaussian, an error of
order 2/T, and E[1/σ²] = T/((T−3) g) exists for T > 3 only.
"""

import jax

from meanfield.norms.base import Norm
from meanfield.theory.given_inputs.batch_fields import average_over_fields
from meanfield.theory.given_inputs.readout import read_batch
from meanfield.theory.kernels import Exchangeable, Full
from meanfield.theory.white_noise.readout import Readout, read_outputs


def _batch(u: jax.Array) -> jax.Array:
    centred = u - u.mean(axis=0)
    return centred / (centred**2).mean(axis=0) ** 0.5


def _batch_held(u: jax.Array) -> jax.Array:
    held = jax.lax.stop_gradient(u)
    mean = held.mean(axis=0)
    return (u - mean) / ((held - mean) ** 2).mean(axis=0) ** 0.5


def _kernels(S: Exchangeable, K: Exchangeable) -> tuple[Exchangeable, Exchangeable]:
    """S̄ = (1, −1/(T−1)), K̄ = r d (1 − 2/T) (1, −1/(T−1)), r = E[1/σ²], d = the gap of K."""
    T = S.samples
    field = S.centred()
    factor = _chain_factor(S) / (1 - 3 / T) * (1 - 2 / T) / (1 - 1 / T)
    return field.over_diagonal_of(field), K.centred().scaled(factor)


def _chain_factor(S: Exchangeable) -> jax.Array:
    """1/σ² → 1/g."""
    return 1 / S.gap


def _readout(S: Exchangeable, K: Exchangeable, outputs: int) -> Readout:
    return read_outputs(_kernels(S, K)[1], outputs)


def _given_kernels(S: Full, K: Full) -> tuple[Full, Full]:
    """The self-averaging shortcut: S̄ = G S G/v, K̄ = G K G/v, v = tr(G S G)/T."""
    field = S.centred()
    factor = 1 / field.same.mean()
    return field.scaled(factor), K.centred().scaled(factor)


def _division_flaw(weight_var: float, bias_var: float) -> str | None:
    return "every unit is constant over the samples" if weight_var == 0 else None


BATCH = Norm(
    "batch",
    _batch,
    _kernels,
    _chain_factor,
    _chain_factor,
    _readout,
    read_batch,
    mixes_samples=True,
    batch_held=_batch_held,
    min_samples=4,
    few_samples=50,
    division_flaw=_division_flaw,
    given_kernels=_given_kernels,
    average_over_fields=average_over_fields,
)
