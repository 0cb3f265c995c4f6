"""The angle between two samples, and a gap's parts by angle and by radius."""

import jax
import jax.numpy as jnp
import numpy as np


def opening_angle(q: jax.Array, gap: jax.Array) -> jax.Array:
    """ϑ with cos ϑ = 1 − g/q. At correlation −1 its infinite derivative is taken as 0."""
    ratio = gap / (2 * q)
    inside = jnp.where(ratio < 1, ratio, 0.5)
    return jnp.where(ratio < 1, 2 * jnp.arcsin(jnp.sqrt(inside)), np.pi)


def gap_at(q: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """g = q (1 − cos ϑ), without cancellation."""
    return 2 * q * np.sin(angle / 2) ** 2


def stretched_angle(q: jax.Array, angle: jax.Array) -> jax.Array:
    """y = (asinh(s sin ϑ/2) − asinh(s cos ϑ/2)) / asinh s with s = √(2q), from −1 to 1.

    At large q the averages change within ϑ ~ 1/√q of both ends: there y is spread out.
    """
    s = jnp.sqrt(2 * q)
    both_ends = jnp.arcsinh(s * jnp.sin(angle / 2)) - jnp.arcsinh(s * jnp.cos(angle / 2))
    return jnp.clip(both_ends / jnp.arcsinh(s), -1, 1)


def angle_at(q: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The angle whose stretched angle is y, by bisection."""
    low, high = np.zeros_like(q), np.full_like(q, np.pi)
    for _ in range(60):
        middle = (low + high) / 2
        below = stretched_angle(jnp.asarray(q), jnp.asarray(middle)) < y
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def leading_power(nearest: np.ndarray, next_nearest: np.ndarray) -> float:
    """p of a gap ~ ϑ^p, from two angles of ratio 2: 2, or 1 where φ itself or φ' jumps."""
    there = nearest > 0
    if not there.any():
        return 2.0
    return float(np.round(np.median(np.log2(next_nearest[there] / nearest[there]))))


def split_radii(q_s: jax.Array, q_t: jax.Array) -> tuple[jax.Array, jax.Array]:
    """√(q_s q_t) and (√q_s − √q_t)²/2, a gap's radial part; exactly q and 0 of one variance."""
    if q_s is q_t:
        return q_s, jnp.zeros(())
    a, b = jnp.sqrt(q_s), jnp.sqrt(q_t)
    return a * b, (a - b) ** 2 / 2


def split_gap(q: jax.Array, gap: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """√(q_s q_t), 1 − q_st/√(q_s q_t) and (√q_s − √q_t)²/2 of all pairs: angle and radius."""
    mean, across = split_radii(q[:, None], q[None, :])
    excess = jnp.where(mean > 0, (gap - across) / jnp.where(mean > 0, mean, 1), 0)
    return mean, jnp.clip(excess, 0, 2), across
