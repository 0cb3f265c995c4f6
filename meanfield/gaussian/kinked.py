"""Gaussian averages of a φ with a kink at zero, sector by sector (theory.md section 8)."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.angles import opening_angle
from meanfield.gaussian.averages import (
    RESOLVED,
    Averages,
    Function,
    collect,
    difference,
    leading,
    value_and_slope,
    value_to_curvature,
)

REACH = 8.5  # exp(−REACH²/2) = 2e-16: where Gauss–Legendre quadrature ends
COUNTS = (96, 36)  # of Gauss–Legendre nodes along a radius
BESIDE_ZERO = 1e-5 / 4 ** np.arange(4)  # where both sides of a kink are told apart
LEAST_JUMP = 1e-8  # of the largest of φ, φ' and φ'' there: less is rounding


def jumps_at_zero(f: Function) -> tuple[bool, bool, bool]:
    """Whether φ, φ' and φ'' jump at 0, in float64.

    From +ε to −ε what is smooth differs by a multiple of ε, a jump by as much at every ε, and
    what an integrable singularity has there by more at smaller ones. Rounding has no such order.
    """
    with jax.enable_x64(True):
        sides = np.stack([-BESIDE_ZERO, BESIDE_ZERO])
        values = np.asarray(jax.jit(partial(value_to_curvature, f))(sides), dtype=float)
    change = values[:, 1] - values[:, 0]
    far, near = change[:, :-1] * np.sign(change[:, 1:]), abs(change[:, 1:])
    lasts = (far / 2 < near) & (near < 4 * far)
    large = abs(change).min(axis=1) > LEAST_JUMP * abs(values).max()
    value, slope, curvature = (lasts.all(axis=1) & large).tolist()
    return value, slope, curvature


def sectors(f: Function, q: jax.Array, gap: jax.Array) -> Averages:
    """The averages of a φ that is smooth on either side of a kink at zero.

    In polar coordinates u_{s,t} = √q r cos(θ ± ϑ/2), cos ϑ = 1 − g/q, the kinks lie on rays:
    Gauss–Legendre quadrature inside each sector is then spectrally accurate. It takes the
    fewest nodes that φ allows at this variance; the error is estimated from fewer still.
    """
    single = on_both_sides(f, q)
    rules = [partial(_in_sectors_with_error, f, count) for count in COUNTS]
    return collect(single, jax.lax.switch(fewest_nodes(f, q), rules, q, gap))


def fewest_nodes(f: Function, q: jax.Array) -> jax.Array:
    """The index of the last of COUNTS up to which E[φ²], E[φ'²] and E[φ''²] lose nothing.

    That is along the radius, and by angle at a few radii.
    """
    along = jnp.stack([_on_half_lines(f, q, count) for count in COUNTS])
    across = jnp.stack([_on_quarter_circles(f, q, count // 2) for count in COUNTS])
    by_count = jax.lax.stop_gradient(jnp.concatenate([along, across], axis=1))
    resolved = (jnp.abs(by_count - by_count[:1]) <= RESOLVED * by_count[:1]).all(1)
    return leading(resolved[1:])


def on_both_sides(f: Function, q: jax.Array) -> list:
    """E[φ²] and E[φ'²], each with its error."""
    by_count = jnp.stack([_on_half_lines(f, q, count) for count in COUNTS])
    change = jnp.abs(by_count - by_count[:1])
    return list(zip(by_count[0, :2], change[1, :2], strict=True))


def _on_half_lines(f: Function, q: jax.Array, count: int) -> jax.Array:
    """E[φ²], E[φ'²] and E[φ''²]."""
    z, weight = _radial(count)
    values = value_to_curvature(f, jnp.sqrt(q) * np.stack([z, -z]))
    return (weight[None, None, :] * values**2).sum((1, 2)) / np.sqrt(2 * np.pi)


def _on_quarter_circles(f: Function, q: jax.Array, count: int) -> jax.Array:
    """The same three averages in polar coordinates, with `count` nodes by angle."""
    r, radial_weight = _radial(8)
    nodes, angle_weight = np.polynomial.legendre.leggauss(count)
    u = r[:, None] * np.cos(np.pi / 4 * (nodes + 1))
    values = value_to_curvature(f, jnp.sqrt(q) * np.stack([u, -u]))
    weight = (r * radial_weight)[:, None] * angle_weight
    return (weight[None, None, :, :] * values**2).sum((1, 2, 3))


def _radial(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of ∫₀^∞ f(r) exp(−r²/2) dr."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    r = REACH * (nodes + 1) / 2
    return r, REACH / 2 * weights * np.exp(-(r**2) / 2)


def line_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for E[f(z)], z ~ N(0, 1), for an f with a kink at zero."""
    z, weight = _radial(COUNTS[0])
    return np.concatenate([-z, z]), np.tile(weight, 2) / np.sqrt(2 * np.pi)


def drop_in_sectors(
    f: Function, rule: jax.Array, q_s: jax.Array, q_t: jax.Array, excess: jax.Array
) -> jax.Array:
    """½ E[(f(√q_s z) − f(√q_s z'))(f(√q_t z) − f(√q_t z'))], z and z' of correlation 1 − excess.

    It is by how much E[f(u_s) f(u_t)] falls below its value at correlation 1; of f and f'.

    Args:
        f: A function with a kink at zero.
        rule: What `fewest_nodes` says of the larger variance.
        q_s, q_t, excess: Of one pair.
    """
    opening = 2 * jnp.arcsin(jnp.sqrt(excess / 2))
    pair = jnp.sqrt(q_s), jnp.sqrt(q_t)
    rules = [lambda gap, n=n: jnp.stack(_in_sectors(f, n, pair, opening, gap)) for n in COUNTS]
    return jax.lax.switch(rule, rules, jnp.maximum(q_s, q_t) * excess)


def _in_sectors_with_error(f: Function, count: int, q: jax.Array, gap: jax.Array) -> list:
    opening, root = opening_angle(q, gap), (jnp.sqrt(q),)
    fine, coarse = (_in_sectors(f, n, root, opening, gap) for n in (count, count * 2 // 3))
    return [(a, jnp.abs(a - b)) for a, b in zip(fine, coarse, strict=True)]


def _in_sectors(
    f: Function, count: int, roots: tuple[jax.Array, ...], opening: jax.Array, gap: jax.Array
) -> list:
    """The two gaps, by `count` radial nodes and half as many in each sector.

    Args:
        roots: √q of the pair: one number, or two whose changes are multiplied.
    """
    sine, cosine = jnp.sin(opening / 2), jnp.cos(opening / 2)
    r, radial_weight = _radial(count)
    nodes, angle_weight = np.polynomial.legendre.leggauss(count // 2)
    weight = (r * radial_weight)[:, None] * angle_weight / (2 * np.pi)
    width = (np.pi - opening) / 2  # same sign: 0 < θ < width, and its mirror image
    angle = (width * (nodes + 1) / 2)[None, :]
    # opposite signs: a sector of the opening, and its mirror image
    inner = (opening / 2 * nodes)[None, :]
    by_root = []
    for root in roots:
        scale = root * r[:, None]
        middle, half = scale * jnp.cos(angle) * cosine, scale * jnp.sin(angle) * sine
        same_sign = difference(f, jnp.stack([middle, -middle]), half[None, :, :], gap)
        at_s = value_and_slope(f, -scale * jnp.sin(opening / 2 + inner))
        at_t = value_and_slope(f, scale * jnp.sin(opening / 2 - inner))
        opposite = [t - s for s, t in zip(at_s, at_t, strict=True)]
        by_root.append(list(zip(same_sign, opposite, strict=True)))
    return [
        (weight * (width / 2 * (same * same_).sum(0) + opening / 2 * across * across_)).sum()
        for (same, across), (same_, across_) in zip(by_root[0], by_root[-1], strict=True)
    ]
