"""What a sweep holds at a glance, on a dataset made by hand."""

import warnings

import numpy as np
import pytest
import xarray

from meanfield.sweeps.tables import (
    axes_to_draw,
    over_draws,
    select_cells,
    summarize,
    sweep_summary,
)
from meanfield.sweeps.words import DONE, FAILED, MISSING, STATISTICS

NAN = np.nan
DRAWN = np.array([[1.0, 2.0, 6.0], [4.0, NAN, 8.0], [5.0, NAN, NAN], [NAN, NAN, NAN]])
MEANS = [3.0, 6.0, 5.0, NAN]
SEMS = [np.sqrt(7 / 3), 2.0, NAN, NAN]  # sample variances 7 and 8


@pytest.fixture
def dataset():
    cells, draws = (2, 2), (2, 2, 3)
    status = np.where(np.isnan(DRAWN), FAILED, DONE)
    status[3] = MISSING
    return xarray.Dataset(
        {
            **{n: (("norm", "width", "draw"), DRAWN.reshape(draws)) for n in STATISTICS},
            **{f"theory_{n}": (("norm", "width"), np.full(cells, 9.0)) for n in STATISTICS},
            "theory_eigenvalue_max_kind": (("norm", "width"), np.full(cells, "outlier")),
            "status": (("norm", "width", "draw"), status.reshape(draws)),
        },
        coords={"norm": ["none", "batch@last"], "width": [10, 20], "draw": [0, 1, 2]},
        attrs={"failures": {"0,1,1": "of the second"}},
    )


@pytest.mark.parametrize("order", [("cell", "draw"), ("draw", "cell")])
def test_means_and_errors_are_of_the_draws_that_there_are(order):
    values = xarray.DataArray(DRAWN, dims=("cell", "draw")).transpose(*order)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, sem = over_draws(values)
    assert mean.dims == sem.dims == ("cell",)
    np.testing.assert_allclose(mean, MEANS, rtol=1e-13)
    np.testing.assert_allclose(sem, SEMS, rtol=1e-13)


def test_a_row_per_cell(dataset):
    table = summarize(dataset)
    assert list(table.norm) == ["none", "none", "batch@last", "batch@last"]
    assert list(table.width) == [10, 20, 10, 20]
    assert list(table.draws) == [3, 2, 1, 0]
    for name in STATISTICS:
        np.testing.assert_allclose(table[name], MEANS, rtol=1e-13)
        np.testing.assert_allclose(table[f"{name}_sem"], SEMS, rtol=1e-13)
        assert (table[f"theory_{name}"] == 9.0).all()


def test_a_single_cell_is_a_single_row(dataset):
    table = summarize(dataset.isel(norm=0, width=1))
    assert (len(table), table.width[0], table.norm[0], table.draws[0]) == (1, 20, "none", 2)
    assert table.eigenvalue_max_sem[0] == pytest.approx(2.0)
    assert list(table) == list(summarize(dataset))


def test_counts(dataset):
    assert sweep_summary(dataset.assign_attrs(run_seconds=2.0)) == {
        "cells": 4,
        "measured": 6,
        "failed": 3,
        "missing": 3,
        "failures": {"0,1,1": "of the second"},
        "run_seconds": 2.0,
    }


def test_cells_are_selected_by_their_labels(dataset):
    chosen = select_cells(dataset, ["width=20", "norm=batch@last"])
    assert (chosen.width.item(), chosen.norm.item()) == (20, "batch@last")
    assert select_cells(dataset, []).identical(dataset)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("width", "select must be AXIS=VALUE with an axis of norm, width"),
        ("draw=1", "select must be AXIS=VALUE"),
        ("width=15", r"select must name one of width=10\|20, got '15'"),
    ],
)
def test_what_selects_nothing_is_refused(dataset, condition, said):
    with pytest.raises(ValueError, match=said):
        select_cells(dataset, [condition])


def test_lines_are_drawn_along_numbers_and_told_apart_by_the_norm(dataset):
    assert axes_to_draw(dataset) == ("width", "norm")
    by_variance = dataset.rename(norm="bias_var").assign_coords(bias_var=[0.1, 0.2])
    assert axes_to_draw(by_variance) == ("bias_var", "width")
    assert axes_to_draw(by_variance, "width") == ("width", "bias_var")
    assert axes_to_draw(by_variance.isel(bias_var=[0])) == ("width", "norm")
    with pytest.raises(ValueError, match="along must be an axis of several numbers"):
        axes_to_draw(dataset.isel(width=[0]))
