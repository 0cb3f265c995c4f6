"""Features that never vary, and those that only seem not to."""

import numpy as np
import pytest

from meanfield import load_data

RNG = np.random.default_rng(0)
X = RNG.normal(3, 5, (12, 4))


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e-300, 1e300, 5e-324, 1 / 3])
@pytest.mark.parametrize("rows", [2, 1000])
def test_equal_values_are_constant_whatever_their_mean_rounds_to(constant, rows):
    x = np.stack([np.arange(rows), np.full(rows, constant)], axis=1)
    assert load_data(x).dropped == (1,)
    np.testing.assert_array_equal(load_data(x, keep_constant=True).inputs[:, 1], 0)


def test_rounding_noise_is_constant():
    noise = np.array([0.1 + 0.2, 0.3] * 20)
    assert noise.std() > 0
    x = np.stack([noise, 1e9 * noise, np.arange(40)], axis=1)
    assert load_data(x).dropped == (0, 1)
    np.testing.assert_array_equal(load_data(x, keep_constant=True).inputs[:, :2], 0)


def test_a_small_spread_about_a_large_value_is_no_constant():
    seconds = 1.7e9 + np.arange(100) / 8
    loaded = load_data(seconds[:, None])
    exact = load_data(np.arange(100.0)[:, None])
    np.testing.assert_allclose(loaded.inputs, exact.inputs, atol=1e-6)


@pytest.mark.parametrize("unit", [1e-310, 1e-200, 1e200, 1e307])
def test_the_unit_of_a_feature_does_not_matter(unit):
    integers = RNG.integers(0, 9, (50, 3)).astype(float)
    loaded = load_data(integers * [1, unit, 1])
    np.testing.assert_allclose(loaded, load_data(integers).inputs, rtol=1e-12, atol=1e-12)


def test_many_constant_features_are_not_all_named():
    loaded = load_data(np.hstack([np.ones((12, 30)), X]))
    assert loaded.dropped == tuple(range(30))
    assert "30 constant features of 34 were dropped: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ..." in str(
        loaded.notes
    )
