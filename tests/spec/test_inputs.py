"""What is accepted as inputs, and what is refused by name."""

import math

import numpy as np
import pytest

from meanfield import Network, load_data
from meanfield.spec.inputs import check_inputs, resolve

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


def refused(*fragments, network=NET, samples=None, inputs=None):
    with pytest.raises(ValueError, match=r"\w") as error:
        resolve(network, samples, inputs)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_white_noise_is_so_many_samples():
    assert resolve(NET, np.int64(8), None) == (NET, None, 8)
    assert type(resolve(NET, np.int64(8), None).samples) is int


@pytest.mark.parametrize("samples", [None, 8, np.int64(8)])
def test_the_number_of_given_inputs_may_be_left_out(samples):
    one_width = Network(depth=3, width=9)
    network, array, found = resolve(one_width, samples, X)
    assert network == one_width.for_inputs(X.shape)
    np.testing.assert_array_equal(array, X)
    assert (found, type(found)) == (8, int)


def test_samples_are_required_without_inputs():
    refused("samples is required unless inputs are given, got None")


@pytest.mark.parametrize("samples", [0, -1, 2.5, True, "3"])
def test_samples_are_a_positive_integer(samples):
    refused(f"samples must be a positive integer, got {samples!r}", samples=samples)


@pytest.mark.parametrize("samples", [7, 9])
def test_samples_must_agree_with_the_inputs(samples):
    refused(f"samples must equal the inputs' 8 rows, got {samples}", samples=samples, inputs=X)


@pytest.mark.parametrize("samples", [True, 1.0, 7.5, "1"])
def test_samples_beside_inputs_are_checked_all_the_same(samples):
    said = f"samples must be a positive integer, got {samples!r}"
    refused(said, samples=samples, inputs=X[:1])


@pytest.mark.parametrize("shape", [(7, 5), (6, 7), (7,), (), (7, 6, 1), (0, 6), (1, 7, 6)], ids=str)
def test_inputs_must_have_one_column_per_input_unit(shape):
    refused("inputs must have shape (T, 6)", f"got {shape}", inputs=np.ones(shape))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_inputs_must_be_finite(value):
    inputs = X.copy()
    inputs[3, 2] = value
    refused("inputs must be finite, got NaN or infinity", inputs=inputs)


@pytest.mark.parametrize("dtype", [complex, bool, object, "U3", "datetime64[s]"])
def test_inputs_must_be_real_numbers(dtype):
    inputs = np.ones((8, 6)).astype(int).astype(dtype)
    refused("inputs must be real numbers, got dtype", inputs=inputs)


def test_ragged_inputs_are_named():
    refused("inputs must be a T x M_0 array, got", inputs=[[1, 2, 3, 4, 5, 6], [1, 2]])


def test_inputs_must_be_in_the_range_of_the_precision():
    assert resolve(NET, None, 1e39 * X).inputs.max() > 1e38
    with pytest.raises(ValueError, match="inputs must be in the range of float32, got"):
        resolve(NET, None, 1e39 * X, "float32")


@pytest.mark.parametrize(("norm", "least"), [("mean@last", 2), ("batch@1", 4), ("batch@last", 4)])
def test_norms_over_samples_need_several_rows(norm, least):
    network = Network(widths=(6, 5), norm=norm)
    assert resolve(network, least, None).samples == resolve(network, None, X[:least]).samples
    for rows in (1, least - 1):
        said = f"samples must be at least {least} for norm"
        refused(said, f"got {rows}", network=network, inputs=X[:rows])
        refused(said, f"got {rows}", network=network, samples=rows)
