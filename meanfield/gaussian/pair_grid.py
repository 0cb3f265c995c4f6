"""Gaps at all pairs of samples, interpolated between pairs on a grid.

With z, z' of correlation c a gap of u_s = √q_s z and u_t = √q_t z' has two parts,

    ½ (E[φ(u_s)²] + E[φ(u_t)²]) − E[φ(u_s) φ(u_t)] = (√q_s − √q_t)²/2 · ρ(q_s, q_t)
                                                    + (1 − c)^{p/2} · R(q_s, q_t, c),   [derived]

p = 1 if φ itself jumps, else 2. Both factors are smooth: they are interpolated by polynomials on a
Chebyshev grid over the variances of the samples at hand, and held against exact values at some of
the pairs. So a pair costs a few hundred operations whatever φ is (theory.md section 7).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.angles import angle_at, leading_power, stretched_angle
from meanfield.gaussian.exact_pairs import drops, exact_gaps, radial_factor
from meanfield.gaussian.quadrature import Quadrature
from meanfield.numerics import chebyshev

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
LEAST_RANGE = 1e-3  # of log q: a single variance gets a grid too
NEGLIGIBLE = 1e-6  # of the average itself: smaller gaps need no relative accuracy of their own
NARROW = 1e-6  # 1 − c from which the power of 1 − c is read
ROWS = 32  # of pairs worked on at a time: they stay in the processor's cache


class PairTable(NamedTuple):
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


def fitting_table(
    rule: Quadrature, q: np.ndarray, excess: np.ndarray, single: np.ndarray
) -> tuple[PairTable, float]:
    """The smallest table that comes within the tolerance, or else the largest, and its error.

    Args:
        rule: How φ is averaged.
        q, excess: Variances (T) and 1 − c (T×T) of the samples.
        single: E[φ²] and E[φ'²] of each, 2×T.
    """
    s, t = _some_pairs(excess)
    exact = exact_gaps(rule, q, s, t, excess[s, t])
    scale = np.maximum(exact, NEGLIGIBLE * np.max(single, axis=1, keepdims=True))
    for size in SIZES:
        table = _tabulate(rule, _bounds(q), size)
        found = _at_pairs(table, q[s], q[t], excess[s, t])
        off = np.max(np.abs(found - exact) / np.where(scale > 0, scale, 1))
        if off <= TOLERANCE:
            break
    return table, off


def coarse_table(rule: Quadrature, q: np.ndarray) -> PairTable:
    """The smallest table for these variances and a little beyond: few digits, and derivatives."""
    low, high = _bounds(q)
    return _tabulate(rule, (low - LEAST_RANGE, high + LEAST_RANGE), SIZES[0])


def _bounds(q: np.ndarray) -> tuple[float, float]:
    """Of log q."""
    low, high = np.log(q.min()), np.log(q.max())
    widen = max(LEAST_RANGE - (high - low), 0) / 2
    return low - widen, high + widen


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


def _tabulate(rule: Quadrature, bounds: tuple[float, float], size: tuple[int, int]) -> PairTable:
    """Both factors on a grid of so many variances, between bounds of log q, and angles."""
    (low, high), (variances, angles) = bounds, size
    q = np.exp(low + (high - low) * (chebyshev.nodes(variances) + 1) / 2)
    i, j = np.triu_indices(variances)
    radial = radial_factor(rule, q[i], q[j])
    mean = np.repeat(np.sqrt(q[i] * q[j]), angles)
    angle = angle_at(mean, np.tile(chebyshev.nodes(angles), len(i)))
    s, t = np.repeat(i, angles), np.repeat(j, angles)
    excess = 2 * np.sin(angle / 2) ** 2
    power = _powers(rule, q)
    ratio = drops(rule, q, s, t, excess) / excess ** (power[:, None] / 2)

    def symmetric(values):  # ... × pairs → ... × variances × variances
        full = np.empty((*values.shape[:-1], variances, variances))
        full[..., i, j] = full[..., j, i] = values
        return full

    def in_variances(values):
        return chebyshev.coefficients(chebyshev.coefficients(values, axis=-1), axis=-2)

    by_angle = chebyshev.coefficients(np.moveaxis(ratio.reshape(2, len(i), angles), -1, 0))
    return PairTable(
        low,
        high,
        jnp.asarray(in_variances(symmetric(radial))),
        jnp.asarray(in_variances(symmetric(by_angle))),
        jnp.asarray(power),
    )


def _powers(rule: Quadrature, q: np.ndarray) -> np.ndarray:
    """p for φ and φ'; a smooth function's is 2."""
    if not rule.kinked:
        return np.full(2, 2.0)
    every = np.arange(len(q))
    # Twice the angle is four times 1 − c.
    near, next_near = (
        drops(rule, q, every, every, np.full(len(q), e)) for e in (NARROW, 4 * NARROW)
    )
    return np.array([leading_power(*pair) for pair in zip(near, next_near, strict=True)])


def _angle_coordinate(q_s: jax.Array, q_t: jax.Array, excess: jax.Array) -> jax.Array:
    return stretched_angle(jnp.sqrt(q_s * q_t), 2 * jnp.arcsin(jnp.sqrt(excess / 2)))


@jax.jit
def _at_pairs(table: PairTable, q_s: jax.Array, q_t: jax.Array, excess: jax.Array) -> jax.Array:
    """Both gaps at some pairs: 2×P."""
    in_s, in_t = table.polynomials(q_s), table.polynomials(q_t)
    in_angle = chebyshev.polynomials(_angle_coordinate(q_s, q_t, excess), len(table.angular))
    across = (jnp.sqrt(q_s) - jnp.sqrt(q_t)) ** 2 / 2
    radial = jnp.einsum("gij,ip,jp->gp", table.radial, in_s, in_t)
    angular = jnp.einsum("kgij,kp,ip,jp->gp", table.angular, in_angle, in_s, in_t)
    return across[None] * radial + excess[None] ** (table.power[:, None] / 2) * angular


@jax.jit
def interpolate(table: PairTable, q_s: jax.Array, q_t: jax.Array, excess: jax.Array) -> jax.Array:
    """Both gaps at every pair, 2×T×T, some rows at a time; Clenshaw's rule in the angle.

    Args:
        table: For these variances.
        q_s, q_t: The variances of rows and columns.
        excess: 1 − c of each pair, T×T.
    """
    in_t = table.polynomials(q_t)
    by_column = table.angular @ in_t  # angles × 2 × variances × T
    radial_by_column = table.radial @ in_t
    root = jnp.sqrt(q_t)

    def rows(block):
        q, in_s, excess = block
        y = _angle_coordinate(q[:, None], q_t[None, :], excess)[None]

        def lower(i, sums):
            k = len(by_column) - 1 - i
            last, before = sums
            here = jnp.einsum("is,git->gst", in_s, by_column[k])
            return here + 2 * y * last - before, last

        zero = jnp.zeros((2, *excess.shape))
        last, before = jax.lax.fori_loop(0, len(by_column), lower, (zero, zero))
        angular = last - y * before
        radial = jnp.einsum("is,git->gst", in_s, radial_by_column)
        across = (jnp.sqrt(q)[:, None] - root[None, :]) ** 2 / 2
        return across[None] * radial + excess[None] ** (table.power[:, None, None] / 2) * angular

    T = len(q_s)
    short = -T % ROWS
    in_s = jnp.pad(table.polynomials(q_s), ((0, 0), (0, short)))
    of_rows = (
        jnp.pad(q_s, (0, short), mode="edge").reshape(-1, ROWS),
        jnp.moveaxis(in_s.reshape(len(in_s), -1, ROWS), 1, 0),
        jnp.pad(excess, ((0, short), (0, 0))).reshape(-1, ROWS, len(q_t)),
    )
    gaps = jax.lax.map(rows, of_rows)
    return jnp.moveaxis(gaps, 1, 0).reshape(2, -1, len(q_t))[:, :T]
