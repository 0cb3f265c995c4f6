"""The gaps of single pairs of samples of different variance, without interpolation.

For u_s = √q_s z and u_t = √q_t z' with z, z' of correlation c a gap is what the radius adds to the
drop by angle,

    (√q_s − √q_t)²/2 · ρ(q_s, q_t) + E[f(√q_s z) f(√q_t z)] − E[f(√q_s z) f(√q_t z')]   [derived]

for f = φ and φ'.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian import hermite
from meanfield.gaussian.averages import Function, derivative, value_and_slope
from meanfield.gaussian.kinked import drop_in_sectors, fewest_nodes
from meanfield.gaussian.quadrature import Quadrature
from meanfield.numerics.blocks import in_blocks

BLOCK = 64  # pairs worked on at a time
SEGMENT = 8  # nodes between two variances less than a factor 1.5 apart


def exact_gaps(
    rule: Quadrature, q: np.ndarray, s: np.ndarray, t: np.ndarray, excess: np.ndarray
) -> np.ndarray:
    """Both gaps at P pairs (s, t) of samples of variances q, 1 − c of each: 2×P."""
    across = (np.sqrt(q[s]) - np.sqrt(q[t])) ** 2 / 2
    return across * radial_factor(rule, q[s], q[t]) + drops(rule, q, s, t, excess)


def drops(
    rule: Quadrature, q: np.ndarray, s: np.ndarray, t: np.ndarray, excess: np.ndarray
) -> np.ndarray:
    """By how much the averages of φ and φ' fall below their value at correlation 1: 2×P."""
    f = rule.function
    if rule.kinked:
        counts = np.asarray(_node_counts(f, q))
        larger = np.where(q[s] > q[t], counts[s], counts[t])
        return in_blocks(partial(_drops_in_sectors, f), BLOCK, larger, q[s], q[t], excess)
    used, index = np.unique(np.concatenate([s, t]), return_inverse=True)
    return hermite.drops(f, q[used], index[: len(s)], index[len(s) :], excess)


@partial(jax.jit, static_argnames="f")
def _drops_in_sectors(
    f: Function, counts: jax.Array, q_s: jax.Array, q_t: jax.Array, excess: jax.Array
) -> jax.Array:
    """The same for a φ with a kink at zero."""
    return jax.lax.map(lambda at: drop_in_sectors(f, *at), (counts, q_s, q_t, excess)).T


@partial(jax.jit, static_argnames="f")
def _node_counts(f: Function, q: jax.Array) -> jax.Array:
    return jax.vmap(lambda q: fewest_nodes(f, q))(q)


def radial_factor(rule: Quadrature, q_s: np.ndarray, q_t: np.ndarray) -> np.ndarray:
    """ρ = E[((φ(√q_s z) − φ(√q_t z))/(√q_s − √q_t))²] for φ and φ': 2×P."""
    return in_blocks(partial(_radial_block, rule), BLOCK, q_s, q_t)


@partial(jax.jit, static_argnames="rule")
def _radial_block(rule: Quadrature, q_s: jax.Array, q_t: jax.Array) -> jax.Array:
    f, (z, weight) = rule.function, rule.line_nodes()
    nodes, node_weight = np.polynomial.legendre.leggauss(SEGMENT)

    def at_pair(pair):
        a, b = jnp.sqrt(pair[0]), jnp.sqrt(pair[1])
        far = jnp.maximum(a, b) > 1.5 * jnp.minimum(a, b)
        at_a, at_b = value_and_slope(f, a * z), value_and_slope(f, b * z)
        distance = jnp.where(far, a - b, 1)
        between = (a + b) / 2 + (a - b) / 2 * nodes[:, None]
        mean_slopes = value_and_slope(derivative(f), between * z[None, :])
        factors = []
        for g_a, g_b, slopes in zip(at_a, at_b, mean_slopes, strict=True):
            near = z * (node_weight @ slopes) / 2
            factors.append((weight * jnp.where(far, (g_a - g_b) / distance, near) ** 2).sum())
        return jnp.stack(factors)

    return jax.lax.map(at_pair, (q_s, q_t), batch_size=16).T
