"""Norms that divide each sample's units by their own spread: layer norm and root mean square.

    layer:  ū = (u − mean over units) / (population std over units)
    rms:    ū = u / (root mean square over units)

The two differ in how many of M units are free before the division: M − 1 or M. The division's own
projection is negligible in a wide hidden layer; in the last one theory.md section 6 has it.
"""

from collections.abc import Callable

import jax
import numpy as np

from meanfield.norms.base import Norm, unit_factor
from meanfield.theory.given_inputs.readout import GivenReadout, read_per_sample
from meanfield.theory.kernels import Exchangeable, Full
from meanfield.theory.white_noise.finite_samples import sample_largest
from meanfield.theory.white_noise.readout import Readout, read_normalized_outputs


def _kernels(S: Exchangeable, K: Exchangeable) -> tuple[Exchangeable, Exchangeable]:
    return S.over_diagonal_of(S), K.over_diagonal_of(S)


def _chain_factor(S: Exchangeable) -> jax.Array:
    """1/σ² → 1/q_t."""
    return 1 / S.same


def _division_flaw(weight_var: float, bias_var: float) -> str | None:
    return "every unit is zero" if weight_var == bias_var == 0 else None


def _per_sample_norm(name: str, batch: Callable, lost_dimensions: int) -> Norm:
    """The record of a norm that leaves M − `lost_dimensions` units free before its division."""

    def readout(S: Exchangeable, K: Exchangeable, outputs: int) -> Readout:
        return read_normalized_outputs(S, K, outputs, outputs - lost_dimensions)

    def sample(S: Exchangeable, K: Exchangeable, outputs: int, draws: int, rng) -> np.ndarray:
        return sample_largest(S, K, outputs, outputs - lost_dimensions, draws, rng)

    def read_given(S: Full, K: Full, outputs: int, vectors: int, draws: int, rng) -> GivenReadout:
        return read_per_sample(S, K, outputs, outputs - lost_dimensions, vectors, draws, rng)

    def width_flaw(units: int) -> str | None:
        free = units - lost_dimensions
        return "in one dimension the division leaves only a sign" if free < 2 else None

    def divergence(outputs: int) -> str | None:
        free = outputs - lost_dimensions
        if free < 3:
            return "the mean over networks of every eigenvalue statistic is infinite"
        return "its mean over networks is infinite" if free < 5 else None

    return Norm(
        name,
        batch,
        _kernels,
        _chain_factor,
        unit_factor,  # with few outputs the division is no mere factor: the chain starts before it
        readout,
        read_given,
        sample_largest=sample,
        width_flaw=width_flaw,
        divergence=divergence,
        division_flaw=_division_flaw,
    )


def _layer(u: jax.Array) -> jax.Array:
    centred = u - u.mean(axis=1, keepdims=True)
    return centred / (centred**2).mean(axis=1, keepdims=True) ** 0.5


def _root_mean_square(u: jax.Array) -> jax.Array:
    return u / (u**2).mean(axis=1, keepdims=True) ** 0.5


LAYER = _per_sample_norm("layer", _layer, lost_dimensions=1)
ROOT_MEAN_SQUARE = _per_sample_norm("rms", _root_mean_square, lost_dimensions=0)
