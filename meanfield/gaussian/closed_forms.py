"""Closed forms of the Gaussian averages, stable as the gap vanishes.

Each function takes the variances q_s and q_t of two samples and their gap (q_s + q_t)/2 − q_st,
numbers or arrays that broadcast, and returns the `Averages` of one activation (theory.md section
8): value and slope are those of s. The textbook covariance forms are rearranged so that no two
nearly equal numbers are subtracted, but for √q_s − √q_t and q_s − q_t: variances that differ by d
are told apart to rounding over d. Samples of one variance, `form(q, q, gap)`, have nothing to
lose, and what would be 0 there is not computed.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.angles import opening_angle, split_radii
from meanfield.gaussian.averages import Averages


def _averages(value, value_gap, slope, slope_gap) -> Averages:
    return Averages(value, value_gap, slope, slope_gap, error=jnp.zeros_like(value))


def linear(q_s: jax.Array, q_t: jax.Array, gap: jax.Array) -> Averages:
    """φ(u) = u."""
    return _averages(q_s, gap, jnp.ones_like(q_s), jnp.zeros_like(gap))


def _sine_minus_angle_cosine(angle: jax.Array) -> jax.Array:
    """sin θ − θ cos θ ~ θ³/3, by its series where the difference would cancel."""
    square = jnp.minimum(angle, 0.5) ** 2
    terms = 0.0
    for n in range(8, 0, -1):  # Σ_n (−1)^{n+1} 2n θ^{2n+1} / (2n+1)!
        terms = (-1) ** (n + 1) * 2 * n / float(np.prod(np.arange(1.0, 2 * n + 2))) + square * terms
    return jnp.where(angle < 0.5, angle * square * terms, jnp.sin(angle) - angle * jnp.cos(angle))


def leaky(negative_slope: float, q_s: jax.Array, q_t: jax.Array, gap: jax.Array) -> Averages:
    """φ(u) = max(u, 0) + a min(u, 0): ReLU (a = 0), absolute value (−1), leaky.

    φ = ((1+a) u + (1−a) |u|)/2, the cross terms vanish, and with p = √(q_s q_t), cos θ = q_st/p
    E[|u_s||u_t|] = (2p/π)(sin θ + (π/2 − θ) cos θ), E[sgn u_s sgn u_t] = 1 − 2θ/π: the
    arc-cosine kernels of Cho & Saul (2009).
    """
    same, even = (1 + negative_slope**2) / 2, ((1 - negative_slope) / 2) ** 2
    mean, across = split_radii(q_s, q_t)
    angle = opening_angle(mean, jnp.maximum(gap - across, 0))
    # Of u_s = −u_t, of which |u| knows nothing, two equal numbers are subtracted: 0 or rounding.
    value_gap = same * gap - even * 2 / np.pi * mean * _sine_minus_angle_cosine(angle)
    return _averages(
        same * q_s,
        jnp.maximum(value_gap, 0),
        jnp.full_like(q_s, same),
        even * 2 / np.pi * angle,
    )


def sin(q_s: jax.Array, q_t: jax.Array, gap: jax.Array) -> Averages:
    """φ = sin: Q = e^{−(q_s+q_t)/2} sinh q_st, Φ = e^{−(q_s+q_t)/2} cosh q_st."""
    rise = -jnp.expm1(-gap) / 2
    damped = rise * jnp.exp(gap - q_s - q_t)
    if q_s is not q_t:  # less (e^{−q_s} − e^{−q_t})²/4
        apart = jnp.exp(-jnp.minimum(q_s, q_t)) * jnp.expm1(-jnp.abs(q_s - q_t))
        damped -= apart**2 / 4
    return _averages(
        -jnp.expm1(-2 * q_s) / 2, rise + damped, (1 + jnp.exp(-2 * q_s)) / 2, rise - damped
    )


class _Own(NamedTuple):
    """Of one sample: δ at q_st = q, by how much δ of the pair is more, and by how much θ is less.

    δ² = (1+q_s)(1+q_t) − q_st²,   sin θ = q_st/√((1+q_s)(1+q_t))
    """

    delta: jax.Array
    rise: jax.Array
    turn: jax.Array


def _arcsine_parts(q_s: jax.Array, q_t: jax.Array, gap: jax.Array) -> tuple[jax.Array, _Own, _Own]:
    """δ of the pair, and what it is compared with of either sample.   [derived]

    Differences of roots are by differences of squares, those of angles by
    tan((A − B)/2) = (sin A − sin B)/(cos A + cos B).
    """
    cross = (q_s + q_t) / 2 - gap
    delta = jnp.sqrt((1 + gap) * (1 + q_s + q_t - gap) - (q_s - q_t) ** 2 / 4)

    def own(q, other):
        squares, sines, ratio = gap * (q + cross), gap, jnp.ones(())
        if q is not other:
            apart, ratio = q - other, jnp.sqrt((1 + other) / (1 + q))
            squares = squares - apart * (1 + (q - cross) / 2)
            sines = sines + apart * (0.5 - q / ((1 + q) * (1 + ratio)))
        own_delta = jnp.sqrt(1 + 2 * q)
        turn = 2 * jnp.arctan(sines / (ratio * own_delta + delta))
        return _Own(own_delta, squares / (own_delta + delta), turn)

    return delta, own(q_s, q_t), own(q_t, q_s)


def erf(q_s: jax.Array, q_t: jax.Array, gap: jax.Array) -> Averages:
    """φ = erf: Q = (2/π) θ, Φ = (4/π)/δ, with δ and θ of twice the variances.

    The arcsine kernel of Williams (1997).
    """
    twice_s = 2 * q_s
    twice_t = twice_s if q_t is q_s else 2 * q_t  # one variance stays one
    delta, s, t = _arcsine_parts(twice_s, twice_t, 2 * gap)
    return _averages(
        2 / np.pi * jnp.arcsin(2 * q_s / (1 + 2 * q_s)),
        (s.turn + t.turn) / np.pi,
        4 / np.pi / s.delta,
        2 / np.pi * (s.rise / s.delta + t.rise / t.delta) / delta,
    )


def gelu(q_s: jax.Array, q_t: jax.Array, gap: jax.Array) -> Averages:
    """φ(u) = u N(u), N the normal distribution function (Tsuchida et al. 2021).

    With δ and θ as in `_Own` and k = 1/(1+q_s) + 1/(1+q_t):
    Q = q_st/4 + (1/2π)[1/δ + δ (1 − k) + q_st θ],  and by Price's theorem
    Φ = dQ/dq_st = 1/4 + (1/2π)[q_st/δ³ + k q_st/δ + θ].

    How far each bracket is below its mean at q_st = q_s and q_t is a mean over s and t of what
    δ and θ differ by, and what is linear in the gap.   [derived]
    """
    delta, *both = _arcsine_parts(q_s, q_t, gap)
    inverse, own_inverse = 1 / delta, 1 / both[0].delta
    own_angle = jnp.arcsin(q_s / (1 + q_s))
    values, slopes = [], []
    for q, own in zip((q_s, q_t), both, strict=True):
        at_own = 1 / own.delta
        first = own.rise * at_own * inverse  # 1/δ_own − 1/δ
        third = first * (at_own**2 + at_own * inverse + inverse**2)  # 1/δ_own³ − 1/δ³
        values.append(first + (1 - q) / (1 + q) * own.rise + q * own.turn)
        slopes.append(q * third + 2 * q / (1 + q) * first + own.turn)
    product = (1 + q_s) * (1 + q_t)
    linear = ((2 + q_s + q_t) * gap - (q_s - q_t) ** 2 / 2) / product  # in k q_st
    value = own_inverse + both[0].delta * (q_s - 1) / (q_s + 1) + q_s * own_angle
    value_gap = (values[0] + values[1]) / 2 + gap * (own_angle - both[0].turn)
    slope = q_s * own_inverse * (own_inverse**2 + 2 / (1 + q_s)) + own_angle
    slope_gap = (slopes[0] + slopes[1]) / 2 + gap * inverse**3 + linear * inverse
    return _averages(
        q_s / 4 + value / (2 * np.pi),
        gap / 4 + value_gap / (2 * np.pi),
        1 / 4 + slope / (2 * np.pi),
        slope_gap / (2 * np.pi),
    )
