"""Gaussian averages of a smooth φ on a uniform grid (theory.md section 8)."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.averages import (
    NARROW,
    RESOLVED,
    Averages,
    Function,
    collect,
    leading,
    narrow_difference,
    value_and_slope,
    value_to_curvature,
    wide_difference,
)

STEP = 0.04  # resolves tanh' at q = 50 (poles at distance π/2√50) to 1e-8 and better
HALF_COUNT = 216  # STEP times it is 8.64, and exp(−8.64²/2) = 6e-17: the tail is below rounding
STRIDES = (1, 2, 4)  # in units of STEP; divisors of HALF_COUNT, so that 0 stays a node


def uniform_grid(f: Function, q: jax.Array, gap: jax.Array) -> Averages:
    """The averages of a smooth φ by the trapezoid rule, which converges spectrally here.

    The pair is u_{s,t} = √(q − g/2) z0 ± √(g/2) z1 with z0, z1 independent standard normal, on
    the coarsest grid that φ allows at this variance.
    """
    single = on_line(f, q)
    rules = [partial(_narrow_grid, f), *(partial(_wide_grid, f, k) for k in STRIDES)]
    choice = jnp.where(gap < NARROW, 0, 1 + _coarsest_stride(f, q))
    return collect(single, jax.lax.switch(choice, rules, q, gap))


def on_line(f: Function, q: jax.Array) -> list:
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
    terms = weight[None, :] * value_to_curvature(f, u) ** 2
    finest = terms.sum(1, keepdims=True)

    def resolves(stride):
        shifted = stride * terms.reshape(3, -1, stride).sum(1)
        return (jnp.abs(shifted - finest) <= RESOLVED * finest).all()

    return leading(resolves(k) for k in STRIDES[1:])


def _wide_grid(f: Function, stride: int, q: jax.Array, gap: jax.Array) -> list:
    z, weight = gaussian_grid(stride)
    half_count = HALF_COUNT // stride
    middle = _common_root(q, gap) * z[:, None]
    half = jnp.sqrt(gap / 2) * z[None, half_count:]
    both_sides = weight[:, None] * weight[None, half_count:]  # even in z1, and 0 at z1 = 0
    averages = []
    for change in wide_difference(f, middle, half):
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
    half = jnp.sqrt(gap / 2) * nodes[None, :]
    averages = []
    for change in narrow_difference(f, middle, half):
        terms = weight * (change**2 * node_weight[None, :] / np.sqrt(2 * np.pi)).sum(1)
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
