"""Closed forms at pairs of samples of different variance, against references in 50 digits."""

import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mpf
from problems import leaky_pair, trapezoid_gaps, unequal_averages
from scipy.special import erf

from meanfield.gaussian.angles import split_gap
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")

NAMES = [name for name, a in ACTIVATIONS.items() if a.closed_form_pairs]


def two_samples(q_s, q_t, gap):
    return jnp.array([q_s, q_t]), jnp.array([[0.0, gap], [gap, 0.0]])


def across(q_s, q_t):
    """The gap of two parallel samples, the least that there is."""
    return (np.sqrt(q_s) - np.sqrt(q_t)) ** 2 / 2


PLACES = [
    (q_s, q_t, across(q_s, q_t) + ratio * np.sqrt(q_s * q_t))
    for q_s, q_t in [(0.3, 2.0), (2.0, 0.3), (1e-3, 4.0), (9.0, 10.0), (0.5, 0.5)]
    for ratio in (1e-6, 0.05, 1.0, 1.6)
]


def assert_gaps(name, place, tolerance):
    found = ACTIVATIONS[name].pair_averages(*two_samples(*place))
    for gaps, exact in zip(found[1:4:2], unequal_averages(name, *place), strict=True):
        assert gaps[0, 0] == gaps[1, 1] == 0
        for gap in (gaps[0, 1], gaps[1, 0]):
            # 1e-49: linear's slope has no gap, to the reference's digits
            off = abs(mpf(float(gap)) - exact)
            assert off <= tolerance * abs(exact) + mpf("1e-49"), (name, place)
    assert found.error == 0


def test_there_are_closed_forms():
    assert NAMES == ["linear", "relu", "leaky_relu", "abs", "erf", "sin"]


@pytest.mark.parametrize("name", NAMES)
def test_gaps_match_the_reference(name):
    # The angle is what is left of the gap after the radius (√q_s − √q_t)²/2: an error of 1 ulp of
    # the gap, or of a root times their difference, is so much larger relative to it.
    for q_s, q_t, gap in PLACES:
        uncertain = gap + np.sqrt(max(q_s, q_t)) * abs(np.sqrt(q_s) - np.sqrt(q_t))
        lost = uncertain / (gap - across(q_s, q_t))
        assert_gaps(name, (q_s, q_t, gap), 1e-13 + np.finfo(float).eps * lost)


@pytest.mark.parametrize("name", NAMES)
def test_tiny_gaps_keep_their_digits(name):
    # Equal variances have nothing to lose; variances that differ by d are told apart to 1e-16/d.
    assert_gaps(name, (2.0, 2.0, 1e-26), 1e-13)
    nearly = 2.0 * (1 + 1e-7)
    for gap in (1e-13, 1e-10, 3 * across(2.0, nearly)):
        assert_gaps(name, (2.0, nearly, gap), 1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_equal_variances_reproduce_the_averages_of_one_variance(name):
    activation = ACTIVATIONS[name]
    for q in (1e-3, 1.3, 40.0):
        for ratio in (1e-12, 0.3, 1.0, 1.9):
            pair = activation.pair_averages(*two_samples(q, q, ratio * q))
            one = activation.averages(jnp.float64(q), jnp.float64(ratio * q))
            for at_pair, at_one in zip(pair[0:3:2], one[0:3:2], strict=True):
                np.testing.assert_allclose(at_pair, at_one, rtol=1e-14)
            for at_pair, at_one in zip(pair[1:4:2], one[1:4:2], strict=True):
                # sin at q = 40: φ' and φ average out to 1/2, so their gaps' differences cancel
                np.testing.assert_allclose(at_pair[0, 1], at_one, rtol=1e-13, atol=1e-15)


def test_values_of_each_sample_are_its_own():
    q = np.array([0.2, 3.0, 1.0])
    K = jnp.asarray(q), jnp.asarray(np.ones((3, 3)) - np.eye(3))
    for name in NAMES:
        many = ACTIVATIONS[name].pair_averages(*K)
        for i, q_i in enumerate(q):
            one = ACTIVATIONS[name].averages(jnp.float64(q_i), jnp.float64(0))
            np.testing.assert_allclose([many.value[i], many.slope[i]], one[0:3:2], rtol=1e-14)


def test_references_agree_with_sums_that_know_no_closed_form():
    # The trapezoid sum is exact to rounding for functions this smooth.
    functions = {
        "erf": lambda u: (erf(u), 2 / np.sqrt(np.pi) * np.exp(-(u**2))),
        "sin": lambda u: (np.sin(u), np.cos(u)),
    }
    for name, function in functions.items():
        for place in [(0.3, 2.0, 0.9), (1.5, 1.2, 0.1)]:
            exact = [float(x) for x in unequal_averages(name, *place)]
            np.testing.assert_allclose(trapezoid_gaps(function, *place), exact, rtol=1e-13)
    # ReLU at unequal variances, by hand: orthogonal samples have E[φ φ] = √(q_s q_t)/2π.
    value, slope = (float(x) for x in unequal_averages("relu", 0.3, 2.0, 1.15))
    assert value == pytest.approx(1.15 / 2 - np.sqrt(0.6) / (2 * np.pi), rel=1e-14)
    assert slope == pytest.approx(0.25, rel=1e-14)
    assert leaky_pair(0, mpf(1), mpf(0))[1] == 0.25


def test_splitting_a_gap_by_radius_and_angle():
    q, gap = two_samples(4.0, 1.0, 0.5 + 2 * 0.25)
    mean, excess, radial = split_gap(q, gap)
    np.testing.assert_array_equal(mean, [[4, 2], [2, 1]])
    np.testing.assert_array_equal(excess, [[0, 0.25], [0.25, 0]])
    np.testing.assert_array_equal(radial, [[0, 0.5], [0.5, 0]])
    # no angle is below 0 or beyond 180 degrees, however rounding falls; a sample of no variance
    # has none
    for q_t, gap, expected in [(1.0, 0.5 - 1e-9, 0), (1.0, 4.5 + 1e-9, 2), (0.0, 2.0, 0)]:
        assert split_gap(*two_samples(4.0, q_t, gap))[1][0, 1] == expected
