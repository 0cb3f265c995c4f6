"""Gaussian averages of an activation, by quadrature (theory.md section 8).

For u = (u_s, u_t) jointly Gaussian with variance q and covariance q − g every rule returns

    E[φ(u)²],   ½ E[(φ(u_s) − φ(u_t))²],   E[φ'(u)²],   ½ E[(φ'(u_s) − φ'(u_t))²],

so that the gap of an average is never a difference of two averages.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Function = Callable[[jax.Array], jax.Array]

STEP = 0.04  # resolves tanh' at q = 50 (poles at distance π/2√50) to 1e-8 and better
HALF_COUNT = 216  # STEP times it is 8.64, and exp(−8.64²/2) = 6e-17: the tail is below rounding
STRIDES = (1, 2, 4)  # in units of STEP; divisors of HALF_COUNT, so that 0 stays a node
REACH = 8.5  # exp(−REACH²/2) = 2e-16: where Gauss–Legendre quadrature ends
COUNTS = (96, 36)  # of Gauss–Legendre nodes along a radius
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


def difference(f: Function, middle: jax.Array, half: jax.Array, gap: jax.Array) -> tuple:
    """f(m + d) − f(m − d), and the same of f', without cancellation where the gap ~ d² is small."""
    narrow, wide = partial(_narrow_difference, f), partial(_wide_difference, f)
    return jax.lax.cond(gap < NARROW, narrow, wide, middle, half)


def _wide_difference(f: Function, middle: jax.Array, half: jax.Array) -> tuple:
    above, below = value_and_slope(f, middle + half), value_and_slope(f, middle - half)
    return above[0] - below[0], above[1] - below[1]


