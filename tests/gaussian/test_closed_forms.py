"""Closed forms against references and exact identities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_averages import relative_error, unequal_averages
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mpf

from meanfield.gaussian import closed_forms
from meanfield.gaussian.averages import Averages
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")

CLOSED = [name for name, a in ACTIVATIONS.items() if a.closed_form is not None]
ROUNDING = 4 * np.finfo(float).eps
NAMES = Averages._fields[:4]


def closed(name, q, gap):
    """At one variance."""
    return ACTIVATIONS[name].closed_form(q, q, gap)


def test_there_are_closed_forms():
    assert CLOSED == ["linear", "relu", "leaky_relu", "abs", "erf", "sin", "gelu"]


# Samples of one variance; that they agree with quadrature is `test_quadrature`'s.


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_obey_prices_theorem(name):
    # ∂E[φ(u_s) φ(u_t)]/∂q_st = E[φ'(u_s) φ'(u_t)]: values and slopes are not two free choices.
    growth = jax.jit(jax.grad(lambda gap, q: closed(name, q, gap).value_gap))
    for q in (1e-3, 0.4, 7.0, 50.0):
        for ratio in (1e-10, 1e-3, 0.7, 1.0, 1.6):
            averages = closed(name, q, q * ratio)
            cross_slope = averages.slope - averages.slope_gap
            # Absolute: E[φ'φ'] of sin vanishes exponentially while both terms are O(1).
            assert abs(growth(q * ratio, q) - cross_slope) < 1e-10, (q, ratio)


@pytest.mark.parametrize("name", CLOSED)
def test_derivatives_at_opposite_samples_are_finite(name):
    # As two samples leave them behind a mean over samples. An angle's infinite one counts as 0.
    for field in NAMES:
        growth = jax.grad(lambda q, gap, f=field: getattr(closed(name, q, gap), f), argnums=(0, 1))
        assert np.isfinite(growth(1.3, 2.6)).all(), field


@given(st.floats(1e-3, 50))
def test_opposite_samples_have_opposite_odd_activations(q):
    # u_t = −u_s: E[φ(u_s) φ(u_t)] = −E[φ²] for odd φ, E[φ²] for |u|, 0 for ReLU.
    for name, correlation in (("linear", -1), ("erf", -1), ("sin", -1), ("abs", 1), ("relu", 0)):
        averages = closed(name, q, 2 * q)
        cross = averages.value - averages.value_gap
        assert abs(cross - correlation * averages.value) <= 4 * ROUNDING * averages.value, name


@given(st.floats(1e-3, 50), st.floats(-0.9, 0.9))
def test_leaky_relu_interpolates_between_linear_and_absolute(q, negative_slope):
    # φ = ((1+a) u + (1−a) |u|)/2 and E[u_s |u_t|] = 0, so averages mix by the squares.
    linear, absolute = closed_forms.linear(q, q, 0.3 * q), closed("abs", q, 0.3 * q)
    mixed = closed_forms.leaky(negative_slope, q, q, 0.3 * q)
    weights = ((1 + negative_slope) / 2) ** 2, ((1 - negative_slope) / 2) ** 2
    for field in NAMES:
        expected = weights[0] * getattr(linear, field) + weights[1] * getattr(absolute, field)
        assert abs(getattr(mixed, field) - expected) <= ROUNDING * (1 + q), field


@pytest.mark.parametrize("name", CLOSED)
def test_gaps_scale_as_they_must_when_they_vanish(name):
    # φ(u_s) − φ(u_t) → φ'(u)(u_s − u_t): value_gap → g E[φ'²]. Each next order is √(g/q) at most
    # (a kink), 1e-15 here.
    for q, gap in ((1.3, 1.3e-30), (0.7, 1e-300)):
        averages = closed(name, q, gap)
        assert abs(averages.value_gap / (gap * averages.slope) - 1) < 1e-14


# Samples of different variance.


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


@pytest.mark.parametrize("name", CLOSED)
def test_gaps_match_the_reference(name):
    # The angle is what is left of the gap after the radius (√q_s − √q_t)²/2: an error of 1 ulp of
    # the gap, or of a root times their difference, is so much larger relative to it.
    for q_s, q_t, gap in PLACES:
        uncertain = gap + np.sqrt(max(q_s, q_t)) * abs(np.sqrt(q_s) - np.sqrt(q_t))
        lost = uncertain / (gap - across(q_s, q_t))
        assert_gaps(name, (q_s, q_t, gap), 1e-13 + np.finfo(float).eps * lost)


@pytest.mark.parametrize("name", CLOSED)
def test_tiny_gaps_keep_their_digits(name):
    # Equal variances have nothing to lose; variances that differ by d are told apart to 1e-16/d.
    assert_gaps(name, (2.0, 2.0, 1e-26), 1e-13)
    nearly = 2.0 * (1 + 1e-7)
    for gap in (1e-13, 1e-10, 3 * across(2.0, nearly)):
        assert_gaps(name, (2.0, nearly, gap), 1e-8)


@pytest.mark.parametrize("name", CLOSED)
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
    for name in CLOSED:
        many = ACTIVATIONS[name].pair_averages(*K)
        for i, q_i in enumerate(q):
            one = ACTIVATIONS[name].averages(jnp.float64(q_i), jnp.float64(0))
            np.testing.assert_allclose([many.value[i], many.slope[i]], one[0:3:2], rtol=1e-14)


def test_large_variances_do_not_overflow():
    # e^{gap} alone would: it is e^{gap − q_s − q_t} that counts.
    for q_s, q_t in ((900.0, 900.0), (900.0, 1.0)):
        for gap in (across(q_s, q_t) + 1, (q_s + q_t) / 2, q_s + q_t - across(q_s, q_t)):
            exact = unequal_averages("sin", q_s, q_t, gap)
            found = closed_forms.sin(*map(jnp.float64, (q_s, q_t, gap)))
            for value, number in zip(found[1:4:2], exact, strict=True):
                assert relative_error(value, number) < 1e-12


def test_opposite_samples_are_the_same_to_the_absolute_value():
    for q in np.geomspace(1e-3, 1e3, 50):
        gap = 2 * q * (1 - 1e-16)
        assert closed("abs", q, gap).value_gap >= 0
