"""What a sweep holds, at a glance: one row per cell, or counts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meanfield.checks import shown
from meanfield.numerics.estimates import mean_and_sem
from meanfield.sweeps.words import (
    DONE,
    DRAW,
    DRAWS,
    FAILED,
    KIND,
    MISSING,
    SECONDS,
    STATISTICS,
    STATUS,
    THEORY,
)

if TYPE_CHECKING:
    import pandas
    import xarray


def sweep_summary(dataset: "xarray.Dataset") -> dict:
    """How many cells and draws there are, measured, failed and missing, and what failed.

    Of what `sweep` returns also the seconds that it took, summed over its workers.
    """
    status = dataset[STATUS].values
    return {
        "cells": status.size // dataset.sizes[DRAW],
        "measured": int((status == DONE).sum()),
        "failed": int((status == FAILED).sum()),
        "missing": int((status == MISSING).sum()),
        "failures": dict(dataset.attrs.get("failures", {})),
        **{name: dataset.attrs[name] for name in SECONDS if name in dataset.attrs},
    }


def select_cells(dataset: "xarray.Dataset", conditions: Sequence[str]) -> "xarray.Dataset":
    """The cells whose labels agree with every AXIS=VALUE.

    Raises:
        ValueError: A condition is malformed, or names no axis or no value of it.
    """
    for condition in conditions:
        axis, separator, wanted = condition.partition("=")
        axes = [name for name in dataset.dims if name != DRAW]
        if not separator or axis not in axes:
            raise ValueError(
                f"select must be AXIS=VALUE with an axis of {', '.join(map(str, axes))}, "
                f"got {shown(condition)}"
            )
        labels = [str(value) for value in dataset[axis].values]
        if wanted not in labels:
            raise ValueError(
                f"select must name one of {axis}={'|'.join(labels)}, got {shown(wanted)}"
            )
        dataset = dataset.isel({axis: [labels.index(wanted)]})
    return dataset


def summarize(dataset: "xarray.Dataset") -> "pandas.DataFrame":
    """One row per cell: theory's λ_max and its kind, and every statistic's mean and sem."""
    count = (dataset[STATUS] == DONE).sum(DRAW)
    columns = {KIND: dataset[KIND], DRAWS: count}
    for name in STATISTICS:
        columns[THEORY + name] = dataset[THEORY + name]
        columns[name], columns[f"{name}_sem"] = over_draws(dataset[name])
    cells = dataset.drop_vars(list(dataset.data_vars)).drop_dims(DRAW).assign(columns)
    if cells.sizes:
        return cells.to_dataframe().reset_index()
    return cells.expand_dims("cell").to_dataframe().reset_index(drop=True)  # it is the only one


def over_draws(values: "xarray.DataArray") -> tuple["xarray.DataArray", "xarray.DataArray"]:
    """The mean over the draws that are no NaN and its standard error, NaN of fewer than two."""
    import xarray

    return xarray.apply_ufunc(
        mean_and_sem, values, input_core_dims=[[DRAW]], output_core_dims=[[], []]
    )


def axes_to_draw(dataset: "xarray.Dataset", along: str | None = None) -> tuple[str, str]:
    """The axis to draw lines along, and the one that tells them apart.

    By default along the first axis of several numbers; apart by the norm, unless only another axis
    has several values.

    Raises:
        ValueError: There is no such axis.
    """
    several = [str(n) for n, size in dataset.sizes.items() if n != DRAW and size > 1]
    numeric = [name for name in several if dataset[name].dtype.kind in "iuf"]
    if along is None and not numeric:
        raise ValueError("along must be an axis of several numbers, there is none in this sweep")
    chosen = numeric[0] if along is None else along
    others = [name for name in several if name != chosen]
    return chosen, others[0] if others and "norm" not in others else "norm"