def _narrow_difference(f: Function, middle: jax.Array, half: jax.Array) -> tuple:
    """d ∫_{-1}^{1} f'(m + d x) dx, and the same of f', by Gauss–Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    integral = integral_of_slope = jnp.zeros(())
    for x, weight in zip(nodes, weights, strict=True):
        slope, curvature = value_and_slope(derivative(f), middle + half * x)
        integral += weight * slope
        integral_of_slope += weight * curvature
    return half * integral, half * integral_of_slope


def opening_angle(q: jax.Array, gap: jax.Array) -> jax.Array:
    """ϑ with cos ϑ = 1 − g/q. At correlation −1 its infinite derivative is taken as 0."""
    ratio = gap / (2 * q)
    inside = jnp.where(ratio < 1, ratio, 0.5)
    return jnp.where(ratio < 1, 2 * jnp.arcsin(jnp.sqrt(inside)), np.pi)


def uniform_grid(f: Function, q: jax.Array, gap: jax.Array) -> Averages:
    """The averages of a smooth φ by the trapezoid rule, which converges spectrally here.

    The pair is u_{s,t} = √(q − g/2) z0 ± √(g/2) z1 with z0, z1 independent standard normal, on
    the coarsest grid that φ allows at this variance.
    """
    single = _on_line(f, q)
    rules = [partial(_narrow_grid, f), *(partial(_wide_grid, f, k) for k in STRIDES)]
    choice = jnp.where(gap < NARROW, 0, 1 + _coarsest_stride(f, q))
    return _collect(single, jax.lax.switch(choice, rules, q, gap))


def _on_line(f: Function, q: jax.Array) -> list:
    """E[φ²] and E[φ'²], each with its error."""
    z, weight = gaussian_grid(1)
    single = []
    for values in value_and_slope(f, jnp.sqrt(q) * z):
        terms = weight * values**2
        average, error = _with_error([k * terms[::k].sum() for k in (1, 2, 4)])
        single.append((average, error + (terms[0] + terms[-1]) / STEP))
    return single


def gaussian_grid(stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the trapezoid rule for E[f(z)], z ~ N(0, 1)."""
    count, step = HALF_COUNT // stride, STEP * stride
    z = step * np.arange(-count, count)
    return z, step * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _coarsest_stride(f: Function, q: jax.Array) -> jax.Array:
    """The index of the last stride up to which E[φ²], E[φ'²] and E[φ''²] lose nothing.

    A stride k splits the finest grid into k coarse ones, shifted against each other. Their sums
    deviate by the Fourier amplitude of the integrand at the coarse grid's frequency: the error
    of the coarse rule, which no accident of phase can hide.
    """
    z, weight = gaussian_grid(1)
    u = jnp.sqrt(jax.lax.stop_gradient(q)) * z
    terms = weight * _value_to_curvature(f, u) ** 2
    finest = terms.sum(1, keepdims=True)

    def resolves(stride):
        shifted = stride * terms.reshape(3, -1, stride).sum(1)
        return (jnp.abs(shifted - finest) <= RESOLVED * finest).all()

    return _leading(resolves(k) for k in STRIDES[1:])


def _value_to_curvature(f: Function, u: jax.Array) -> jax.Array:
    """φ, φ' and φ''."""
    return jnp.stack([f(u), *value_and_slope(derivative(f), u)])


def _leading(conditions) -> jax.Array:
    """How many of the conditions hold before the first that does not."""
    return jnp.cumprod(jnp.stack(list(conditions)).astype(int)).sum()


def _wide_grid(f: Function, stride: int, q: jax.Array, gap: jax.Array) -> list:
    z, weight = gaussian_grid(stride)
    half_count = HALF_COUNT // stride
    middle = _common_root(q, gap) * z[:, None]
    half = jnp.sqrt(gap / 2) * z[half_count:]
    both_sides = weight[:, None] * weight[half_count:]  # even in z1, and 0 at z1 = 0
    averages = []
    for change in _wide_difference(f, middle, half):
        terms = both_sides * change**2
        if stride == 1:
            averages.append(_with_error([k**2 * terms[::k, ::k].sum() for k in (1, 2, 4)]))
        else:
            averages.append((terms.sum(), RESOLVED * terms.sum()))
    return averages


def _narrow_grid(f: Function, q: jax.Array, gap: jax.Array) -> list:
    """Of z1 the difference is almost a linear function: few Gauss–Hermite nodes integrate it."""
    z, weight = gaussian_grid(1)
    nodes, node_weight = (x[4:] for x in np.polynomial.hermite_e.hermegauss(8))
    middle = _common_root(q, gap) * z[:, None]
    half = jnp.sqrt(gap / 2) * nodes
    averages = []
    for change in _narrow_difference(f, middle, half):
        terms = weight * (change**2 * node_weight / np.sqrt(2 * np.pi)).sum(1)
        averages.append(_with_error([k * terms[::k].sum() for k in (1, 2, 4)]))
    return averages


def _common_root(q: jax.Array, gap: jax.Array) -> jax.Array:
    """√(q − g/2): 0 at correlation −1, where its infinite derivative is taken as 0."""
    common = q - gap / 2
    return jnp.where(common > 0, jnp.sqrt(jnp.where(common > 0, common, 1)), 0)


def _with_error(sums: list) -> tuple[jax.Array, jax.Array]:
    """A trapezoid rule's average, and its error from the same grid at 2 and 4 times the step.

    For algebraic convergence, as at a kink, E(2h)²/E(4h) is the error at step h, and for
    spectral convergence it is far above it.
    """
    fine, coarse, coarser = sums
    e2, e4 = jnp.abs(coarse - fine), jnp.abs(coarser - fine)
    return fine, jnp.where(e2 < e4, e2 * e2 / jnp.where(e4 > 0, e4, 1), e2)


def sectors(f: Function, q: jax.Array, gap: jax.Array) -> Averages:
    """The averages of a φ that is smooth on either side of a kink at zero.

    In polar coordinates u_{s,t} = √q r cos(θ ± ϑ/2), cos ϑ = 1 − g/q, the kinks lie on rays:
    Gauss–Legendre quadrature inside each sector is then spectrally accurate. It takes the
    fewest nodes that φ allows at this variance; the error is estimated from fewer still.
    """
    single = _on_both_sides(f, q)
    rules = [partial(_in_sectors_with_error, f, count) for count in COUNTS]
    return _collect(single, jax.lax.switch(fewest_nodes(f, q), rules, q, gap))


def fewest_nodes(f: Function, q: jax.Array) -> jax.Array:
    """The index of the last of COUNTS up to which E[φ²], E[φ'²] and E[φ''²] lose nothing.

    That is along the radius, and by angle at a few radii.
    """
    along = jnp.stack([_on_half_lines(f, q, count) for count in COUNTS])
    across = jnp.stack([_on_quarter_circles(f, q, count // 2) for count in COUNTS])
    by_count = jax.lax.stop_gradient(jnp.concatenate([along, across], axis=1))
    resolved = (jnp.abs(by_count - by_count[0]) <= RESOLVED * by_count[0]).all(1)
    return _leading(resolved[1:])


def _on_both_sides(f: Function, q: jax.Array) -> list:
    """E[φ²] and E[φ'²], each with its error."""
    by_count = jnp.stack([_on_half_lines(f, q, count) for count in COUNTS])
    change = jnp.abs(by_count - by_count[0])
    return list(zip(by_count[0, :2], change[1, :2], strict=True))


def single_averages(f: Function, kinked: bool, q: jax.Array) -> list:
    """E[φ²] and E[φ'²] at one variance, each with its error."""
    return (_on_both_sides if kinked else _on_line)(f, q)


def line_nodes(kinked: bool) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for E[f(z)], z ~ N(0, 1), for f smooth or with a kink at zero."""
    if not kinked:
        return gaussian_grid(1)
    z, weight = _radial(COUNTS[0])
    return np.concatenate([-z, z]), np.tile(weight, 2) / np.sqrt(2 * np.pi)


def _radial(count: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    r = REACH * (nodes + 1) / 2
    return r, REACH / 2 * weights * np.exp(-(r**2) / 2)


def _on_half_lines(f: Function, q: jax.Array, count: int) -> jax.Array:
    """E[φ²], E[φ'²] and E[φ''²]."""
    z, weight = _radial(count)
    values = _value_to_curvature(f, jnp.sqrt(q) * np.stack([z, -z]))
    return (weight * values**2).sum((1, 2)) / np.sqrt(2 * np.pi)


def _on_quarter_circles(f: Function, q: jax.Array, count: int) -> jax.Array:
    """The same three averages in polar coordinates, with `count` nodes by angle."""
    r, radial_weight = _radial(8)
    nodes, angle_weight = np.polynomial.legendre.leggauss(count)
    u = r[:, None] * np.cos(np.pi / 4 * (nodes + 1))
    values = _value_to_curvature(f, jnp.sqrt(q) * np.stack([u, -u]))
    return ((r * radial_weight)[:, None] * angle_weight * values**2).sum((1, 2, 3))


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
    angle = width * (nodes + 1) / 2
    inner = opening / 2 * nodes  # opposite signs: a sector of the opening, and its mirror image
    by_root = []
    for root in roots:
        scale = root * r[:, None]
        middle, half = scale * jnp.cos(angle) * cosine, scale * jnp.sin(angle) * sine
        same_sign = difference(f, jnp.stack([middle, -middle]), half, gap)
        at_s = value_and_slope(f, -scale * jnp.sin(opening / 2 + inner))
        at_t = value_and_slope(f, scale * jnp.sin(opening / 2 - inner))
        opposite = [t - s for s, t in zip(at_s, at_t, strict=True)]
        by_root.append(list(zip(same_sign, opposite, strict=True)))
    return [
        (weight * (width / 2 * (same * same_).sum(0) + opening / 2 * across * across_)).sum()
        for (same, across), (same_, across_) in zip(by_root[0], by_root[-1], strict=True)
    ]


def _collect(single: list, pair: list) -> Averages:
    """From (average, error) of φ and φ', at one sample and at a pair."""
    results = [single[0], pair[0], single[1], pair[1]]
    relative = [jnp.where(value > 0, error / value, 0) for value, error in results]
    value, value_gap, slope, slope_gap = (average for average, _ in results)
    return Averages(value, value_gap, slope, slope_gap, jnp.max(jnp.stack(relative)))
