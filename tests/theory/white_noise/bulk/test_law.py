"""The law against the same equations iterated in NumPy, and against published recursions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bulk_networks import net, prepared, situation
from bulk_reference import fan_and_wang, reference
from problems import RELU, TANH

from meanfield.spec.network import Network
from meanfield.theory.white_noise.bulk.law import law, local, start

pytestmark = pytest.mark.usefixtures("x64")

T = 120.0
NETWORKS = {
    "relu": Network(widths=(100, 150, 80), **RELU),
    "relu of 4 outputs": Network(widths=(100, 150, 80), outputs=4, **RELU),
    "batch below": Network(widths=(100, 150, 80), norm="batch@1", **RELU),
    "batch above": Network(widths=(100, 150, 80), norm="batch@2", **RELU),
    "layer": Network(widths=(100, 150, 80), norm="layer@hidden", **RELU),
    "mean below": Network(widths=(100, 150, 80), norm="mean@1", **RELU),
    "tanh": Network(widths=(100, 150, 80), **TANH),
}
X = (0.0, 0.04, 0.1)
the_law = jax.jit(law)


@jax.jit
def local_at(bulk, state, x):
    here = local(bulk, x, state)
    return here.gradient, here.hessian


def premises(network, samples):
    """The bulk and the order parameters of a network."""
    solution = jax.device_get(prepared(network, samples).solution)
    return situation(network, samples).bulk, solution


def fixed_point(bulk, x):
    """The law at x: along the branch from 0, by Newton's method."""
    state = start(bulk)
    for at in np.linspace(0, x, 5):
        for _ in range(8):
            here = the_law(bulk, jnp.asarray(at), state)
            state = state + here.step
    assert abs(here.step).max() < 1e-12 * abs(state).max()
    return here, state


@pytest.mark.parametrize("name", NETWORKS)
def test_the_law_is_that_of_the_equations_as_printed(name):
    bulk, solution = premises(NETWORKS[name], T)
    expected = reference(NETWORKS[name], T, solution)
    for x in X:
        found, _ = fixed_point(bulk, x)
        # 25 values of ζ here and 141 there; a perturbation of 1e-6 of any term would be seen
        assert float(found.transform) == pytest.approx(expected.transform(x), rel=1e-8)


def test_few_classes_of_backward_weights_are_enough():
    network, x = net(RELU), 0.12
    _, solution = premises(network, 1600)
    few, many = (reference(network, 1600, solution, bins).transform(x) for bins in (8, 40))
    assert few == pytest.approx(many, rel=1e-3)


@pytest.mark.parametrize("norm", ["none", "mean", "batch", "layer", "rms", "layer-mean"])
def test_at_zero_the_law_has_the_mean_of_the_bulk(norm):
    for place in ("1", "2", "hidden"):
        network = Network(widths=(100, 150, 80), norm=f"{norm}@{place}", **RELU)
        bulk, _ = premises(network, T)
        found, _ = fixed_point(bulk, 0.0)
        # r is what is missing to the mean: of the averages' truncation only, 2e-8 of ζ's law
        assert float(found.transform) == pytest.approx(float(bulk.mean), rel=1e-9)


def test_derivatives_of_the_potential_are_those_of_the_matrices():
    network = NETWORKS["relu of 4 outputs"]
    bulk, solution = premises(network, T)
    expected = reference(network, T, solution)
    x, h = 0.1, 1e-5
    _, state = fixed_point(bulk, x)
    gradient, hessian = local_at(bulk, state, jnp.asarray(x))
    for at, layer in enumerate(expected.layers, start=1):

        def potential(numbers, layer=layer):
            U, t_d, V, t_h, x = numbers * np.array([T, 1 / T, T, 1 / T, T])
            return layer.potential(U, t_d, V, t_h, x)

        here = np.append(state[at], x)
        for i in range(5):
            step = h * np.eye(5)[i] * max(here[i], 1e-2)
            difference = (potential(here + step) - potential(here - step)) / (2 * step[i])
            # h² of truncation and 1e-16/h of rounding
            assert float(gradient[at, i]) == pytest.approx(difference, rel=1e-6, abs=1e-9)
            along = [
                local_at(bulk, state.at[at].add(sign * step[:4]), jnp.asarray(x + sign * step[4]))
                for sign in (1, -1)
            ]
            slope = (along[0][0] - along[1][0])[at] / (2 * step[i])
            np.testing.assert_allclose(hessian[at, i], slope, rtol=1e-6, atol=1e-8)


def test_derivatives_by_x_are_those_of_differences():
    bulk, _ = premises(NETWORKS["batch below"], T)
    x, h = 0.1, 1e-4
    (low, before), (here, _), (high, after) = (fixed_point(bulk, x + by) for by in (-h, 0, h))
    assert float(here.slope) == pytest.approx(float(high.transform - low.transform) / (2 * h), 1e-6)
    assert float(here.curvature) == pytest.approx(float(high.slope - low.slope) / (2 * h), 1e-6)
    np.testing.assert_allclose(here.tangent, (after - before) / (2 * h), rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(here.bend, (high.tangent - low.tangent) / (2 * h), 1e-6, 1e-10)


def test_the_share_of_the_top_weights_is_that_of_a_difference():
    # θ_L scales what the last hidden layer's H̃ weighs by itself.
    bulk, _ = premises(NETWORKS["relu"], T)
    x, h = 0.1, 1e-5
    scaled = [bulk._replace(theta=bulk.theta.at[-1].multiply(1 + by)) for by in (h, -h)]
    high, low = (fixed_point(one, x)[0].transform for one in scaled)
    here = fixed_point(bulk, x)[0]
    assert float(here.by_top) == pytest.approx(float(high - low) / (2 * h), 1e-6)


def test_centred_features_have_the_published_law():
    # Their theorem has no bias block, which weighs 1/T here: many samples make it vanish.
    many = 1e9
    network = Network(depth=3, width=10**9, activation="tanh", weight_var=2.0)
    bulk, solution = premises(network, many)
    expected = reference(network, many, solution)
    q_hat = np.append(1.0, solution.layers.Q.gap)
    slopes = [layer.share @ layer.forward[:, 0] ** 2 for layer in expected.layers]
    passed = np.append(0.0, 2.0 * np.array(slopes))
    own = np.append(1.0, q_hat[1:] - passed[1:] * q_hat[:-1])
    for x in (0.05, 0.1):
        z = 1 / x + float(fixed_point(bulk, x)[0].transform)
        m = fan_and_wang(z, expected.rest, expected.theta * many, own, passed, [1, 1, 1])
        assert m == pytest.approx(-x, rel=1e-9)


def test_beyond_its_range_the_law_is_not_taken_for_valid():
    bulk, _ = premises(NETWORKS["relu"], T)
    inside = the_law(bulk, jnp.asarray(0.1), fixed_point(bulk, 0.1)[1]).inside
    state = start(bulk)
    for _ in range(50):
        state = state + the_law(bulk, jnp.asarray(5.0), state).step
    assert inside
    assert not the_law(bulk, jnp.asarray(5.0), state).inside
