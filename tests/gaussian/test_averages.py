"""Derivatives and differences of an activation, and the record that every rule returns."""

import jax
import jax.numpy as jnp
import pytest
from exact_averages import SMOOTH, relative_error
from mpmath import mp, mpf

from meanfield.gaussian.averages import NARROW, collect, derivative, difference, leading
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")


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


def test_only_conditions_before_the_first_failure_count():
    for conditions, count in (([True, True], 2), ([True, False, True], 1), ([False, True], 0)):
        assert leading(jnp.array(c) for c in conditions) == count


def test_the_error_is_the_largest_relative_one_and_that_of_nothing_is_none():
    single, pair = jnp.array([[2.0, 0.2], [1.0, 0.0]]), jnp.array([[0.5, 0.1], [0.0, 0.3]])
    averages = collect(list(single), list(pair))
    assert averages == (2, 0.5, 1, 0, pytest.approx(0.2))
