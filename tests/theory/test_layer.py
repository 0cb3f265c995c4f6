"""One layer further, by hand: linear, so that Q = S̄ and Φ = 1."""

import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.spec.activations import ACTIVATIONS
from meanfield.theory.kernels import Exchangeable, Full
from meanfield.theory.layer import Layer, advance, input_layer, layer_step

pytestmark = pytest.mark.usefixtures("x64")

T = 3
LAYER = Layer(width=7.0, weight_var=1.5, bias_var=0.25)
LINEAR = ACTIVATIONS["linear"]


def exchangeable(same, cross):
    return Exchangeable(*(jnp.float64(x) for x in (same, same - cross, T)))


def full(same, cross):
    """The same kernel, sample by sample."""
    return Full.from_matrix(jnp.full((T, T), float(cross)) + (same - cross) * jnp.eye(T))


def general(seed):
    """A kernel whose samples differ, and its matrix."""
    x = np.random.default_rng(seed).normal(size=(T, 4))
    return Full.from_matrix(jnp.asarray(x @ x.T)), x @ x.T


def assert_is(kernel, same, cross):
    assert type(kernel) in (Exchangeable, Full)
    np.testing.assert_allclose(kernel.same, same, rtol=1e-14)
    apart = (same - cross) * (1 - np.eye(T)) if isinstance(kernel, Full) else same - cross
    np.testing.assert_allclose(kernel.gap, apart, rtol=1e-14)


KINDS = pytest.mark.parametrize("kernel", [exchangeable, full])


@KINDS
def test_the_first_layer_reads_the_inputs(kernel):
    S, K = input_layer(kernel(2.0, 0.5), LAYER)
    assert_is(S, 1.5 * 2 + 0.25, 1.5 * 0.5 + 0.25)
    assert_is(K, 7 * 2 + 1, 7 * 0.5 + 1)


@KINDS
def test_a_layer_adds_its_own_gradient_to_those_below(kernel):
    S, K = advance(kernel(2.0, 0.5), kernel(10.0, 4.0), LAYER)
    assert_is(S, 1.5 * 2 + 0.25, 1.5 * 0.5 + 0.25)
    assert_is(K, 7 * 2 + 1 + 1.5 * 10, 7 * 0.5 + 1 + 1.5 * 4)


@KINDS
def test_the_biases_share_can_be_left_out(kernel):
    without = LAYER._replace(bias_block=0.0)
    assert_is(input_layer(kernel(2.0, 0.5), without)[1], 14, 3.5)
    assert_is(advance(kernel(2.0, 0.5), kernel(10.0, 4.0), without)[1], 14 + 15, 3.5 + 6)


@KINDS
def test_a_linear_step(kernel):
    step = layer_step(kernel(2.0, 0.5), kernel(10.0, 4.0), LINEAR, LAYER)
    assert_is(step.Q, 2.0, 0.5)
    assert_is(step.slope, 1.0, 1.0)
    assert_is(step.S, 3.25, 1.0)
    assert_is(step.K, 30.0, 10.5)
    assert step.error == 0


def test_a_linear_step_of_samples_that_differ():
    (S, s), (K, k) = general(0), general(1)
    step = layer_step(S, K, LINEAR, LAYER)
    np.testing.assert_allclose(step.S.matrix, 1.5 * s + 0.25, atol=1e-13)
    np.testing.assert_allclose(step.K.matrix, 7 * s + 1 + 1.5 * k, atol=1e-13)
    first = input_layer(S, LAYER)
    np.testing.assert_allclose(first[0].matrix, 1.5 * s + 0.25, atol=1e-13)
    np.testing.assert_allclose(first[1].matrix, 7 * s + 1, atol=1e-13)
