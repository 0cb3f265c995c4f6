"""How Gaussian averages over pairs of samples change with the pair's covariance and variances."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.angles import split_radii
from meanfield.gaussian.averages import Averages
from meanfield.gaussian.pair_grid import PairTable, coarse_table, interpolate
from meanfield.gaussian.quadrature import Quadrature

ALIKE = 1e-9  # of the variances; samples with a smaller gap count as one and the same
SMALLEST = 1e-12  # of the largest variance; a sample of less counts as this


class PairSlopes(NamedTuple):
    """The derivatives of f_st = E[f(u_s) f(u_t)], for f = φ and f = φ', u ~ N(0, S).

    df_st = A_st dS_st + R_st dS_ss + R_ts dS_tt                                      [derived]

    Attributes:
        by_covariance: A, 2×T×T.
        by_variance: R, 2×T×T.
    """

    by_covariance: np.ndarray
    by_variance: np.ndarray

    def response(self, index: int, change: np.ndarray) -> np.ndarray:
        """The change of E[φ φᵀ] (index 0) or E[φ' φ'ᵀ] (1), T×T, for one of S."""
        by_row = self.by_variance[index] * np.diagonal(change)[:, None]
        return self.by_covariance[index] * change + by_row + by_row.T


def slopes_of_closed_form(
    form: Callable[[jax.Array, jax.Array, jax.Array], Averages], q: jax.Array, gap: jax.Array
) -> PairSlopes:
    """The slopes at variances q (T) and gaps (T×T), of an activation with a closed form."""
    A, R = _of_closed_form(form, jnp.maximum(q, SMALLEST * q.max()), gap)
    return PairSlopes(np.asarray(A), np.asarray(R))


def slopes_by_table(rule: Quadrature, q: jax.Array, gap: jax.Array) -> PairSlopes:
    """The same of any activation, to a few digits: those of the coarsest table for these pairs."""
    q = jnp.maximum(q, SMALLEST * q.max())
    A, R = _by_table(rule, coarse_table(rule, np.asarray(q)), q, gap)
    return PairSlopes(np.asarray(A), np.asarray(R))


@partial(jax.jit, static_argnames="form")
def _of_closed_form(form, q: jax.Array, gap: jax.Array) -> tuple[jax.Array, jax.Array]:
    def single(q):
        a = form(q, q, jnp.zeros_like(q))
        return jnp.stack([a.value, a.slope])

    def gaps(q_s, q_t, gap):
        a = form(q_s, q_t, gap)
        return jnp.stack([a.value_gap, a.slope_gap])

    return _slopes(single, gaps, q, gap)


@partial(jax.jit, static_argnames="rule")
def _by_table(
    rule: Quadrature, table: PairTable, q: jax.Array, gap: jax.Array
) -> tuple[jax.Array, jax.Array]:
    def single(q):
        return jax.vmap(lambda q: jnp.stack([found[0] for found in rule.single_averages(q)]))(q).T

    def gaps(q_s, q_t, gap):
        mean, across = split_radii(q_s, q_t)
        return interpolate(table, q_s[:, 0], q_t[0], jnp.clip((gap - across) / mean, 0, 2))

    return _slopes(single, gaps, q, gap)


def _slopes(single, gaps, q: jax.Array, gap: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A and R, from the averages at one sample and their gaps at a pair.

    A covariance is the mean of the averages at s and t less their gap, which is a function of q_s,
    q_t and of the gap of S.
    """
    shape = len(q), len(q)
    q_s, q_t = jnp.broadcast_to(q[:, None], shape), jnp.broadcast_to(q[None, :], shape)
    one = jnp.ones(shape)
    _, alone = jax.jvp(single, (q,), (jnp.ones_like(q),))
    _, by_gap = jax.jvp(lambda gap: gaps(q_s, q_t, gap), (gap,), (one,))
    _, by_row = jax.jvp(lambda q_s: gaps(q_s, q_t, gap), (q_s,), (one,))
    apart = (gap > ALIKE * (q_s + q_t) / 2)[None]
    A, D = (jnp.where(apart & jnp.isfinite(x), x, 0) for x in (by_gap, by_row))
    return A, (jnp.nan_to_num(alone)[:, :, None] - A) / 2 - D
