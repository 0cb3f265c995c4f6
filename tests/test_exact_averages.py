"""The references themselves, against other routes."""

import numpy as np
import pytest
from exact_averages import (
    SMOOTH,
    elu_pair,
    leaky_pair,
    reference_averages,
    relative_error,
    trapezoid_gaps,
    unequal_averages,
    unequal_pair,
)
from mpmath import mp, mpf
from scipy.special import erf

FUNCTIONS = {  # with their derivatives, in double precision
    "tanh": lambda u: (np.tanh(u), 1 - np.tanh(u) ** 2),
    "erf": lambda u: (erf(u), 2 / np.sqrt(np.pi) * np.exp(-(u**2))),
    "sin": lambda u: (np.sin(u), np.cos(u)),
    "sigmoid": lambda u: (1 / (1 + np.exp(-u)), 1 / (2 + np.exp(u) + np.exp(-u))),
    "softplus": lambda u: (np.logaddexp(u, 0), 1 / (1 + np.exp(-u))),
    "silu": lambda u: (u / (1 + np.exp(-u)), (1 + u / (1 + np.exp(u))) / (1 + np.exp(-u))),
    "gelu": lambda u: (
        u * (1 + erf(u / np.sqrt(2))) / 2,
        (1 + erf(u / np.sqrt(2))) / 2 + u * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi),
    ),
}


def test_relative_errors_are_told_in_the_precision_of_the_reference():
    with mp.workdps(30):
        assert relative_error(1.0, 1 + mpf("1e-20")) == pytest.approx(1e-20, rel=1e-6)
    assert relative_error(1e-300, 0) == 1e-300


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_are_those_of_the_functions(name):
    with mp.workdps(30):
        for u in (mpf("-2.3"), mpf("0.1"), mpf("1.7")):
            slope = mp.diff(lambda v: SMOOTH[name](v)[0], u)
            assert abs(SMOOTH[name](u)[1] - slope) < mpf("1e-12")


def test_references_agree_where_two_of_them_exist():
    # The lattice sums know nothing of Williams' arcsine kernel, nor e^{−q} sinh q_st of them.
    q, gap = 2.0, 1e-6
    with mp.workdps(40):
        args = [2 * (mpf(q) - mpf(g)) / (1 + 2 * q) for g in (0, gap)]
        arcsine = [2 / mp.pi * mp.asin(a) for a in args]
        sine = [mp.exp(-q) * mp.sinh(mpf(q) - mpf(g)) for g in (0, gap)]
        for name, (same, pair) in (("erf", arcsine), ("sin", sine)):
            value, value_gap, *_ = reference_averages(name, q, gap)
            assert abs(value / same - 1) < mpf("1e-21")
            assert abs(value_gap / (same - pair) - 1) < mpf("1e-14")  # 21 digits less the gap's 7


@pytest.mark.parametrize("name", SMOOTH)
def test_lattice_sums_agree_with_a_plain_double_sum(name):
    # In double precision and exact to rounding: the functions are smooth on the scale of its step.
    for q, gap in ((0.7, 0.2), (1.5, 2.4)):
        _, value_gap, _, slope_gap = map(float, reference_averages(name, q, gap))
        found = trapezoid_gaps(FUNCTIONS[name], q, q, gap)
        np.testing.assert_allclose(found, [value_gap, slope_gap], rtol=1e-12)


def test_references_of_unequal_variances_agree_with_sums_that_know_no_closed_form():
    for name in ("erf", "sin", "gelu"):
        for place in [(0.3, 2.0, 0.9), (1.5, 1.2, 0.1)]:
            exact = [float(x) for x in unequal_averages(name, *place)]
            np.testing.assert_allclose(trapezoid_gaps(FUNCTIONS[name], *place), exact, rtol=1e-13)
    # ReLU at unequal variances, by hand: orthogonal samples have E[φ φ] = √(q_s q_t)/2π.
    value, slope = (float(x) for x in unequal_averages("relu", 0.3, 2.0, 1.15))
    assert value == pytest.approx(1.15 / 2 - np.sqrt(0.6) / (2 * np.pi), rel=1e-14)
    assert slope == pytest.approx(0.25, rel=1e-14)
    with pytest.raises(KeyError):
        unequal_pair("tanh", mpf(1), mpf(1), mpf(0))


def test_leaky_averages_are_known_at_three_correlations():
    # φ(u) = max(u, 0) + a min(u, 0) at correlation 1, 0 and −1.
    a, q = mpf("0.1"), mpf(3)
    expected = {
        q: ((1 + a**2) / 2 * q, (1 + a**2) / 2),
        mpf(0): (q * (1 - a) ** 2 / (2 * mp.pi), (1 + a) ** 2 / 4),
        -q: (-a * q, a),
    }
    for cross, exact in expected.items():
        for found, number in zip(leaky_pair(a, q, cross), exact, strict=True):
            assert abs(found - number) < mpf("1e-14")


def test_elu_averages_are_plain_integrals():
    # At correlation 1: one integral, E[expm1(u)²; u < 0] + q/2. At 0: a mean squared.
    q = mpf("0.8")
    with mp.workdps(25):
        density = lambda u: mp.npdf(u, 0, mp.sqrt(q))  # noqa: E731
        below = lambda f: mp.quad(lambda u: density(u) * f(u), [-12, -3, 0])  # noqa: E731
        mean = below(mp.expm1) + mp.sqrt(q / (2 * mp.pi))
        mean_slope = below(mp.exp) + mpf(1) / 2
        same = below(lambda u: mp.expm1(u) ** 2) + q / 2, below(lambda u: mp.exp(2 * u)) + mpf(0.5)
        for found, exact in (
            (elu_pair(q, q), same),
            (elu_pair(q, mpf(0)), (mean**2, mean_slope**2)),
        ):
            for number, truth in zip(found, exact, strict=True):
                assert abs(number - truth) < mpf("1e-18")
