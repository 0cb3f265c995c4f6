"""What a sweep's store holds as a labelled dataset, every variable of which says what it is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meanfield.spec.quantities import QUANTITIES
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import kept_grid
from meanfield.sweeps.words import DRAW, KIND, THEORY

if TYPE_CHECKING:
    import xarray


def load(path: Path | str) -> "xarray.Dataset":
    """The dataset of a sweep: theory and measurement with a dimension per axis, and `draw`.

    Measured variables are those of `meanfield.Simulation`, their theory has the same name with
    `theory_` in front; `theory_eigenvalue_max_kind` is `outlier`, `bulk-edge` or `lower-bound`.
    `status` is 1 for a measured draw, 2 for a failed one, whose message is in the attribute
    `failures`, and 0 for one that is still to come.

    Raises:
        ValueError: There is no sweep at `path`, or its theory is missing or in an older version's
            form; `meanfield.sweep` writes it anew.
    """
    grid = kept_grid(Path(path))
    try:
        dataset = _opened(Path(path), grid)
        dataset[KIND] = _named(dataset[KIND])
    except _NoTheoryError as error:
        raise ValueError(
            f"the theory of the sweep {path} is not there, or was written by an older version "
            f"({error}): run the sweep again, which keeps what is measured"
        ) from error
    coordinates = {axis: grid.labels(axis) for axis in grid.axes}
    dataset = dataset.assign_coords({**coordinates, DRAW: np.arange(grid.draws)})
    for name, variable in dataset.variables.items():
        if quantity := QUANTITIES.get(str(name).removeprefix(THEORY)):
            variable.attrs.update(long_name=quantity.definition, units=quantity.unit)
    dataset = dataset.assign_coords(_tied_samples(grid))
    return dataset.assign_attrs({name: json.dumps(v) for name, v in grid.fixed.items()})


class _NoTheoryError(Exception):
    """A sweep's arrays are not all there, or do not say what they mean."""


def _opened(path: Path, grid: Grid) -> "xarray.Dataset":
    """All arrays of the store, once all of them are of the grid's shape.

    Raises:
        _NoTheoryError: They are not: a call was killed between making them and its theory.
    """
    import xarray  # on first use: of the `sweep` extra

    try:
        dataset = xarray.open_zarr(path, consolidated=False, chunks=None)
    except ValueError as error:  # of two arrays that disagree
        raise _NoTheoryError(error) from error
    sizes = {**dict(zip(grid.axes, grid.shape, strict=True)), DRAW: grid.draws}
    if KIND not in dataset or dict(dataset.sizes) != sizes:
        raise _NoTheoryError("its arrays are incomplete")
    return dataset.load()


def _named(kinds: "xarray.DataArray") -> "xarray.DataArray":
    """The kinds of λ_max in words, by the flags of the CF conventions that were written with them.

    Raises:
        _NoTheoryError: There are no flags, or not of every kind.
    """
    if not {"flag_values", "flag_meanings"} <= kinds.attrs.keys():
        raise _NoTheoryError("the kinds of its largest eigenvalues are numbers without a meaning")
    meanings = np.array(kinds.attrs["flag_meanings"].split())
    matches = kinds.values[..., None] == np.array(kinds.attrs["flag_values"])
    if not matches.any(axis=-1).all():
        raise _NoTheoryError("some kinds of its largest eigenvalues have no meaning")
    return kinds.copy(data=meanings[matches.argmax(axis=-1)]).drop_attrs()


def _tied_samples(grid: Grid) -> dict[str, tuple[str, list[int]]]:
    """The coordinate that says how many samples each width has, where a rule ties them to it."""
    tied = [axis for axis in ("width", "widths") if axis in grid.axes]
    if not isinstance(grid.fixed.get("samples"), str) or len(tied) != 1:
        return {}
    sizes = {cell.place[list(grid.axes).index(tied[0])]: cell.samples for cell in grid.cells()}
    return {"samples": (tied[0], [sizes[i] for i in sorted(sizes)])}
