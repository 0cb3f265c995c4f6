"""Hermite expansions against closed forms and the averages of samples of one variance."""

import jax.numpy as jnp
import numpy as np
import pytest
from exact_averages import reference_averages, trapezoid_gaps
from scipy.special import factorial

from meanfield.gaussian import hermite
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")

Q = np.array([0.1, 1.0, 4.0])


def test_coefficients_of_the_sine_are_known():
    # sin(√q z) = e^{−q/2} Σ_odd ± √(qⁿ/n!) h_n, cos the even ones.
    found, count = hermite._coefficients(jnp.sin, jnp.asarray(Q))
    n = np.arange(30)[:, None]
    size = np.exp(-Q / 2) * Q ** (n / 2) / np.sqrt(factorial(n)) * (-1.0) ** (n // 2)
    np.testing.assert_allclose(found[:30, 0], np.where(n % 2, size, 0), atol=1e-14)
    np.testing.assert_allclose(found[:30, 1], np.where(n % 2, 0, size), atol=1e-13)
    assert 10 < count < 40  # 4^n/n! is below rounding from n = 30 on


def test_drops_are_the_gaps_at_one_variance():
    # Between samples of one variance the drop is the whole gap.
    for q in (0.1, 4.0):
        for excess in (1e-12, 0.05, 1.9):
            place = np.array([0])
            found = hermite.drops(ACTIVATIONS["tanh"], np.array([q]), place, place, [excess])
            _, value_gap, _, slope_gap = reference_averages("tanh", q, q * excess, digits=30)
            np.testing.assert_allclose(
                found[:, 0], [float(value_gap), float(slope_gap)], rtol=1e-12
            )


def test_pairs_are_those_asked_for_and_the_drop_is_symmetric():
    s, t, excess = np.array([0, 2, 1, 0]), np.array([2, 0, 1, 1]), np.array([0.3, 0.3, 0.7, 0.0])
    found = hermite.drops(jnp.sin, Q, s, t, excess)
    np.testing.assert_allclose(found[:, 0], found[:, 1], rtol=1e-14)
    assert (found[:, 3] == 0).all()
    # e^{−(q_s+q_t)/2} (sinh √(q_s q_t) − sinh (1−e) √(q_s q_t)), and cosh for the slope
    root, damping = np.sqrt(Q[s] * Q[t]), np.exp(-(Q[s] + Q[t]) / 2)
    for drop, function in zip(found, (np.sinh, np.cosh), strict=True):
        exact = damping * (function(root) - function((1 - excess) * root))
        np.testing.assert_allclose(drop, exact, rtol=1e-13, atol=1e-16)


def test_a_large_variance_takes_nearly_all_terms():
    # tanh at q = 50, the largest that is promised: more terms than there are would be needed not
    # far above it.
    _, count = hermite._coefficients(ACTIVATIONS["tanh"], jnp.array([50.0, 1.0, 1.0]))
    assert hermite.TERMS / 2 < count <= hermite.TERMS
    tanh = lambda u: (np.tanh(u), 1 - np.tanh(u) ** 2)  # noqa: E731
    places = np.array([0]), np.array([1]), np.array([0.2])
    drops = hermite.drops(ACTIVATIONS["tanh"], np.array([50.0, 49.0, 1.0]), *places)[:, 0]
    gaps = [
        np.array(trapezoid_gaps(tanh, 50.0, 49.0, (50 + 49) / 2 - c * np.sqrt(50 * 49), step=0.02))
        for c in (0.8, 1.0)
    ]
    np.testing.assert_allclose(drops, gaps[0] - gaps[1], rtol=1e-8)
