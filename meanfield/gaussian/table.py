"""Gaussian averages from Chebyshev tables, for sweeps over many networks (theory.md section 8).

The averages are functions of the variance and the correlation alone, whatever the weights, the
biases and the layer: one table per activation serves every point of every diagram.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.angles import (
    angle_at,
    gap_at,
    leading_power,
    opening_angle,
    stretched_angle,
)
from meanfield.gaussian.averages import DOUBTFUL_ERROR, Averages
from meanfield.gaussian.quadrature import Quadrature
from meanfield.numerics.blocks import in_blocks
from meanfield.numerics.chebyshev import coefficients, nodes, polynomials

DOMAIN = (1e-4, 50.0)  # of q; beyond, the uniform grid is no longer exact itself
SIZES = (48, 56, 64, 96)  # polynomials in either variable: the smallest that is good enough
TOLERANCE = 2e-10  # times 50 layers it is the 1e-8 that a spectrum is promised to
SMALL_ANGLE = 1e-6  # where a gap is its leading power of the angle to this relative accuracy
CHECKS = 256  # random places where a table is held against quadrature
BLOCK = 64  # places per call of the compiled quadrature


class Table(NamedTuple):
    """Interpolation of an activation's averages; it stands in for the activation.

    With ϑ the opening angle, cos ϑ = 1 − g/q, x the logarithm of q and y a stretched angle:

        E[φ²] = e^{a(x)},   ½ E[(φ(u_s) − φ(u_t))²] = ϑ^p e^{b(x)} R(x, y),   the same for φ'

    where ϑ^p e^b is the gap's limit as ϑ → 0. So R is smooth and 1 there, and relative accuracy
    survives however small the gap is.

    Attributes:
        by_variance: Chebyshev coefficients in x of a and b for φ, then for φ'.
        by_both: Those of R in x and y, one block of columns for φ and one for φ'.
        powers: p for φ and for φ'.
        error: The largest relative error at random places, quadrature's own included.
    """

    by_variance: jax.Array
    by_both: jax.Array
    powers: jax.Array
    error: jax.Array

    @property
    def branches(self) -> bool:
        """A table has none."""
        return False

    def averages(self, q: jax.Array, gap: jax.Array) -> Averages:
        """The four averages; outside the table's domain the error is infinite."""
        size = len(self.by_variance)
        angle = opening_angle(q, gap)
        in_x = polynomials(_log_variance(q), size)
        in_y = polynomials(stretched_angle(q, angle), size)
        values = in_x @ jnp.concatenate([self.by_variance, self.by_both], axis=1)
        value, value_scale, slope, slope_scale = jnp.exp(values[:4])
        ratios = values[4:].reshape(2, size) @ in_y
        value_gap, slope_gap = ratios * angle**self.powers * jnp.stack([value_scale, slope_scale])
        inside = (DOMAIN[0] <= q) & (q <= DOMAIN[1])
        error = jnp.where(inside, self.error, jnp.inf)
        return Averages(value, value_gap, slope, slope_gap, error)


def _log_variance(q: jax.Array) -> jax.Array:
    """x: the logarithm of q, from −1 to 1 over the domain and cut off outside."""
    low, high = np.log(DOMAIN)
    return jnp.clip(2 * (jnp.log(q) - low) / (high - low) - 1, -1, 1)


@lru_cache(maxsize=16)
def tabulate(quadrature: Quadrature) -> Table | None:
    """The table of what a quadrature gives, or None where none of SIZES comes within TOLERANCE.

    An activation that quadrature itself cannot average well has none either.

    Every entry is by that quadrature, and so is the proof: the table is
    evaluated at random places, log-uniform in the variance and uniform or log-uniform in the
    angle. Call it inside `with jax.enable_x64(True):`.
    """
    by_quadrature = partial(_by_quadrature, quadrature)
    places = _random_places()
    exact = by_quadrature(*places)
    if exact.error.max() > DOUBTFUL_ERROR:
        return None
    for size in SIZES:
        table = _tabulate(by_quadrature, size)
        error = measured_error(table, *places, exact)
        if error <= TOLERANCE:
            return table._replace(error=error + exact.error.max())
    return None


def measured_error(table: Table, q: np.ndarray, angle: np.ndarray, exact: Averages) -> jax.Array:
    """The largest relative error of the table's averages.

    Beyond a right angle a gap's error is taken relative to the average itself: opposite samples
    may have none.
    """
    found = jax.jit(jax.vmap(Table.averages, in_axes=(None, 0, 0)))(table, q, gap_at(q, angle))
    opposite = angle > np.pi / 2
    scale = exact._replace(
        value_gap=jnp.where(opposite, exact.value, exact.value_gap),
        slope_gap=jnp.where(opposite, exact.slope, exact.slope_gap),
    )
    relative = jax.tree.map(
        lambda f, e, s: abs(f - e) / jnp.where(s > 0, s, 1), found, exact, scale
    )
    return jnp.stack(relative[:4]).max()


def _random_places() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    low, high = np.log(DOMAIN)
    q = np.exp(rng.uniform(low, high, CHECKS))
    near = np.pi * 10 ** rng.uniform(-10, 0, CHECKS)
    return q, np.where(np.arange(CHECKS) % 2, near, rng.uniform(0, np.pi, CHECKS))


def _tabulate(by_quadrature: Callable, size: int) -> Table:
    at = nodes(size)
    low, high = np.log(DOMAIN)
    q = np.exp(low + (high - low) * (at + 1) / 2)
    every_q, every_y = np.repeat(q, size), np.tile(at, size)
    every_angle = angle_at(every_q, every_y)
    grid = by_quadrature(every_q, every_angle)
    limits = [by_quadrature(q, np.full(size, angle)) for angle in (SMALL_ANGLE, 2 * SMALL_ANGLE)]
    by_variance, by_both, powers = [], [], []
    for average, gap in (("value", "value_gap"), ("slope", "slope_gap")):
        nearest, next_nearest = (getattr(limit, gap) for limit in limits)
        power = leading_power(nearest, next_nearest)
        scale = np.where(nearest > 0, nearest, 1) / SMALL_ANGLE**power
        ratio = (getattr(grid, gap) / every_angle**power).reshape(size, size) / scale[:, None]
        by_variance += [np.log(getattr(limits[0], average)), np.log(scale)]
        by_both.append(coefficients(coefficients(ratio), axis=1))
        powers.append(power)
    return Table(
        jnp.asarray(coefficients(np.stack(by_variance, axis=1))),
        jnp.concatenate(by_both, axis=1),
        jnp.array(powers),
        jnp.array(jnp.inf),
    )


def _by_quadrature(quadrature: Quadrature, q: np.ndarray, angle: np.ndarray) -> Averages:
    """The averages at each place."""
    return in_blocks(partial(_quadrature_block, quadrature), BLOCK, q, gap_at(q, angle))


@partial(jax.jit, static_argnames="quadrature")
def _quadrature_block(quadrature: Quadrature, q: jax.Array, gap: jax.Array) -> Averages:
    return jax.lax.map(lambda at: quadrature(*at), (q, gap))
