"""Closed forms against quadrature, which knows nothing of them, and against exact identities."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanfield.gaussian import closed_forms
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")

CLOSED = [name for name, a in ACTIVATIONS.items() if a.closed_form is not None]
ROUNDING = 4 * np.finfo(float).eps


def places(count=96):
    """Variances in [1e-3, 50] and correlations from 1 − 1e-12 to −1 + 1e-12, most near an end."""
    rng = np.random.default_rng(0)
    q = np.exp(rng.uniform(np.log(1e-3), np.log(50), count))
    near = 10 ** rng.uniform(-12, 0, count)
    ratio = np.choose(np.arange(count) % 3, [near, 2 - near, rng.uniform(0, 2, count)])
    return q, q * ratio


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_agree_with_quadrature(name):
    q, gap = places()
    both = [
        jax.lax.map(lambda pair, rule=rule: rule(*pair), (q, gap))
        for rule in (ACTIVATIONS[name].closed_form, ACTIVATIONS[name].quadrature)
    ]
    for field in ("value", "value_gap", "slope", "slope_gap"):
        closed, grid = (np.asarray(getattr(averages, field)) for averages in both)
        # At c → −1 the gap of an even φ or φ' vanishes too. That is a cancellation between
        # opposite samples that no theorem divides by: there rounding of E[φ²], E[φ'²] is allowed.
        opposite = np.asarray(getattr(both[0], field.removesuffix("_gap"))) * (gap > q)
        assert (np.abs(closed - grid) <= 1e-10 * np.abs(grid) + ROUNDING * opposite).all(), field


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_obey_prices_theorem(name):
    # ∂E[φ(u_s) φ(u_t)]/∂q_st = E[φ'(u_s) φ'(u_t)]: values and slopes are not two free choices.
    rule = ACTIVATIONS[name].closed_form
    growth = jax.jit(jax.grad(lambda gap, q: rule(q, gap).value_gap))
    for q in (1e-3, 0.4, 7.0, 50.0):
        for ratio in (1e-10, 1e-3, 0.7, 1.0, 1.6):
            averages = rule(q, q * ratio)
            cross_slope = averages.slope - averages.slope_gap
            # Absolute: E[φ'φ'] of sin vanishes exponentially while both terms are O(1).
            assert abs(growth(q * ratio, q) - cross_slope) < 1e-10, (q, ratio)


@given(st.floats(1e-3, 50))
def test_opposite_samples_have_opposite_odd_activations(q):
    # u_t = −u_s: E[φ(u_s) φ(u_t)] = −E[φ²] for odd φ, E[φ²] for |u|, 0 for ReLU.
    for name, correlation in (("linear", -1), ("erf", -1), ("sin", -1), ("abs", 1), ("relu", 0)):
        averages = ACTIVATIONS[name].closed_form(q, 2 * q)
        cross = averages.value - averages.value_gap
        assert abs(cross - correlation * averages.value) <= 4 * ROUNDING * averages.value, name


@given(st.floats(1e-3, 50), st.floats(-0.9, 0.9))
def test_leaky_relu_interpolates_between_linear_and_absolute(q, negative_slope):
    # φ = ((1+a) u + (1−a) |u|)/2 and E[u_s |u_t|] = 0, so averages mix by the squares.
    linear, absolute = (closed_forms.leaky(a, q, 0.3 * q) for a in (1.0, -1.0))
    mixed = closed_forms.leaky(negative_slope, q, 0.3 * q)
    weights = ((1 + negative_slope) / 2) ** 2, ((1 - negative_slope) / 2) ** 2
    for field in ("value", "value_gap", "slope", "slope_gap"):
        expected = weights[0] * getattr(linear, field) + weights[1] * getattr(absolute, field)
        assert abs(getattr(mixed, field) - expected) <= ROUNDING * (1 + q), field


@pytest.mark.parametrize("name", CLOSED)
def test_gaps_scale_as_they_must_when_they_vanish(name):
    # φ(u_s) − φ(u_t) → φ'(u)(u_s − u_t): value_gap → g E[φ'²]. Each next order is √(g/q) at most
    # (a kink), 1e-15 here.
    q, gap = 1.3, 1.3e-30
    averages = ACTIVATIONS[name].closed_form(q, gap)
    assert abs(averages.value_gap / (gap * averages.slope) - 1) < 1e-14
