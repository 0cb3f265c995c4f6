"""How a hidden layer passes changes on, against differences of the recursion."""

import jax.numpy as jnp
import numpy as np
import pytest
from given_networks import G, T, X

from meanfield.spec.activations import named_activation
from meanfield.spec.norms import NORMS
from meanfield.theory.given_inputs.passage import passage
from meanfield.theory.kernels import Full
from meanfield.theory.layer import Layer, layer_step
from meanfield.theory.norms import kernels

pytestmark = pytest.mark.usefixtures("x64")

LAYER = Layer(7.0, 2.0, 0.3)
RNG = np.random.default_rng(1)
S, K = X @ X.T / 3 + 0.3 * np.eye(T) + 0.2, X @ X.T + 1 + np.eye(T)
DS, DK = (Z @ Z.T for Z in RNG.normal(size=(2, T, 3)))


def step_from(norm, S, K):
    before = Full.from_matrix(jnp.asarray(S)), Full.from_matrix(jnp.asarray(K))
    after = kernels(norm, *before)
    return before, after, layer_step(*after, named_activation("erf"), LAYER)


@pytest.mark.parametrize("name", ["none", "mean", "batch", "layer", "rms"])
def test_changes_are_the_difference_of_two_steps(name):
    norm, h = NORMS[name], 1e-5
    found = passage(norm, LAYER, named_activation("erf"), *step_from(norm, S, K)).changes(DS, DK)
    above, below = (
        [kernel.matrix for kernel in step_from(norm, S + e * DS, K + e * DK)[2][:2]]
        for e in (h, -h)
    )
    for change, more, less in zip(found, above, below, strict=True):
        expected = np.asarray(more - less) / (2 * h)
        np.testing.assert_allclose(change, expected, atol=1e-7 * abs(expected).max())


def test_gradients_are_divided_as_the_norm_divides():
    made = {
        name: passage(NORMS[name], LAYER, named_activation("erf"), *step_from(NORMS[name], S, K))
        for name in ("none", "batch", "layer")
    }
    by = {name: p.backward(np.ones((T, T))) / p.slopes for name, p in made.items()}
    np.testing.assert_allclose(by["none"], 1)
    np.testing.assert_allclose(by["batch"], T / np.trace(G @ S @ G))
    np.testing.assert_allclose(by["layer"], np.outer(np.diag(S), np.diag(S)) ** -0.5)
