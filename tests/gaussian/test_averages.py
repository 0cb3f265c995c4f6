"""Gaussian averages by quadrature against references of 21 digits that share no step with them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mp, mpf
from problems import SMOOTH, reference_averages
from scipy.special import erf
from scipy.stats import norm

from meanfield.gaussian.averages import NARROW, Averages, derivative, difference
from meanfield.spec.activations import ACTIVATIONS, Activation

pytestmark = pytest.mark.usefixtures("x64")

NAMES = ("value", "value_gap", "slope", "slope_gap")
# Correlations 0.95, 0, −0.5, 0.999999 at the ends of the range of variances that is promised.
PLACES = [(q, q * ratio) for q in (1e-3, 50.0) for ratio in (0.05, 1.0, 1.5, 1e-6)]
CLIP = Activation("clip", lambda u: jnp.clip(u, -1, 1))


def relative_error(value, exact):
    """|value/exact − 1|, in the reference's precision; an exact zero must be met exactly."""
    return float(abs(mpf(float(value)) / exact - 1)) if exact else float(abs(value))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_averages_match_the_reference(name):
    # 1e-8 is what STEP promises for the slopes of tanh at q = 50; the rest is far better.
    activation = ACTIVATIONS[name]
    rules = [activation.quadrature, activation.averages]
    compiled = [jax.jit(rule) for rule in rules[: 1 if activation.closed_form is None else 2]]
    for q, gap in PLACES:
        exact = reference_averages(name, q, gap)
        for rule in compiled:
            *found, _ = rule(q, gap)
            for field, value, number in zip(NAMES, found, exact, strict=True):
                error = relative_error(value, number)
                assert error < 1e-8, (field, q, gap)
    # and the rules' own estimates, which nothing above has shown to be larger, raise no alarm
    for q in (1e-3, 0.1, 1.0, 10.0, 50.0):
        for ratio in (1e-12, 1e-3, 1.0, 1.9):
            assert compiled[0](q, q * ratio).error < 1e-4, (q, ratio)
        assert compiled[0](q, 0.0)[1:4:2] == (0, 0)  # without a gap there are none


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
def test_derivatives_are_those_of_the_functions(name):
    u = jnp.linspace(-6, 6, 25)
    slope = derivative(ACTIVATIONS[name])(u)
    for at, value in zip(u, slope, strict=True):
        exact = float(SMOOTH[name](mpf(float(at)))[1])
        assert abs(value - exact) < 1e-14  # φ' is O(1): a few roundings


def test_difference_does_not_cancel_across_the_switch():
    # 4 Gauss–Legendre nodes leave d⁸ f⁽⁹⁾/9! ~ 1e-13 at the widest d of the narrow branch,
    # REACH √(NARROW/2) = 0.06; a plain difference there has 1e-16/d.
    @jax.jit
    def change(middle, half, gap):
        return difference(jnp.tanh, middle, half, gap)[0]

    for gap in (NARROW * 0.99, NARROW * 1.01, 1e-14):
        for half in (0.06, 1e-3) if gap > 1e-14 else (1e-7, 1e-13):
            with mp.workdps(30):
                exact = mp.tanh(mpf(0.3) + mpf(half)) - mp.tanh(mpf(0.3) - mpf(half))
            assert relative_error(change(0.3, half, gap), exact) < 1e-12


def clip_averages(q):
    """E[φ²], its gap, E[φ'²], its gap for clip(u, −1, 1) and two independent samples."""
    end = 1 / np.sqrt(q)
    inside = erf(end / np.sqrt(2))
    value = q * (inside - 2 * end * norm.pdf(end)) + 1 - inside
    return Averages(value, value, inside, inside * (1 - inside), error=None)


def test_kinks_off_zero_are_flagged_and_not_understated():
    rule = jax.jit(CLIP.averages)
    for q in np.geomspace(0.05, 20, 12):
        found, exact = rule(q, q), clip_averages(q)
        truth = max(abs(getattr(found, f) / getattr(exact, f) - 1) for f in NAMES)
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
