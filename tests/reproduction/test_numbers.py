"""Rows of theory against measurement, out of tables."""

import pandas
import xarray

from meanfield.reproduction.numbers import Number, are_bounds, exponents, limits, numbers
from meanfield.theory.kinds import Kind

CELLS = pandas.DataFrame(
    {
        "norm": ["none", "layer@last"],
        "theory_eigenvalue_max": [4.0, 2.0],
        "theory_eigenvalue_max_kind": [Kind.OUTLIER, Kind.LOWER_BOUND],
        "eigenvalue_max": [4.4, 5.0],
        "eigenvalue_max_sem": [0.1, float("nan")],
        "theory_eigenvalue_mean": [0.5, 0.25],
        "eigenvalue_mean": [0.5, 0.2],
        "eigenvalue_mean_sem": [0.01, 0.02],
    }
)


def test_nan_stands_for_none():
    nan = float("nan")
    assert Number.of("a", nan) == Number("a", None)
    assert Number.of("a", 1, nan, None) == Number("a", 1.0)


def test_a_row_per_cell_says_what_is_a_bound():
    assert numbers(CELLS, lambda row: row.norm) == [
        Number("none", 4.0, 4.4, 0.1),
        Number("layer@last", 2.0, 5.0, None, is_bound=True),
    ]


def test_a_mean_has_no_bound():
    found = numbers(CELLS, lambda row: row.norm, "eigenvalue_mean")
    assert [number.is_bound for number in found] == [False, False]
    assert [number.measured for number in found] == [0.5, 0.2]


def test_bounds_are_found_in_files_too(tmp_path):
    """There a kind is but its name."""
    CELLS.to_csv(tmp_path / "cells.csv")
    assert are_bounds(pandas.read_csv(tmp_path / "cells.csv")).tolist() == [False, True]


def test_a_row_per_exponent():
    fits = xarray.Dataset(
        {
            "theory_exponent": ("norm", [1.0]),
            "exponent": ("norm", [0.9]),
            "exponent_sem": ("norm", [float("nan")]),
        },
        {"norm": ["none"]},
    )
    assert exponents(fits, lambda fit: f"{fit.norm}!") == [
        Number("none!", 1.0, 0.9, None, is_exponent=True)
    ]


def test_a_row_per_limit_that_there_is():
    fits = xarray.Dataset(
        {
            "theory_limit": ("norm", [float("nan"), 9.1]),
            "limit": ("norm", [float("nan"), 9.2]),
            "limit_sem": ("norm", [float("nan"), 0.1]),
        },
        {"norm": ["none", "mean@last"]},
    )
    assert limits(fits, "{0.norm}: M → ∞".format) == [Number("mean@last: M → ∞", 9.1, 9.2, 0.1)]
