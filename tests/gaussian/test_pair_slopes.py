"""The derivatives of averages over pairs, against differences of the averages."""

import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.spec.activations import named_activation

pytestmark = pytest.mark.usefixtures("x64")

T = 6
RNG = np.random.default_rng(0)
FIELDS, CHANGES = RNG.normal(size=(T, 9)), RNG.normal(size=(T, 5))
S, DS = FIELDS @ FIELDS.T / 9 * 2 + 0.3, CHANGES @ CHANGES.T / 5


def gaps(matrix):
    same = np.diagonal(matrix)
    gap = (same[:, None] + same) / 2 - matrix
    np.fill_diagonal(gap, 0)
    return jnp.asarray(same), jnp.asarray(gap)


def averages(activation, matrix):
    """E[φ φᵀ] and E[φ' φ'ᵀ], T×T."""
    a = activation.pair_averages(*gaps(matrix))
    pairs = (a.value, a.value_gap), (a.slope, a.slope_gap)
    return np.array([(same[:, None] + same[None]) / 2 - gap for same, gap in pairs])


@pytest.mark.parametrize(
    ("name", "error"), [("relu", 1e-8), ("gelu", 1e-8), ("erf", 1e-8), ("tanh", 1e-5)]
)
def test_a_response_is_the_difference_of_two_averages(name, error):
    activation, step = named_activation(name), 1e-5
    two = (averages(activation, S + sign * step * DS) for sign in (1, -1))
    expected = np.subtract(*two) / (2 * step)
    slopes = activation.pair_slopes(*gaps(S))
    for index in (0, 1):
        found = slopes.response(index, DS)
        np.testing.assert_allclose(found, expected[index], atol=error * abs(expected).max())


def test_equal_samples_stay_equal():
    both = np.array([0, 0, 1, 2])
    slopes = named_activation("relu").pair_slopes(*gaps(S[np.ix_(both, both)]))
    for index in (0, 1):
        change = slopes.response(index, DS[np.ix_(both, both)])
        np.testing.assert_allclose(change[0], change[1], rtol=1e-12)
        assert np.isfinite(change).all()
