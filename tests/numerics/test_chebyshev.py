"""Chebyshev polynomials against their definition, T_n(cos θ) = cos nθ."""

import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.numerics.chebyshev import coefficients, nodes, polynomials

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 40])
def test_polynomials_are_cosines_of_the_angle(size):
    x = np.array([-1, -0.9999, -0.3, 0, 0.5, 1])
    expected = np.cos(np.arange(size)[:, None] * np.arccos(x))
    # cos nθ is n times as uncertain as θ
    np.testing.assert_allclose(polynomials(jnp.asarray(x), size), expected, atol=1e-15 * size)


def test_nodes_are_the_zeros():
    at = nodes(9)
    assert (np.diff(at) < 0).all()
    np.testing.assert_allclose(polynomials(jnp.asarray(at), 10)[9], 0, atol=1e-14)


def test_coefficients_are_recovered_along_any_axis():
    wanted = np.random.default_rng(0).normal(size=(7, 3))
    values = np.asarray(polynomials(jnp.asarray(nodes(7)), 7)).T @ wanted
    np.testing.assert_allclose(coefficients(values), wanted, atol=1e-14)
    np.testing.assert_allclose(coefficients(values.T, axis=1), wanted.T, atol=1e-14)


def test_an_interpolated_function_converges_between_the_nodes():
    x = np.linspace(-1, 1, 13)
    in_x = np.asarray(polynomials(jnp.asarray(x), 24))
    found = coefficients(np.exp(nodes(24))) @ in_x
    np.testing.assert_allclose(found, np.exp(x), rtol=1e-14)  # the 24th coefficient: 1e-31
