"""Sampled fields against explicit projections of independently sampled ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.spec.activations import ACTIVATIONS
from meanfield.theory.given_inputs.batch_fields import average_over_fields, matrix_root
from meanfield.theory.kernels import Full

pytestmark = pytest.mark.usefixtures("x64")

T = 12
G = np.eye(T) - 1 / T


def given(seed, dominant):
    """A kernel whose first direction is dominant: it does not average out."""
    x = np.random.default_rng(seed).normal(size=(T, T))
    x[:, 0] *= dominant
    return x @ x.T / T


S, K = given(0, 4.0), given(1, 2.0)


@pytest.fixture(scope="module")
def explicit():
    """Draws of φ(û) φ(û)ᵀ and (d dᵀ) ∘ (Pr K Pr)/σ², each projection a matrix of its own."""
    u = np.random.default_rng(2).multivariate_normal(np.zeros(T), G @ S @ G, size=20_000)
    sigma = np.sqrt((u**2).mean(axis=1))[:, None, None]
    u_hat = u[:, :, None] / sigma
    projection = G - u_hat @ u_hat.transpose(0, 2, 1) / T
    slope, value = (u_hat > 0) * 1.0, np.maximum(u_hat, 0)
    tangent = slope * slope.transpose(0, 2, 1) * (projection @ K @ projection) / sigma**2
    return value * value.transpose(0, 2, 1), tangent


def ours(fields, key):
    kernels = (Full.from_matrix(jnp.asarray(m)) for m in (S, K))
    found = average_over_fields(*kernels, ACTIVATIONS["relu"], fields, jax.random.key(key))
    return [np.asarray(kernel.matrix) for kernel in found]


def test_averages_are_those_of_explicit_projections(explicit):
    repeats = list(zip(*(ours(40 * T, key) for key in range(20)), strict=True))
    for found, draws in zip(repeats, explicit, strict=True):
        error = np.hypot(np.std(found, axis=0, ddof=1) / 20**0.5, draws.std(axis=0) / 20_000**0.5)
        deviation = np.abs(np.mean(found, axis=0) - draws.mean(axis=0)) / error
        # 78 entries: the largest of so many is below 4, and all together about 1
        assert deviation.max() < 4
        assert 0.5 < np.sqrt((deviation**2).mean()) < 1.5


def test_orthogonal_fields_repeat_each_other_less():
    # The promise of the blocks: ⟨û ûᵀ⟩ scatters less than over as many independent fields.
    white = Full.from_matrix(jnp.eye(T))
    linear = ACTIVATIONS["linear"]
    keys = (jax.random.key(key) for key in range(20))
    found = [average_over_fields(white, white, linear, T, key)[0].matrix for key in keys]
    u = np.random.default_rng(3).normal(size=(20, T, T)) @ G
    u_hat = u / np.sqrt((u**2).mean(axis=2, keepdims=True))
    independent = u_hat.transpose(0, 2, 1) @ u_hat / T
    assert np.std(found, axis=0).mean() < np.std(independent, axis=0).mean() / 2


def test_fields_come_in_whole_blocks_and_from_the_key_alone():
    np.testing.assert_array_equal(ours(1, 0), ours(T, 0))
    np.testing.assert_array_equal(ours(T + 1, 0), ours(2 * T, 0))
    assert not np.array_equal(ours(T, 0), ours(T, 1))


def test_roots_are_roots_of_singular_matrices_too():
    rank_one = np.outer(np.arange(5.0), np.arange(5.0))
    for covariance in (S, G @ S @ G, rank_one, 1e-30 * rank_one, np.eye(1)):
        root = matrix_root(jnp.asarray(covariance))
        scale = np.trace(covariance)
        np.testing.assert_allclose(root @ root.T, covariance, rtol=0, atol=1e-10 * scale)


def test_a_matrix_that_is_not_positive_semi_definite_has_no_root():
    with pytest.raises(ArithmeticError, match="not positive semi-definite"):
        matrix_root(jnp.array([[1.0, 2.0], [2.0, 1.0]]))
