"""Sources and arguments that are refused, in one line that names what is accepted."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from meanfield import load_data

RNG = np.random.default_rng(0)
X = RNG.normal(3, 5, (12, 4))


def refused(*fragments, **arguments):
    """One line that names what was found and what is accepted."""
    with pytest.raises(ValueError, match=r"\w") as error:
        load_data(**{"source": X, **arguments})
    assert [fragment for fragment in fragments if fragment not in str(error.value)] == []
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(12,), (0, 4), (12, 0), (0,), (12, 0, 3)], ids=str)
def test_sources_have_rows_and_columns(shape):
    refused("source must have shape (T, M_0)", f"got {shape}", source=np.ones(shape))


@pytest.mark.parametrize("dtype", [complex, bool, object, "U3", "S3", "datetime64[s]"])
def test_sources_hold_real_numbers(dtype):
    refused("source must hold real numbers, got", source=X.astype(int).astype(dtype))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_sources_are_finite(value):
    x = RNG.normal(size=(12, 2, 3))
    x[5, 1, 0] = x[7, 0, 0] = value
    said = "source must be finite, got 2 NaN or infinite values, the first in row 5, column 3"
    refused(said, source=x)
    refused(said, source=x, standardize=False)


def test_values_beyond_float64_are_infinite():
    x = X.astype(np.longdouble)
    if np.finfo(x.dtype).max == np.finfo(np.float64).max:
        pytest.skip("long double is float64 here")
    x[3, 1] = np.longdouble(1e300) ** 2
    refused("got 1 NaN or infinite values, the first in row 3, column 1", source=x)


@pytest.mark.parametrize("source", [None, 3.0, {}, {1.0, 2.0}, b"digits", object(), [[1, 2], [3]]])
def test_other_sources_are_refused(source):
    refused("source must be 'digits', a .npy", "a folder", "an array, got", source=source)


@pytest.mark.parametrize("word", ["digitz", "Digits", "", "mnist", "a b"])
def test_unknown_words_are_refused(word):
    refused("source must be 'digits', a .npy", f"got {word!r}", source=word)


@pytest.mark.parametrize("path", ["x.npy", "./digits", "no/such", "no\0.npy", Path("digits")])
def test_paths_must_exist(path):
    with pytest.raises(FileNotFoundError, match=r"source .* does not exist"):
        load_data(path)


@pytest.mark.parametrize("samples", [0, -1, 2.5, True, "3", Fraction(3), np.float64(3)])
def test_samples_are_a_positive_integer(samples):
    refused(f"samples must be a positive integer, got {samples!r}", samples=samples)


def test_there_are_enough_rows():
    refused("samples must be at most the 12 rows of source, got 13", samples=13)
    refused("the 1797 rows of source 'digits', got 1798", source="digits", samples=1798)
    assert len(load_data(X, np.int64(12))) == 12


@pytest.mark.parametrize("seed", [-1, 0.5, None, True, "0"])
def test_seeds_are_integers_from_zero(seed):
    refused(f"seed must be an integer of at least 0, got {seed!r}", seed=seed)


def test_seeds_end_where_they_do_everywhere():
    refused(f"seed must be below 2**63, got {2**63}", seed=2**63)
    assert len(load_data(X, 3, seed=2**63 - 1)) == 3


@pytest.mark.parametrize("keep_constant", [True, False])
def test_some_feature_must_vary(keep_constant):
    for x in (np.ones((5, 3)), X[:1]):
        refused("source must have a feature that varies", source=x, keep_constant=keep_constant)
    assert len(load_data(X[:1], standardize=False)) == 1
