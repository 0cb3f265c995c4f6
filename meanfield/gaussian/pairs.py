"""Gaussian averages over all pairs of T samples, for a φ without closed forms."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.angles import split_gap
from meanfield.gaussian.averages import Averages
from meanfield.gaussian.exact_pairs import exact_gaps
from meanfield.gaussian.pair_grid import fitting_table, interpolate
from meanfield.gaussian.pair_slopes import SMALLEST
from meanfield.gaussian.quadrature import Quadrature

FEW = 2048  # pairs that are not worth a grid


def pair_averages(rule: Quadrature, q: jax.Array, gap: jax.Array) -> Averages:
    """The averages of φ and φ' per sample, and their gaps at every pair.

    Args:
        rule: How φ is averaged.
        q: Variances, of length T.
        gap: (q_s + q_t)/2 − q_st, T×T.

    Returns:
        value and slope of length T, their gaps T×T, and the largest relative error found.
    """
    none, q = q == 0, jnp.maximum(q, SMALLEST * q.max())
    _, excess, _ = split_gap(q, gap)
    single, error = _single(rule, q)
    value = jnp.where(none, rule.function(jnp.zeros(1)) ** 2, single[0])  # 0 stays 0, for a norm
    upper = np.triu_indices(len(q), 1)
    if len(q) == 1:
        gaps = jnp.zeros((2, 1, 1))
    elif len(upper[0]) <= FEW:
        exact = exact_gaps(rule, np.asarray(q), *upper, np.asarray(excess)[upper])
        gaps = jnp.zeros((2, *gap.shape)).at[:, *upper].set(exact)
        gaps += jnp.swapaxes(gaps, 1, 2)
    else:
        table, off = fitting_table(rule, np.asarray(q), np.asarray(excess), np.asarray(single))
        error = jnp.maximum(error, off)
        gaps = interpolate(table, q, q, excess)
    return Averages(value, gaps[0], single[1], gaps[1], error)


@partial(jax.jit, static_argnames="rule")
def _single(rule: Quadrature, q: jax.Array) -> tuple[jax.Array, jax.Array]:
    """E[φ²] and E[φ'²] per sample (2×T), and their largest relative error."""
    found = jax.vmap(lambda q: jnp.array(rule.single_averages(q)))(q)
    average, error = found[..., 0].T, found[..., 1].T
    return average, jnp.max(jnp.where(average > 0, error / jnp.where(average > 0, average, 1), 0))
