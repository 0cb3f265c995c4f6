"""Gaussian averages against references of 21 digits, and quadrature against closed forms."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_averages import reference_averages, relative_error

from meanfield.gaussian.averages import Averages
from meanfield.gaussian.quadrature import Quadrature
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")

NAMES = Averages._fields[:4]
# Correlations 0.95, 0, −0.5, 0.999999 at the ends of the range of variances that is promised.
PLACES = [(q, q * ratio) for q in (1e-3, 50.0) for ratio in (0.05, 1.0, 1.5, 1e-6)]


CLOSED = [name for name, a in ACTIVATIONS.items() if a.closed_form is not None]
ROUNDING = 4 * np.finfo(float).eps


@cache
def rules(name):
    """The quadrature and, where there is one, the closed form, each compiled once."""
    activation = ACTIVATIONS[name]
    both = [activation.quadrature, activation.averages]
    return [jax.jit(rule) for rule in both[: 1 if activation.closed_form is None else 2]]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_averages_match_the_reference(name):
    # 1e-8 is what STEP promises for the slopes of tanh at q = 50; the rest is far better.
    compiled = rules(name)
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


def near_the_ends(count=96):
    """Variances in [1e-3, 50] and correlations from 1 − 1e-12 to −1 + 1e-12, most near an end."""
    rng = np.random.default_rng(0)
    q = np.exp(rng.uniform(np.log(1e-3), np.log(50), count))
    near = 10 ** rng.uniform(-12, 0, count)
    ratio = np.choose(np.arange(count) % 3, [near, 2 - near, rng.uniform(0, 2, count)])
    return zip(q, q * ratio, strict=True)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_agree_with_quadrature(name):
    quadrature, closed_form = rules(name)
    for q, gap in near_the_ends():
        closed, grid = (dict(zip(NAMES, rule(q, gap), strict=False))
                        for rule in (closed_form, quadrature))  # fmt: skip
        for field in NAMES:
            # At c → −1 the gap of an even φ or φ' vanishes too. That is a cancellation between
            # opposite samples that no theorem divides by: there rounding of E[φ²], E[φ'²] is
            # allowed.
            opposite = closed[field.removesuffix("_gap")] * (gap > q)
            off = abs(closed[field] - grid[field])
            assert off <= 1e-10 * abs(grid[field]) + ROUNDING * opposite, (field, q, gap)


@pytest.mark.parametrize("name", ["tanh", "elu"])
def test_gradients_at_opposite_samples_are_those_of_differences(name):
    # A mean over two samples leaves them so; the angle's own derivative is infinite there.
    (rule,) = rules(name)

    @jax.jit
    @jax.value_and_grad
    def along(q):
        return jnp.array([1.0, 2.0, 3.0, 5.0]) @ jnp.stack(rule(q, 2 * q)[:4])

    h, (found, slope) = 1e-4, along(1.7)
    difference = (along(1.7 + h)[0] - along(1.7 - h)[0]) / (2 * h)
    assert abs(slope - difference) < 1e-6 * found


def test_single_averages_are_those_of_a_pair():
    for name in ("tanh", "elu"):
        rule = ACTIVATIONS[name].quadrature
        both = jax.jit(lambda q, gap, rule=rule: (rule(q, gap), rule.single_averages(q)))
        pair, ((value, _), (slope, error)) = both(1.3, 0.4)
        assert (value, slope) == (pair.value, pair.slope)
        assert 0 <= error < 1e-12


def test_nodes_on_the_line_fit_the_function():
    for kinked in (False, True):
        z, weight = Quadrature(jnp.tanh, kinked).line_nodes()
        assert weight @ z**2 == pytest.approx(1, rel=1e-13)
        np.testing.assert_allclose(weight @ np.abs(z), np.sqrt(2 / np.pi), rtol=1e-13 if kinked else 1e-3)  # fmt: skip # noqa: E501


def test_equal_quadratures_are_one():
    # What is compiled or tabulated for one serves the other.
    same = [Quadrature(ACTIVATIONS["tanh"], False), ACTIVATIONS["tanh"].quadrature]
    assert len({*same, Quadrature(jnp.tanh, True)}) == 2
