"""Drawing networks, and the forward pass."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jacobian import DEFINITIONS, EVERY, ROUNDING, as_measured, relative_error, sample

from meanfield import Network
from meanfield.sampling.networks import FEWEST, draw_key, draw_network, forward

# Unequal widths, so that no two sizes can be exchanged; few, because JAX compiles for each.
WIDE = Network(widths=(100, 300), outputs=100, weight_var=1.7, bias_var=0.3)


def draw(network, seed=0, number=0, inputs=None, samples=5, precision="float64"):
    with as_measured():
        key = draw_key(seed, number)
        return draw_network(network, key, inputs, samples, jnp.dtype(precision))


def check_normal(values, variance):
    """Mean and variance within 4 standard errors of N(0, variance): σ/√n and σ²√(2/n)."""
    values, n = np.asarray(values, np.float64).ravel(), values.size
    assert abs(values.mean()) < 4 * (variance / n) ** 0.5
    assert abs(values.var() / variance - 1) < 4 * (2 / n) ** 0.5
    tail = np.mean(np.abs(values) > 2 * variance**0.5)  # 4.55 % of a normal sample
    assert abs(tail - 0.0455) < 4 * (0.0455 * 0.9545 / n) ** 0.5


def test_weights_biases_and_inputs_have_their_variances(precision):
    parameters, inputs = draw(WIDE, samples=300, precision=precision)
    for layer, n_in, n_out in zip(parameters, (100, 300), (300, 100), strict=True):
        assert layer.weights.shape == (n_out, n_in)
        assert layer.biases.shape == (n_out,)
        check_normal(layer.weights, 1.7 / n_in)
        check_normal(layer.biases, 0.3)
    assert inputs.shape == (300, 100)
    check_normal(inputs, 1.0)


def test_numbers_are_those_of_the_key_of_each_array():
    """However many are drawn at once: other sizes, and other versions, draw the same network."""
    parameters, inputs = draw(WIDE, seed=3, number=2, samples=7, precision="float32")
    input_key, *layer_keys = jax.random.split(draw_key(3, 2), 3)
    keys = [key for layer_key in layer_keys for key in jax.random.split(layer_key)]
    variances = 1.7 / 100, 0.3, 1.7 / 300, 0.3, 1.0
    drawn = (*jax.tree.leaves(parameters), inputs)
    for array, key, variance in zip(drawn, (*keys, input_key), variances, strict=True):
        expected = variance**0.5 * jax.random.normal(key, array.shape, "float32")
        np.testing.assert_allclose(array, expected, rtol=3e-7)  # a rounding or two


def test_a_network_of_few_numbers_is_drawn_like_one_of_many():
    """All in one call, or array by array."""
    few, many = (draw(Network(widths=(4, n), bias_var=1.0))[0] for n in (5, FEWEST))
    np.testing.assert_array_equal(many[0].biases[:5], few[0].biases)
    np.testing.assert_array_equal(many[0].weights[:5], few[0].weights)


def test_nothing_is_drawn_twice():
    """Any two arrays of n numbers correlate by 1/√n at most, at 5 standard errors."""
    square = Network(depth=3, width=60, outputs=60, bias_var=1.0)
    arrays = []
    for seed, number in ((0, 0), (0, 1), (1, 0), (1, 1), (2**32, 0), (2**63 - 1, 0)):
        parameters, inputs = draw(square, seed, number, samples=60)
        arrays += [np.ravel(a) for a in (*(layer.weights for layer in parameters), inputs)]
    correlation = np.corrcoef(arrays) - np.eye(len(arrays))
    assert np.abs(correlation).max() < 5 / 60


def test_no_variance_draws_zeros(precision):
    network = Network(depth=2, width=4, weight_var=0.0, bias_var=0.0)
    parameters, _ = draw(network, precision=precision)
    assert not any(np.any(array) for array in jax.tree.leaves(parameters))


def test_both_precisions_see_the_same_network():
    single, double = draw(WIDE, precision="float32"), draw(WIDE, precision="float64")
    for a, b in zip(jax.tree.leaves(single), jax.tree.leaves(double), strict=True):
        assert (a.dtype, b.dtype) == ("float32", "float64")
        np.testing.assert_array_equal(np.asarray(a, np.float64), b)


def test_a_draw_does_not_depend_on_the_global_precision():
    single, results = Network(widths=(5,), bias_var=1.0), []
    for x64 in (False, True):
        with jax.enable_x64(x64):
            key = draw_key(7, 3)
            results.append(draw_network(single, key, None, 4, jnp.dtype("float32")))
    for a, b in zip(*map(jax.tree.leaves, results), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_depend_on_neither_inputs_nor_samples_nor_norms():
    given = np.arange(300.0).reshape(3, 100)
    normed = Network(widths=WIDE.widths, outputs=100, weight_var=1.7, bias_var=0.3, norm="batch@2")
    drawn = [draw(WIDE), draw(WIDE, samples=9), draw(WIDE, inputs=given), draw(normed)]
    for parameters, _ in drawn[1:]:
        for a, b in zip(*map(jax.tree.leaves, (parameters, drawn[0][0])), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(drawn[2][1], given)


def test_given_inputs_take_the_precision_asked_for(precision):
    given = np.arange(6).reshape(3, 2)
    _, inputs = draw(Network(depth=2, width=2), inputs=given, precision=precision)
    assert inputs.dtype == precision
    np.testing.assert_array_equal(inputs, given)


PHI = {
    "abs": np.abs,
    "elu": lambda u: np.where(u > 0, u, np.expm1(u)),
    "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
    "silu": lambda u: u / (1 + np.exp(-u)),
    "softplus": lambda u: np.log1p(np.exp(u)),
    "tanh": np.tanh,
}


@pytest.mark.parametrize(
    "name",
    [
        "mean@1-abs-C1",
        "batch@2-softplus-C4",
        "layer@last-tanh-C4",
        "rms@last-elu-C4",
        "layer-mean@hidden+mean@last-silu-C4",
        "rms@1+batch@2+mean@last-sigmoid-C1",
    ],
)
def test_the_forward_pass_is_that_of_the_definition(name, precision):
    """u = W h + b, ū = Norm(u), h = φ(ū), f = ū^L, in plain numpy."""
    network, T = EVERY[name]
    parameters, inputs = sample(network, T, precision)
    phi = PHI[network.activation.name]
    h, activations = np.asarray(inputs, float), []
    for layer, norm in zip(parameters, network.norms, strict=True):
        activations.append(h)
        W, b = (np.asarray(array, float) for array in layer)
        u = np.stack([W @ sample_h + b for sample_h in h])
        normalized = DEFINITIONS[norm](u)
        h = phi(normalized)
    with as_measured():
        passed = forward(network.structure, parameters, inputs)
    rounding = ROUNDING[precision]
    assert passed.outputs.dtype == precision
    assert relative_error(passed.raw_outputs, u) < rounding
    assert relative_error(passed.outputs, normalized) < rounding
    for ours, plain in zip(passed.activations, activations, strict=True):
        assert relative_error(ours, plain) < rounding


def test_nudges_add_to_the_pre_activations(precision):
    """Nudging u^l is the same as moving the biases b^l."""
    network, T = EVERY["layer@hidden+batch@last-erf-C4"]
    parameters, inputs = sample(network, T, precision)
    rng = np.random.default_rng(3)
    shifts = [rng.normal(size=layer.biases.shape).astype(precision) for layer in parameters]
    nudges = [np.tile(shift, (T, 1)) for shift in shifts]
    with as_measured():
        moved = tuple(
            layer._replace(biases=layer.biases + shift)
            for layer, shift in zip(parameters, shifts, strict=True)
        )
        nudged = forward(network.structure, parameters, inputs, nudges)
        direct = forward(network.structure, moved, inputs)
        plain = forward(network.structure, parameters, inputs)
    assert relative_error(nudged.outputs, np.asarray(direct.outputs)) < ROUNDING[precision]
    assert relative_error(plain.outputs, np.asarray(direct.outputs)) > 0.1
