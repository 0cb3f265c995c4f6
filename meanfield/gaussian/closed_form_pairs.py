"""Closed forms of the Gaussian averages at pairs of samples of different variance.

Each function takes the variances q (T) and the gaps (q_s + q_t)/2 − q_st (T×T) and returns the
`Averages` of one activation: value and slope per sample, their gaps per pair. As in
`meanfield.gaussian.closed_forms` no two nearly equal numbers are subtracted.
"""

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian import closed_forms
from meanfield.gaussian.angles import split_gap
from meanfield.gaussian.averages import Averages
from meanfield.gaussian.closed_forms import arcsine_difference


def leaky(negative_slope: float, q: jax.Array, gap: jax.Array) -> Averages:
    """φ(u) = max(u, 0) + a min(u, 0), homogeneous: φ(√q z) = √q φ(z)."""
    mean, excess, across = split_gap(q, gap)
    pairs = closed_forms.leaky(negative_slope, mean, mean * excess)
    same = (1 + negative_slope**2) / 2
    return Averages(
        value=same * q,
        value_gap=pairs.value_gap + same * across,
        slope=jnp.full_like(q, same),
        slope_gap=pairs.slope_gap,
        error=jnp.zeros(()),
    )


def erf(q: jax.Array, gap: jax.Array) -> Averages:
    """Q = (2/π) arcsin(2 q_st/√(p_s p_t)), Φ = (4/π)/√(p_s p_t − 4 q_st²), p = 1 + 2q."""
    q_s, q_t = q[:, None], q[None, :]
    cross = (q_s + q_t) / 2 - gap
    norm = jnp.sqrt((1 + 2 * q_s) * (1 + 2 * q_t))
    root = jnp.sqrt(norm**2 - 4 * cross**2)

    def from_one(a, b):  # ½ [average at a − average at the pair], for φ and φ'
        apart = a - b
        rise = 2 / norm * (gap + apart * (0.5 - 2 * a / (1 + 2 * a + norm)))
        value = arcsine_difference(2 * a / (1 + 2 * a), 2 * cross / norm, rise) / np.pi
        own = jnp.sqrt(1 + 4 * a)
        squares = 4 * gap * (a + cross) - 2 * apart * (1 + a - cross)  # root² − own²
        return value, 2 / np.pi * squares / (own * root * (own + root))

    at_s, at_t = from_one(q_s, q_t), from_one(q_t, q_s)
    return Averages(
        value=2 / np.pi * jnp.arcsin(2 * q / (1 + 2 * q)),
        value_gap=at_s[0] + at_t[0],
        slope=4 / np.pi / jnp.sqrt(1 + 4 * q),
        slope_gap=at_s[1] + at_t[1],
        error=jnp.zeros(()),
    )


def sin(q: jax.Array, gap: jax.Array) -> Averages:
    """Q = e^{−(q_s+q_t)/2} sinh q_st, Φ = e^{−(q_s+q_t)/2} cosh q_st."""
    q_s, q_t = q[:, None], q[None, :]
    rise = -jnp.expm1(-gap) / 2
    damped = jnp.exp(-q_s - q_t) / 2 * (jnp.expm1(gap) - 2 * jnp.sinh((q_s - q_t) / 2) ** 2)
    return Averages(
        value=-jnp.expm1(-2 * q) / 2,
        value_gap=rise + damped,
        slope=(1 + jnp.exp(-2 * q)) / 2,
        slope_gap=rise - damped,
        error=jnp.zeros(()),
    )
