"""Gaussian averages of an activation, by quadrature (theory.md section 8).

For u = (u_s, u_t) jointly Gaussian with variance q and covariance q − g every rule returns

    E[φ(u)²],   ½ E[(φ(u_s) − φ(u_t))²],   E[φ'(u)²],   ½ E[(φ'(u_s) − φ'(u_t))²],

so that the gap of an average is never a difference of two averages.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Function = Callable[[jax.Array], jax.Array]

REACH = 8.5  # exp(−REACH²/2) = 2e-16: the Gaussian's tail beyond it is below rounding
STEP = 0.04  # resolves tanh' at q = 50 (poles at distance π/2√50) to 1e-8 and better
NARROW = 1e-4  # below this gap a plain difference of φ loses more digits than quadrature of φ'


class Averages(NamedTuple):
    """The four averages of one activation, and an estimate of their relative error."""

    value: jax.Array
    value_gap: jax.Array
    slope: jax.Array
    slope_gap: jax.Array
    error: jax.Array


def derivative(f: Function) -> Function:
    """f' of an elementwise function, by forward-mode automatic differentiation."""
    return lambda u: jax.jvp(f, (u,), (jnp.ones_like(u),))[1]


def difference(f: Function, middle: jax.Array, half: jax.Array, gap: jax.Array) -> jax.Array:
    """f(m + d) − f(m − d), without cancellation where the gap ~ d² is small.

    There it is d ∫_{-1}^{1} f'(m + d x) dx by Gauss–Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(4)
    slope = derivative(f)

    def narrow(middle, half):
        return half * sum(w * slope(middle + half * x) for x, w in zip(nodes, weights, strict=True))

    def wide(middle, half):
        return f(middle + half) - f(middle - half)

    return jax.lax.cond(gap < NARROW, narrow, wide, middle, half)


def opening_angle(q: jax.Array, gap: jax.Array) -> jax.Array:
    """ϑ with cos ϑ = 1 − g/q. At correlation −1 its infinite derivative is taken as 0."""
    ratio = gap / (2 * q)
    inside = jnp.where(ratio < 1, ratio, 0.5)
    return jnp.where(ratio < 1, 2 * jnp.arcsin(jnp.sqrt(inside)), np.pi)


def uniform_grid(f: Function, q: jax.Array, gap: jax.Array) -> Averages:
    """The averages of a smooth φ by the trapezoid rule, which converges spectrally here.

    The pair is u_{s,t} = √(q − g/2) z0 ± √(g/2) z1 with z0, z1 independent standard normal.
    The error is estimated from the tail and from the same grid at two and four times the step:
    for algebraic convergence, as at a kink, E(2h)²/E(4h) is the error at step h, and for
    spectral convergence it is far above it.
    """
    half_count = int(np.ceil(REACH / STEP))
    z = STEP * np.arange(-half_count, half_count + 1)
    weight = STEP * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    one_sided = 2 * weight[half_count:]  # the integrand is even in z1, and 0 at z1 = 0
    common = q - gap / 2  # 0 at correlation −1, where the root has no derivative
    middle = jnp.where(common > 0, jnp.sqrt(jnp.where(common > 0, common, 1)), 0) * z[:, None]
    half = jnp.sqrt(gap / 2) * z[None, half_count:]

    def error(fine, coarse, coarser):
        e2, e4 = jnp.abs(coarse - fine), jnp.abs(coarser - fine)
        return jnp.where(e2 < e4, e2 * e2 / jnp.where(e4 > 0, e4, 1), e2)

    def single(g):
        terms = weight * g(jnp.sqrt(q) * z) ** 2
        fine, *coarse = (k * terms[half_count % k :: k].sum() for k in (1, 2, 4))
        return fine, error(fine, *coarse) + (terms[0] + terms[-1]) / STEP

    def pair(g):
        terms = weight[:, None] * one_sided * difference(g, middle, half, gap) ** 2 / 2
        fine, *coarse = (k * k * terms[half_count % k :: k, ::k].sum() for k in (1, 2, 4))
        return fine, error(fine, *coarse)

    return _collect(f, single, pair)


def sectors(f: Function, q: jax.Array, gap: jax.Array) -> Averages:
    """The averages of a φ that is smooth on either side of a kink at zero.

    In polar coordinates u_{s,t} = √q r cos(θ ± ϑ/2), cos ϑ = 1 − g/q, the kinks lie on rays:
    Gauss–Legendre quadrature inside each sector is then spectrally accurate. The error is
    estimated from the same rule with fewer nodes.
    """
    opening = opening_angle(q, gap)
    sine, cosine = jnp.sin(opening / 2), jnp.cos(opening / 2)

    def radial(count):
        nodes, weights = np.polynomial.legendre.leggauss(count)
        r = REACH * (nodes + 1) / 2
        return r, REACH / 2 * weights * np.exp(-(r**2) / 2)

    def single_rule(g, count):
        z, weight = radial(count)
        both_sides = g(jnp.sqrt(q) * z) ** 2 + g(-jnp.sqrt(q) * z) ** 2
        return (weight * both_sides).sum() / np.sqrt(2 * np.pi)

    def pair_rule(g, count):
        r, radial_weight = radial(count)
        nodes, angle_weight = np.polynomial.legendre.leggauss(count // 2)
        scale = jnp.sqrt(q) * r[:, None]
        weight = (r * radial_weight)[:, None] * angle_weight / (2 * np.pi)
        width = (np.pi - opening) / 2  # same sign: 0 < θ < width, and its mirror image
        angle = width * (nodes + 1) / 2
        middle, half = scale * jnp.cos(angle) * cosine, scale * jnp.sin(angle) * sine
        same_sign = difference(g, middle, half, gap) ** 2 + difference(g, -middle, half, gap) ** 2
        inner = opening / 2 * nodes  # opposite signs: a sector of the opening, and its mirror image
        u_s, u_t = (
            -scale * jnp.sin(opening / 2 + inner),
            scale * jnp.sin(opening / 2 - inner),
        )
        opposite = (g(u_t) - g(u_s)) ** 2
        return (weight * (width / 2 * same_sign + opening / 2 * opposite)).sum()

    def at_two_counts(rule):
        def average(g):
            fine = rule(g, 96)
            return fine, jnp.abs(rule(g, 64) - fine)

        return average

    return _collect(f, at_two_counts(single_rule), at_two_counts(pair_rule))


def _collect(f: Function, single: Callable, pair: Callable) -> Averages:
    slope = derivative(f)
    results = [single(f), pair(f), single(slope), pair(slope)]
    relative = [jnp.where(value > 0, error / value, 0) for value, error in results]
    (value, _), (value_gap, _), (slope_value, _), (slope_gap, _) = results
    return Averages(value, value_gap, slope_value, slope_gap, jnp.max(jnp.stack(relative)))
