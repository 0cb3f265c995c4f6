"""What is accepted as inputs, and what is refused by name."""

import numpy as np
import pytest

from meanfield import Network, load_data
from meanfield.spec.inputs import check_inputs

NET = Network(widths=(6, 5), bias_var=0.2)
X = np.random.default_rng(0).normal(size=(8, 6))


@pytest.mark.parametrize("inputs", [X, X.tolist(), X.astype("float32"), X.astype(int)])
def test_arrays_of_real_numbers_are_taken(inputs):
    network, array = check_inputs(NET, inputs)
    assert network is NET
    np.testing.assert_array_equal(array, np.asarray(inputs))


def test_data_are_taken():
    _, array = check_inputs(NET, load_data(X, standardize=False))
    np.testing.assert_array_equal(array, X)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (X[0], r"must have shape \(T, 6\), T >= 1, got \(6,\)"),
        (5, r"must have shape \(T, 6\), T >= 1, got \(\)"),
        (X[None], r"must .* got \(1, 8, 6\)"),
        (X[:0], r"must .* got \(0, 6\)"),
        (X[:, :5], r"must have shape \(T, 6\), T >= 1, got \(8, 5\)"),
        ([[1, 2], [3]], "must be a T x M_0 array, got setting an array element"),
        (X + 1j, "must be real numbers, got dtype complex128"),
        (X > 0, "must be real numbers, got dtype bool"),
        (X.astype(object), "must be real numbers, got dtype object"),
        ([["a"] * 6], "must be real numbers, got dtype"),
        (np.where(X > 1.5, np.nan, X), "must be finite, got NaN or infinity"),
        (np.where(X > 1.5, np.inf, X), "must be finite, got NaN or infinity"),
    ],
)
def test_anything_else_is_refused(inputs, said):
    assert (X > 1.5).any()
    with pytest.raises(ValueError, match=f"inputs {said}"):
        check_inputs(NET, inputs)


def test_numbers_must_be_in_the_range_of_the_precision():
    assert check_inputs(NET, 1e39 * X)[1].max() > 1e38
    with pytest.raises(ValueError, match="inputs must be in the range of float32, got"):
        check_inputs(NET, 1e39 * X, "float32")


def test_too_few_samples_for_a_norm_are_refused():
    normalized = Network(widths=(6, 5), norm="batch@last")
    assert check_inputs(normalized, X[:4])[0] is normalized
    with pytest.raises(ValueError, match="samples must be at least 4 for norm 'batch', got 3"):
        check_inputs(normalized, X[:3])


def test_one_width_adapts_to_the_inputs():
    assert check_inputs(Network(depth=3, width=9), X)[0].widths == (6, 9, 9)
