"""Gaussian averages of φ and φ' at given means: what a unit with a mean of its own does.

For u = m + √g z, z ~ N(0, 1), at every m. Higher derivatives are taken by Stein's lemma, so that
jumps of φ' are in them: the second is E[φ' z]/√g, the third E[φ' (z² − 1)]/g.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.averages import Function, value_and_slope
from meanfield.gaussian.kinked import REACH
from meanfield.gaussian.smooth import gaussian_grid

COUNT = 48  # of Gauss–Legendre nodes on either side of a kink
STRIDE = 2  # of the smooth rule's finest grid: these averages are of one variable and need no gap
LEAST_ROOT = 1e-6  # √g: closer to each other values of φ and φ' differ by rounding too much


class ShiftedAverages(NamedTuple):
    """Averages at given means m, with V = Var φ.

    Attributes:
        value, slope, curvature, third: Of φ and of its first three derivatives.
        value_variance, slope_variance, covariance: V, Var φ' and Cov(φ, φ').
        cube, square_variance, slope_square: E[(φ − Eφ)³], Var (φ − Eφ)² and Cov(φ', (φ − Eφ)²).
        by_mean, by_variance: ∂²V/∂m² and ∂V/∂g.
    """

    value: jax.Array
    slope: jax.Array
    curvature: jax.Array
    third: jax.Array
    value_variance: jax.Array
    slope_variance: jax.Array
    covariance: jax.Array
    cube: jax.Array
    square_variance: jax.Array
    slope_square: jax.Array
    by_mean: jax.Array
    by_variance: jax.Array


def shifted_averages(
    f: Function, kinked: bool, mean: jax.Array, variance: jax.Array
) -> ShiftedAverages:
    """The averages at every mean.

    Args:
        f: φ.
        kinked: Whether φ or a derivative of it jumps at 0.
        mean: m, an array.
        variance: g, one number.
    """
    g = jnp.maximum(variance, LEAST_ROOT**2)
    root = jnp.sqrt(g)
    z, weight = _around_kink(mean / root) if kinked else _uniform(mean)
    at, slopes = value_and_slope(f, mean[:, None] + root * z)
    average = lambda x: (weight * x).sum(axis=-1)  # noqa: E731
    value, slope = average(at), average(slopes)
    apart, slopes_apart, even = at - value[:, None], slopes - slope[:, None], z**2 - 1
    spread = average(apart**2)
    # below the least g, where φ is linear over the whole Gaussian, variances are proportional to it
    linear = jnp.maximum(variance, 0) / g
    return ShiftedAverages(
        value=value,
        slope=slope,
        curvature=average(slopes_apart * z) / root,
        third=average(slopes_apart * even) / g,
        value_variance=linear * spread,
        slope_variance=linear * average(slopes_apart**2),
        covariance=linear * average(apart * slopes_apart),
        cube=linear**2 * average(apart**3),
        square_variance=linear**2 * average((apart**2 - spread[:, None]) ** 2),
        slope_square=linear**2 * average(slopes_apart * apart**2),
        by_mean=2 * linear * (average(apart * slopes * z) / root - slope**2),
        by_variance=average(apart**2 * even) / (2 * g),
    )


def _uniform(mean: jax.Array) -> tuple[jax.Array, jax.Array]:
    z, weight = gaussian_grid(STRIDE)
    shape = (len(mean), len(z))
    return jnp.broadcast_to(z[None, :], shape), jnp.broadcast_to(weight[None, :], shape)


def _around_kink(ratio: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Nodes on either side of z = −m/√g, where u = 0."""
    kink = jnp.clip(-ratio, -REACH, REACH)[:, None]
    nodes, weights = (x[None, :] for x in np.polynomial.legendre.leggauss(COUNT))
    half = (kink + REACH) / 2, (REACH - kink) / 2
    z = jnp.concatenate([half[0] * (nodes + 1) - REACH, half[1] * (nodes + 1) + kink], axis=1)
    lengths = jnp.concatenate([half[0] * weights, half[1] * weights], axis=1)
    return z, lengths * jnp.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
