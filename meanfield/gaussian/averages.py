"""Gaussian averages of an activation: what every rule returns, and what rules share.

For u = (u_s, u_t) jointly Gaussian with variance q and covariance q − g every rule returns

    E[φ(u)²],   ½ E[(φ(u_s) − φ(u_t))²],   E[φ'(u)²],   ½ E[(φ'(u_s) − φ'(u_t))²],

so that the gap of an average is never a difference of two averages (theory.md section 8).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Function = Callable[[jax.Array], jax.Array]

DOUBTFUL_ERROR = 1e-4  # an average this uncertain is worth telling the user about
RESOLVED = 1e-12  # how closely a coarser rule must agree with the finest one to replace it
NARROW = 1e-4  # below this gap a plain difference of φ loses more digits than quadrature of φ'


class Averages(NamedTuple):
    """The four averages of one activation, and an estimate of their relative error."""

    value: jax.Array
    value_gap: jax.Array
    slope: jax.Array
    slope_gap: jax.Array
    error: jax.Array


def value_and_slope(f: Function, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """f(u) and f'(u), which share most of their work."""
    return jax.jvp(f, (u,), (jnp.ones_like(u),))


def derivative(f: Function) -> Function:
    """f' of an elementwise function, by forward-mode automatic differentiation."""
    return lambda u: value_and_slope(f, u)[1]


def value_to_curvature(f: Function, u: jax.Array) -> jax.Array:
    """φ, φ' and φ''."""
    return jnp.stack([f(u), *value_and_slope(derivative(f), u)])


def difference(f: Function, middle: jax.Array, half: jax.Array, gap: jax.Array) -> tuple:
    """f(m + d) − f(m − d), and the same of f', without cancellation where the gap ~ d² is small."""
    narrow, wide = partial(narrow_difference, f), partial(wide_difference, f)
    return jax.lax.cond(gap < NARROW, narrow, wide, middle, half)


def wide_difference(f: Function, middle: jax.Array, half: jax.Array) -> tuple:
    """f(m + d) − f(m − d), and the same of f', as they stand."""
    above, below = value_and_slope(f, middle + half), value_and_slope(f, middle - half)
    return above[0] - below[0], above[1] - below[1]


def narrow_difference(f: Function, middle: jax.Array, half: jax.Array) -> tuple:
    """d ∫_{-1}^{1} f'(m + d x) dx, and the same of f', by Gauss–Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    integral = integral_of_slope = jnp.zeros(())
    for x, weight in zip(nodes, weights, strict=True):
        slope, curvature = value_and_slope(derivative(f), middle + half * x)
        integral += weight * slope
        integral_of_slope += weight * curvature
    return half * integral, half * integral_of_slope


def leading(conditions: Iterable[jax.Array]) -> jax.Array:
    """How many of the conditions hold before the first that does not."""
    return jnp.cumprod(jnp.stack(list(conditions)).astype(int)).sum()


def collect(single: list, pair: list) -> Averages:
    """From (average, error) of φ and φ', at one sample and at a pair."""
    results = [single[0], pair[0], single[1], pair[1]]
    relative = [jnp.where(value > 0, error / value, 0) for value, error in results]
    value, value_gap, slope, slope_gap = (average for average, _ in results)
    return Averages(value, value_gap, slope, slope_gap, jnp.max(jnp.stack(relative)))
