import math
from fractions import Fraction

import numpy as np
import pytest

from meanfield.checks import one_of, positive_integer, random_seed, variance


@pytest.mark.parametrize("value", [1, 7, np.int32(3), np.int64(10**12), 10**30])
def test_positive_integer_returns_a_plain_int(value):
    result = positive_integer("width", value)
    assert result == value
    assert type(result) is int


@pytest.mark.parametrize(
    "value",
    [0, -1, 2.5, 2.0, np.float64(3), True, False, np.True_, "3", None, math.nan, Fraction(3), [3]],
)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="width must be a positive integer, got ") as error:
        positive_integer("width", value)
    assert str(error.value).endswith(repr(value))


def test_the_least_accepted_integer_is_named():
    assert positive_integer("seed", 0, least=0) == 0
    assert positive_integer("samples", 4, least=4) == 4
    with pytest.raises(ValueError, match="samples must be an integer of at least 4, got 3"):
        positive_integer("samples", 3, least=4)


@pytest.mark.parametrize("value", [0, 0.0, 2, 1.5, np.float32(0.5), np.int64(3), Fraction(1, 2)])
def test_variance_returns_a_plain_float(value):
    result = variance("weight_var", value)
    assert result == value
    assert type(result) is float


@pytest.mark.parametrize(
    "value", [-1e-300, -2, math.nan, math.inf, -math.inf, True, "2", None, 1j, [1.0]]
)
def test_other_variances_are_refused(value):
    with pytest.raises(ValueError, match="weight_var must be a finite number of at least 0") as e:
        variance("weight_var", value)
    assert str(e.value).endswith(f"got {value!r}")


def test_one_of_lists_what_is_accepted():
    assert one_of("method", "dual", ("auto", "dual")) == "dual"
    for value in ("Dual", "", None, 3, ["dual"]):
        with pytest.raises(ValueError, match="method must be one of auto, dual, got ") as error:
            one_of("method", value, ("auto", "dual"))
        assert str(error.value).endswith(repr(value))


@pytest.mark.parametrize("seed", [0, 2**63 - 1, np.int64(5)])
def test_seeds(seed):
    assert random_seed(seed) == seed
    assert type(random_seed(seed)) is int


@pytest.mark.parametrize("seed", [-1, 2**63, 0.5, True, "1"])
def test_bad_seeds(seed):
    with pytest.raises(ValueError, match=f"seed must be .*, got {seed!r}"):
        random_seed(seed)
