"""Averages at given means, against a dense grid and differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.gaussian.shifted import ShiftedAverages, shifted_averages

pytestmark = pytest.mark.usefixtures("x64")

MEANS = np.array([-2.0, -0.1, 0.0, 0.7])
FUNCTIONS = {
    "tanh": (jnp.tanh, False, np.tanh, lambda u: 1 - np.tanh(u) ** 2),
    "relu": (jax.nn.relu, True, lambda u: np.maximum(u, 0), lambda u: (u > 0) * 1.0),
}


def averages(name, means, g):
    f, kinked, *_ = FUNCTIONS[name]
    return jax.device_get(shifted_averages(f, kinked, jnp.asarray(means), jnp.asarray(g)))


def dense_grid(m, g):
    """Many midpoints on either side of u = 0, with normal weights."""
    kink = float(np.clip(-m / np.sqrt(g), -9, 9))
    z, weight = [], []
    for low, high in [(-9, kink), (kink, 9)]:
        points = low + (high - low) * (np.arange(200_000) + 0.5) / 200_000
        z.append(points)
        weight.append((high - low) / 200_000 * np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi))
    return np.concatenate(z), np.concatenate(weight)


@pytest.mark.parametrize("g", [0.01, 1.5])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_averages_are_those_of_a_dense_grid(name, g):
    *_, f, slope = FUNCTIONS[name]
    found = averages(name, MEANS, g)
    for at, m in enumerate(MEANS):
        z, weight = dense_grid(m, g)
        u = m + np.sqrt(g) * z
        k, p = weight @ f(u), weight @ slope(u)
        apart, bent = f(u) - k, slope(u) - p
        V = weight @ apart**2
        expected = ShiftedAverages(
            value=k,
            slope=p,
            curvature=weight @ (bent * z) / np.sqrt(g),
            third=weight @ (bent * (z**2 - 1)) / g,
            value_variance=V,
            slope_variance=weight @ bent**2,
            covariance=weight @ (apart * bent),
            cube=weight @ apart**3,
            square_variance=weight @ (apart**2 - V) ** 2,
            slope_square=weight @ (bent * apart**2),
            by_mean=2 * (weight @ (apart * slope(u) * z) / np.sqrt(g) - p**2),
            by_variance=weight @ (apart**2 * (z**2 - 1)) / (2 * g),
        )
        for field in ShiftedAverages._fields:
            # The midpoints err by (18/200_000)²/24 = 3e-10, times 100 where divided by g.
            np.testing.assert_allclose(
                getattr(found, field)[at], getattr(expected, field), atol=3e-8, err_msg=field
            )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_those_of_the_means(name):
    # Central differences at h = 1e-3: their own error is h²/6 of two derivatives more.
    h, g = 1e-3, 0.8
    below, here, above = (averages(name, MEANS + by, g) for by in (-h, 0, h))
    for lower, higher in [("value", "slope"), ("slope", "curvature"), ("curvature", "third")]:
        difference = (getattr(above, lower) - getattr(below, lower)) / (2 * h)
        np.testing.assert_allclose(getattr(here, higher), difference, atol=2e-6)
    V = [x.value_variance for x in (below, here, above)]
    np.testing.assert_allclose(here.by_mean, (V[0] - 2 * V[1] + V[2]) / h**2, atol=2e-6)
    more, less = (averages(name, MEANS, g + by).value_variance for by in (h, -h))
    np.testing.assert_allclose(here.by_variance, (more - less) / (2 * h), atol=2e-6)


def test_without_variance_derivatives_are_the_functions_own():
    found = averages("tanh", MEANS, 0.0)
    slope = 1 - np.tanh(MEANS) ** 2
    np.testing.assert_allclose(found.slope, slope, rtol=1e-11)  # a variance of 1e-12 is the least
    np.testing.assert_allclose(found.curvature, -2 * np.tanh(MEANS) * slope, atol=1e-6)
    np.testing.assert_allclose(found.value_variance, 0, atol=1e-13)
