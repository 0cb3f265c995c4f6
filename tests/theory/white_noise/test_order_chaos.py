"""The line between order and chaos: by hand, by another quadrature, and by what grows there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.spec.activations import ACTIVATIONS
from meanfield.theory.kernels import Exchangeable
from meanfield.theory.layer import Layer, layer_step
from meanfield.theory.white_noise.order_chaos import order_chaos_line

Q = np.array([0.3, 1.0, 2.5])
LAYERS = 60


def erf_line(q):
    """By Williams' arcsine kernel: E[φ'²] = (4/π)/√(1 + 4q)."""
    weight_var = np.pi / 4 * np.sqrt(1 + 4 * q)
    return weight_var, q - weight_var * 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q))


BY_HAND = {
    "linear": lambda q: (np.ones(3), np.zeros(3)),  # any variance is a fixed point
    "relu": lambda q: (2 * np.ones(3), np.zeros(3)),  # E[φ²] = q/2, E[φ'²] = 1/2
    "abs": lambda q: (np.ones(3), np.zeros(3)),
    "erf": erf_line,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_line_is_that_by_hand(name):
    for found, expected in zip(order_chaos_line(name, Q), BY_HAND[name](Q), strict=True):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def gaussian_mean(values, z):
    """E[f(z)] for z ~ N(0, 1), by a trapezoid sum."""
    weight = np.exp(-(z**2) / 2)
    return (weight * values).sum(axis=-1) / weight.sum()


@pytest.fixture(scope="module")
def tanh_line():
    return order_chaos_line("tanh", Q)


def test_tanh_meets_both_conditions_by_another_quadrature(tanh_line):
    z = np.linspace(-12, 12, 4001)
    weight_var, bias_var = tanh_line
    φ = np.tanh(np.sqrt(Q)[:, None] * z)
    np.testing.assert_allclose(weight_var * gaussian_mean((1 - φ**2) ** 2, z), 1, rtol=1e-12)
    q = weight_var * gaussian_mean(φ**2, z) + bias_var
    np.testing.assert_allclose(q, Q, rtol=1e-12)
    assert (bias_var > 0).all()


@pytest.fixture(scope="module")
def deep():
    """The variances and gaps of the layers that follow one of nearly equal samples."""
    tanh = ACTIVATIONS["tanh"]

    @jax.jit
    def kernels(q, weight_var, bias_var):
        layer = Layer(1.0, weight_var, bias_var)

        def step(S, _):
            after = layer_step(S, S, tanh, layer).S
            return after, (after.same, after.gap)

        start = Exchangeable(q, 1e-12 * q, jnp.full_like(q, jnp.inf))
        return jax.lax.scan(step, start, length=LAYERS)[1]

    def run(q, weight_var, bias_var):
        with jax.enable_x64(True):
            return jax.device_get(kernels(*map(jnp.float64, (q, weight_var, bias_var))))

    return run


@pytest.mark.parametrize("at", range(len(Q)))
def test_tanh_holds_its_variance_and_small_differences_on_the_line(tanh_line, deep, at):
    weight_var, bias_var = (float(x[at]) for x in tanh_line)
    q, gap = deep(Q[at], weight_var, bias_var)
    np.testing.assert_allclose(q, Q[at], rtol=1e-11)
    np.testing.assert_allclose(gap, 1e-12 * Q[at], rtol=1e-9)  # χ_1 = 1 but for O(gap)


@pytest.mark.parametrize("at", range(len(Q)))
def test_small_differences_shrink_below_the_line_and_grow_above(tanh_line, deep, at):
    weight_var, bias_var = (float(x[at]) for x in tanh_line)
    _, below = deep(Q[at], 0.9 * weight_var, bias_var)
    _, above = deep(Q[at], 1.1 * weight_var, bias_var)
    settled = slice(LAYERS // 2, None)  # the variance has found its new fixed point
    assert (np.diff(np.log(below))[settled] < -0.01).all()
    assert (np.diff(np.log(above))[settled] > 0.01).all()


def test_functions_are_taken_like_names():
    for found, expected in zip(
        order_chaos_line(ACTIVATIONS["erf"], Q), order_chaos_line("erf", Q), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("q", [[-1.0], [np.nan], [], "one"])
def test_bad_variances_are_refused(q):
    with pytest.raises(ValueError, match="q must be "):
        order_chaos_line("relu", q)
