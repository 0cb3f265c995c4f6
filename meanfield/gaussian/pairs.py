"""Gaussian averages over all pairs of T samples, for a φ without closed forms.

For u_s = √q_s z and u_t = √q_t z' with z, z' of correlation c an average's gap has two parts,

    ½ (E[φ(u_s)²] + E[φ(u_t)²]) − E[φ(u_s) φ(u_t)] = (√q_s − √q_t)²/2 · ρ(q_s, q_t)
                                                    + (1 − c)^{p/2} · R(q_s, q_t, c),   [derived]

p = 1 if φ itself jumps, else 2. Both factors are smooth: they are interpolated by polynomials on a
Chebyshev grid over the variances of the samples at hand, and held against exact values at some of
the pairs. So a pair costs a few hundred operations whatever φ is (theory.md section 7).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian import hermite
from meanfield.gaussian.averages import (
    Averages,
    Function,
    derivative,
    drop_in_sectors,
    fewest_nodes,
    line_nodes,
    single_averages,
    value_and_slope,
)
from meanfield.gaussian.closed_form_pairs import split_gap
from meanfield.gaussian.table import angle_at, leading_power, stretched_angle
from meanfield.numerics import chebyshev
from meanfield.numerics.blocks import in_blocks

SIZES = (
    (8, 32),
    (12, 48),
    (16, 64),
    (20, 80),
    (24, 96),
    (32, 128),
)  # of the grid: variances, angles
TOLERANCE = 1e-10  # relative, of either gap
CHECKS = 256  # pairs where the interpolation is held against exact values
FEW = 2048  # pairs that are not worth a grid
LEAST_RANGE = 1e-3  # of log q: a single variance gets a grid too
SMALLEST = 1e-12  # of the largest variance; a sample of less counts as this
NEGLIGIBLE = 1e-6  # of the average itself: smaller gaps need no relative accuracy of their own
NARROW = 1e-6  # 1 − c from which the power of 1 − c is read
ROWS = 32  # of pairs worked on at a time: they stay in the processor's cache
BLOCK = 64  # exact pairs worked on at a time
SEGMENT = 8  # nodes between two variances less than a factor 1.5 apart


class Grid(NamedTuple):
    """A Chebyshev grid over pairs of variances and their angle, and the interpolated factors.

    Attributes:
        low, high: The range of log q.
        radial: Coefficients of ρ for φ and φ': 2 × variances × variances.
        angular: Those of R: angles × 2 × variances × variances.
        power: p for φ and φ'.
    """

    low: float
    high: float
    radial: jax.Array
    angular: jax.Array
    power: jax.Array

    def polynomials(self, q: jax.Array) -> jax.Array:
        """Those in log q, along the first axis."""
        x = 2 * (jnp.log(q) - self.low) / (self.high - self.low) - 1
        return chebyshev.polynomials(jnp.clip(x, -1, 1), self.radial.shape[1])


def pair_averages(f: Function, kinked: bool, q: jax.Array, gap: jax.Array) -> Averages:
    """The averages of φ and φ' per sample, and their gaps at every pair.

    Args:
        f: φ.
        kinked: Whether φ or a derivative of it jumps at 0.
        q: Variances, of length T.
        gap: (q_s + q_t)/2 − q_st, T×T.

    Returns:
        value and slope of length T, their gaps T×T, and the largest relative error found.
    """
    none, q = q == 0, jnp.maximum(q, SMALLEST * q.max())
    _, excess, _ = split_gap(q, gap)
    single, error = _single(f, kinked, q)
    value = jnp.where(none, f(jnp.zeros(1)) ** 2, single[0])  # 0 stays 0, for a norm to tell
    upper = np.triu_indices(len(q), 1)
    if len(q) == 1:
        gaps = jnp.zeros((2, 1, 1))
    elif len(upper[0]) <= FEW:
        exact = _exact_gaps(f, kinked, np.asarray(q), *upper, np.asarray(excess)[upper])
        gaps = jnp.zeros((2, *gap.shape)).at[:, *upper].set(exact)
        gaps += jnp.swapaxes(gaps, 1, 2)
    else:
        grid, off = _fitting_grid(f, kinked, q, excess, single)
        error = jnp.maximum(error, off)
        gaps = _interpolate(grid, q, excess)
    return Averages(value, gaps[0], single[1], gaps[1], error)


@partial(jax.jit, static_argnames=("f", "kinked"))
def _single(f: Function, kinked: bool, q: jax.Array) -> tuple[jax.Array, jax.Array]:
    """E[φ²] and E[φ'²] per sample (2×T), and their largest relative error."""
    found = jax.vmap(lambda q: jnp.array(single_averages(f, kinked, q)))(q)
    average, error = found[..., 0].T, found[..., 1].T
    return average, jnp.max(jnp.where(average > 0, error / jnp.where(average > 0, average, 1), 0))


def _fitting_grid(f, kinked, q, excess, single) -> tuple[Grid, float]:
    """The coarsest grid that comes within the tolerance, or else the finest, and its error."""
    q, excess = np.asarray(q), np.asarray(excess)
    s, t = _some_pairs(excess)
    exact = _exact_gaps(f, kinked, q, s, t, excess[s, t])
    scale = np.maximum(exact, NEGLIGIBLE * np.max(single, axis=1, keepdims=True))
    low, high = np.log(q.min()), np.log(q.max())
    widen = max(LEAST_RANGE - (high - low), 0) / 2
    for variances, angles in SIZES:
        grid = _tabulate(f, kinked, low - widen, high + widen, variances, angles)
        found = _at_pairs(grid, q[s], q[t], excess[s, t])
        off = np.max(np.abs(found - exact) / np.where(scale > 0, scale, 1))
        if off <= TOLERANCE:
            break
    return grid, off


def _some_pairs(excess: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Random pairs of different samples, with the closest and the furthest."""
    T = len(excess)
    rng = np.random.default_rng(0)
    s = rng.integers(0, T, CHECKS)
    t = (s + rng.integers(1, T, CHECKS)) % T
    apart = np.where(excess > 0, excess, np.inf)
    extremes = [np.unravel_index(i, excess.shape) for i in (apart.argmin(), excess.argmax())]
    s[:2], t[:2] = np.transpose(extremes)
    return s, t


def _exact_gaps(f, kinked, q, s, t, excess) -> np.ndarray:
    """Both gaps at some pairs, without interpolation: 2×P."""
    across = (np.sqrt(q[s]) - np.sqrt(q[t])) ** 2 / 2
    radial = _radial_factor(f, kinked, q[s], q[t])
    return across * radial + _drops(f, kinked, q, s, t, excess)


def _drops(f, kinked, q, s, t, excess) -> np.ndarray:
    """By how much the averages of φ and φ' fall below their value at correlation 1: 2×P."""
    if kinked:
        rules = np.asarray(_rules(f, q))
        rule = np.where(q[s] > q[t], rules[s], rules[t])
        return in_blocks(partial(_drops_in_sectors, f), BLOCK, rule, q[s], q[t], excess)
    used, index = np.unique(np.concatenate([s, t]), return_inverse=True)
    return hermite.drops(f, q[used], index[: len(s)], index[len(s) :], excess)


@partial(jax.jit, static_argnames="f")
def _drops_in_sectors(
    f: Function, rule: jax.Array, q_s: jax.Array, q_t: jax.Array, excess: jax.Array
) -> jax.Array:
    """The same for a φ with a kink at zero."""
    return jax.lax.map(lambda at: drop_in_sectors(f, *at), (rule, q_s, q_t, excess)).T


@partial(jax.jit, static_argnames="f")
def _rules(f: Function, q: jax.Array) -> jax.Array:
    return jax.vmap(lambda q: fewest_nodes(f, q))(q)


def _radial_factor(f, kinked, q_s, q_t) -> np.ndarray:
    """ρ = E[((φ(√q_s z) − φ(√q_t z))/(√q_s − √q_t))²] for φ and φ': 2×P."""
    return in_blocks(partial(_radial_block, f, kinked), BLOCK, q_s, q_t)


@partial(jax.jit, static_argnames=("f", "kinked"))
def _radial_block(f: Function, kinked: bool, q_s: jax.Array, q_t: jax.Array) -> jax.Array:
    z, weight = line_nodes(kinked)
    nodes, node_weight = np.polynomial.legendre.leggauss(SEGMENT)

    def at_pair(pair):
        a, b = jnp.sqrt(pair[0]), jnp.sqrt(pair[1])
        far = jnp.maximum(a, b) > 1.5 * jnp.minimum(a, b)
        at_a, at_b = value_and_slope(f, a * z), value_and_slope(f, b * z)
        distance = jnp.where(far, a - b, 1)
        between = (a + b) / 2 + (a - b) / 2 * nodes[:, None]
        mean_slopes = value_and_slope(derivative(f), between * z)
        factors = []
        for g_a, g_b, slopes in zip(at_a, at_b, mean_slopes, strict=True):
            near = z * (node_weight @ slopes) / 2
            factors.append((weight * jnp.where(far, (g_a - g_b) / distance, near) ** 2).sum())
        return jnp.stack(factors)

    return jax.lax.map(at_pair, (q_s, q_t), batch_size=16).T


def _tabulate(f, kinked, low, high, variances: int, angles: int) -> Grid:
    """Both factors on the grid."""
    q = np.exp(low + (high - low) * (chebyshev.nodes(variances) + 1) / 2)
    i, j = np.triu_indices(variances)
    radial = _radial_factor(f, kinked, q[i], q[j])
    mean = np.repeat(np.sqrt(q[i] * q[j]), angles)
    angle = angle_at(mean, np.tile(chebyshev.nodes(angles), len(i)))
    s, t = np.repeat(i, angles), np.repeat(j, angles)
    excess = 2 * np.sin(angle / 2) ** 2
    drops = _drops(f, kinked, q, s, t, excess)
    power = _powers(f, kinked, q)
    ratio = (drops / excess ** (power[:, None] / 2)).reshape(2, len(i), angles)

    def symmetric(values):  # ... × pairs → ... × variances × variances
        full = np.empty((*values.shape[:-1], variances, variances))
        full[..., i, j] = full[..., j, i] = values
        return full

    def in_variances(values):
        return chebyshev.coefficients(chebyshev.coefficients(values, axis=-1), axis=-2)

    by_angle = chebyshev.coefficients(np.moveaxis(ratio, -1, 0))
    return Grid(
        low,
        high,
        jnp.asarray(in_variances(symmetric(radial))),
        jnp.asarray(in_variances(symmetric(by_angle))),
        jnp.asarray(power),
    )


def _powers(f: Function, kinked: bool, q: np.ndarray) -> np.ndarray:
    """p for φ and φ'; a smooth function's is 2."""
    if not kinked:
        return np.full(2, 2.0)
    every = np.arange(len(q))
    # Twice the angle is four times 1 − c.
    near, next_near = (
        _drops(f, kinked, q, every, every, np.full(len(q), e)) for e in (NARROW, 4 * NARROW)
    )
    return np.array([leading_power(*pair) for pair in zip(near, next_near, strict=True)])


def _angle_coordinate(q_s: jax.Array, q_t: jax.Array, excess: jax.Array) -> jax.Array:
    return stretched_angle(jnp.sqrt(q_s * q_t), 2 * jnp.arcsin(jnp.sqrt(excess / 2)))


@jax.jit
def _at_pairs(grid: Grid, q_s: jax.Array, q_t: jax.Array, excess: jax.Array) -> jax.Array:
    """Both gaps at some pairs: 2×P."""
    in_s, in_t = grid.polynomials(q_s), grid.polynomials(q_t)
    in_angle = chebyshev.polynomials(_angle_coordinate(q_s, q_t, excess), len(grid.angular))
    across = (jnp.sqrt(q_s) - jnp.sqrt(q_t)) ** 2 / 2
    radial = jnp.einsum("gij,ip,jp->gp", grid.radial, in_s, in_t)
    angular = jnp.einsum("kgij,kp,ip,jp->gp", grid.angular, in_angle, in_s, in_t)
    return across * radial + excess ** (grid.power[:, None] / 2) * angular


@jax.jit
def _interpolate(grid: Grid, q: jax.Array, excess: jax.Array) -> jax.Array:
    """Both gaps at every pair, 2×T×T, some rows at a time; Clenshaw's rule in the angle."""
    in_q = grid.polynomials(q)
    by_column = grid.angular @ in_q  # angles × 2 × variances × T
    radial_by_column = grid.radial @ in_q
    root = jnp.sqrt(q)

    def rows(block):
        q_s, in_s, excess = block
        y = _angle_coordinate(q_s[:, None], q, excess)

        def lower(i, sums):
            k = len(by_column) - 1 - i
            last, before = sums
            here = jnp.einsum("is,git->gst", in_s, by_column[k])
            return here + 2 * y * last - before, last

        zero = jnp.zeros((2, *excess.shape))
        last, before = jax.lax.fori_loop(0, len(by_column), lower, (zero, zero))
        angular = last - y * before
        radial = jnp.einsum("is,git->gst", in_s, radial_by_column)
        across = (jnp.sqrt(q_s)[:, None] - root) ** 2 / 2
        return across * radial + excess ** (grid.power[:, None, None] / 2) * angular

    T = len(q)
    short = -T % ROWS
    of_rows = (
        jnp.pad(q, (0, short), mode="edge").reshape(-1, ROWS),
        jnp.moveaxis(jnp.pad(in_q, ((0, 0), (0, short))).reshape(len(in_q), -1, ROWS), 1, 0),
        jnp.pad(excess, ((0, short), (0, 0))).reshape(-1, ROWS, T),
    )
    gaps = jax.lax.map(rows, of_rows)
    return jnp.moveaxis(gaps, 1, 0).reshape(2, -1, T)[:, :T]
