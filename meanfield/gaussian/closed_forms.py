"""Closed forms of the Gaussian averages, in (q, gap), stable as the gap vanishes.

Each function returns the `Averages` of one activation (theory.md section 8); the textbook
covariance forms are rearranged so that no two nearly equal numbers are subtracted.
"""

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.angles import opening_angle
from meanfield.gaussian.averages import Averages


def _averages(value, value_gap, slope, slope_gap) -> Averages:
    return Averages(value, value_gap, slope, slope_gap, error=jnp.zeros_like(value))


def _sine_minus_angle_cosine(angle: jax.Array) -> jax.Array:
    """sin θ − θ cos θ ~ θ³/3, by its series where the difference would cancel."""
    square = jnp.minimum(angle, 0.5) ** 2
    terms = 0.0
    for n in range(8, 0, -1):  # Σ_n (−1)^{n+1} 2n θ^{2n+1} / (2n+1)!
        terms = (-1) ** (n + 1) * 2 * n / float(np.prod(np.arange(1.0, 2 * n + 2))) + square * terms
    return jnp.where(angle < 0.5, angle * square * terms, jnp.sin(angle) - angle * jnp.cos(angle))


def arcsine_difference(a: jax.Array, b: jax.Array, a_minus_b: jax.Array) -> jax.Array:
    """arcsin a − arcsin b, by tan((A − B)/2) = (sin A − sin B)/(cos A + cos B)."""
    return 2 * jnp.arctan(a_minus_b / (jnp.sqrt(1 - a**2) + jnp.sqrt(1 - b**2)))


def leaky(negative_slope: float, q: jax.Array, gap: jax.Array) -> Averages:
    """φ(u) = max(u, 0) + a min(u, 0): linear (a = 1), ReLU (0), absolute value (−1), leaky.

    φ = ((1+a) u + (1−a) |u|)/2, the cross terms vanish, and with cos θ = q_st/q
    E[|u_s||u_t|] = (2q/π)(sin θ + (π/2 − θ) cos θ), E[sgn u_s sgn u_t] = 1 − 2θ/π: the
    arc-cosine kernels of Cho & Saul (2009).
    """
    a = negative_slope
    odd, even = ((1 + a) / 2) ** 2, ((1 - a) / 2) ** 2
    same = (1 + a**2) / 2
    if even == 0:  # linear: no kink, and the angle's derivative at gap → 0 is not needed
        return _averages(q, gap, jnp.ones_like(q), jnp.zeros_like(q))
    angle = opening_angle(q, gap)
    absolute_gap = gap - 2 * q / np.pi * _sine_minus_angle_cosine(angle)
    return _averages(
        same * q,
        odd * gap + even * absolute_gap,
        same * jnp.ones_like(q),
        even * 2 * angle / np.pi,
    )


def erf(q: jax.Array, gap: jax.Array) -> Averages:
    """φ = erf: Q = (2/π) arcsin(2 q_st/(1+2q)), Φ = (4/π)/√((1+2q)² − 4 q_st²).

    The arcsine kernel of Williams (1997).
    """
    cross = q - gap
    same_root = jnp.sqrt(1 + 4 * q)
    root = jnp.sqrt((1 + 2 * gap) * (1 + 4 * q - 2 * gap))  # √((1+2q)² − 4 q_st²)
    a, b = 2 * q / (1 + 2 * q), 2 * cross / (1 + 2 * q)
    difference = 4 * gap * (q + cross) / (same_root * root * (same_root + root))
    return _averages(
        2 / np.pi * jnp.arcsin(a),
        2 / np.pi * arcsine_difference(a, b, 2 * gap / (1 + 2 * q)),
        4 / np.pi / same_root,
        4 / np.pi * difference,
    )


def sin(q: jax.Array, gap: jax.Array) -> Averages:
    """φ = sin: Q = e^{−q} sinh q_st, Φ = e^{−q} cosh q_st."""
    rise = -jnp.expm1(-gap) / 2
    damping = jnp.exp(gap - 2 * q)
    return _averages(
        -jnp.expm1(-2 * q) / 2,
        rise * (1 + damping),
        (1 + jnp.exp(-2 * q)) / 2,
        rise * (1 - damping),
    )


def gelu(q: jax.Array, gap: jax.Array) -> Averages:
    """φ(u) = u N(u), N the normal distribution function (Tsuchida et al. 2021).

    With r = q_st, δ² = (1+q)² − r² and θ = arcsin(r/(1+q)):
    Q = r/4 + (1/2π)[1/δ + δ (q−1)/(q+1) + r θ],  Φ = dQ/dr (Price's theorem).
    """
    r, s = q - gap, 1 + q
    same_delta = jnp.sqrt(1 + 2 * q)
    delta = jnp.sqrt((1 + gap) * (1 + 2 * q - gap))
    rise = gap * (q + r) / (same_delta + delta)  # δ − δ_same, from δ² − δ_same² = q² − r²
    same_angle = jnp.arcsin(q / s)
    turn = arcsine_difference(q / s, r / s, gap / s)
    product = same_delta * delta
    inverse = rise / product  # 1/δ_same − 1/δ
    cubes = rise * (delta**2 + product + same_delta**2) / product**3  # 1/δ_same³ − 1/δ³
    value = q / 4 + (1 / same_delta + same_delta * (q - 1) / s + q * same_angle) / (2 * np.pi)
    value_gap = gap / 4 + (inverse - rise * (q - 1) / s + gap * same_angle + r * turn) / (2 * np.pi)
    slope = 1 / 4 + (q / same_delta**3 + 2 * q / (s * same_delta) + same_angle) / (2 * np.pi)
    slope_gap = (
        gap / same_delta**3 + r * cubes + 2 / s * (gap / same_delta + r * inverse) + turn
    ) / (2 * np.pi)
    return _averages(value, value_gap, slope, slope_gap)
