"""The uniform grid: what it says of its error where it does not reach."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_averages import relative_error
from mpmath import mp
from scipy.special import erf
from scipy.stats import norm

from meanfield.gaussian.averages import Averages
from meanfield.gaussian.smooth import STRIDES, gaussian_grid, uniform_grid
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")


def clip(u):
    return jnp.clip(u, -1, 1)


def clip_averages(q):
    """E[φ²], its gap, E[φ'²], its gap for clip(u, −1, 1) and two independent samples."""
    end = 1 / np.sqrt(q)
    inside = erf(end / np.sqrt(2))
    value = q * (inside - 2 * end * norm.pdf(end)) + 1 - inside
    return Averages(value, value, inside, inside * (1 - inside), error=None)


def test_kinks_off_zero_are_flagged_and_not_understated():
    rule = jax.jit(lambda q, gap: uniform_grid(clip, q, gap))
    for q in np.geomspace(0.05, 20, 12):
        found, exact = rule(q, q), clip_averages(q)
        truth = max(abs(x / y - 1) for x, y in zip(found[:4], exact[:4], strict=True))
        assert truth > 1e-4  # the grid is indeed unfit for this function
        assert found.error > 1e-4
        assert found.error > truth / 10  # an estimate, but of the right order


def tanh_slope(q):
    """E[tanh'(u)²], u ~ N(0, q): sech⁴ has died out at |u| = 20."""
    density = lambda u: mp.npdf(u, 0, mp.sqrt(q)) * mp.sech(u) ** 4  # noqa: E731
    return mp.quad(density, [-20, -2, 0, 2, 20])


def test_variances_too_large_for_the_grid_are_flagged():
    rule = jax.jit(ACTIVATIONS["tanh"].averages)
    for q in (200.0, 1e3, 1e4):
        found = rule(q, q)
        truth = relative_error(found.slope, tanh_slope(q))
        assert found.error > 1e-4
        assert found.error > truth / 10


def test_moments_of_the_normal_distribution_are_exact_on_every_grid():
    for stride in STRIDES:
        z, weight = gaussian_grid(stride)
        for power, moment in ((0, 1), (2, 1), (4, 3), (6, 15)):
            np.testing.assert_allclose((weight * z**power).sum(), moment, rtol=1e-11)
