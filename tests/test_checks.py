"""What is accepted at the public boundary, and where seeds are checked."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import meanfield as mf
from meanfield.checks import (
    count,
    one_of,
    positive_integer,
    random_seed,
    reason,
    shown,
    variance,
    variances,
)


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


@pytest.mark.parametrize("values", [0, 1.5, [0, 2], np.float32([[0.5]]), np.uint8([3]), (1, 2.5)])
def test_variances_return_float64(values):
    found = variances("q", values)
    np.testing.assert_array_equal(found, values)
    assert (found.dtype, found.shape) == (np.float64, np.shape(values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, -2e-9], "q must be finite and at least 0 everywhere, got -2e-09"),
        ([[1.0], [math.nan]], "q must be finite and at least 0 everywhere, got nan"),
        (math.inf, "q must be finite and at least 0 everywhere, got inf"),
        ([], r"q must be a non-empty array of real numbers, got \[\]"),
        ("2", "q must be a non-empty array of real numbers, got '2'"),
        (None, "q must be a non-empty array of real numbers, got None"),
        ([True], "q must be a non-empty array of real numbers"),
        ([1j], "q must be a non-empty array of real numbers"),
        ([[1], [1, 2]], "q must be a non-empty array of real numbers"),
    ],
)
def test_other_arrays_are_refused(values, said):
    with pytest.raises(ValueError, match=said):
        variances("q", values)


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


CALLS = {
    "predict": lambda net, seed: mf.predict(net, 8, seed=seed),
    "predict on inputs": lambda net, seed: mf.predict(net, inputs=np.ones((8, 5)), seed=seed),
    "simulate": lambda net, seed: mf.simulate(net, 8, seed=seed),
    "simulate on inputs": lambda net, seed: mf.simulate(net, inputs=np.ones((8, 5)), seed=seed),
    "compare": lambda net, seed: mf.compare(net, 8, seed=seed),
    "compare on inputs": lambda net, seed: mf.compare(net, inputs=np.ones((8, 5)), seed=seed),
}


@pytest.mark.parametrize(("seed", "said"), [(2**63, r"below 2\*\*63"), (-1, "an integer of at")])
@pytest.mark.parametrize("name", CALLS)
def test_seeds_are_checked_before_any_compute(name, seed, said):
    applied = []

    def activation(u):
        applied.append(u)
        return abs(u)

    network = mf.Network(depth=2, width=5, activation=activation)
    applied.clear()  # the spec has tried it
    with pytest.raises(ValueError, match=f"^seed must be {said}.*, got {seed}"):
        CALLS[name](network, seed)
    assert not applied


def test_the_seed_of_a_validation_too():
    def predict(*arguments, **options):
        raise AssertionError("it computes")

    for quick in (False, True):
        with pytest.raises(ValueError, match=r"^seed must be below 2\*\*63, got 92233"):
            mf.validate(quick=quick, seed=2**63, predict=predict)


@pytest.mark.parametrize("check", [positive_integer, count, variance])
def test_numbers_beyond_floats_are_refused(check):
    for digits in (400, 5000):
        with pytest.raises(ValueError, match="it must be") as error:
            check("it", 10**digits)
        assert len(str(error.value)) < 300


def test_what_is_counted_stays_below_64_bits():
    assert count("draws", 2**63 - 1) == 2**63 - 1
    with pytest.raises(ValueError, match=r"draws must be below 2\*\*63, got 9223372036854775808"):
        count("draws", 2**63)


class Unspeakable:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "'a'"), (Path("a\nb"), "a b"), (Unspeakable(), "a Unspeakable")],
)
def test_what_was_given_is_shown_on_one_line(value, text):
    assert shown(value) == text
    assert shown(10**5000) == "a int"


def test_long_values_are_shown_by_their_ends():
    text = shown("a" * 100_000 + "z")
    assert len(text) < 200
    assert text.startswith("'aaa")
    assert text.endswith("az'")
    assert "100003 characters" in text
    assert shown("a" * 198) == repr("a" * 198)


def test_reasons_are_one_line():
    assert reason(ValueError("first\nsecond")) == "first"
    assert reason(SystemExit()) == "SystemExit()"
