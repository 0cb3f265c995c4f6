"""What a sweep's store holds as a labelled dataset, every variable of which says what it is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meanfield.spec.quantities import QUANTITIES
from meanfield.sweeps.chunks import check
from meanfield.sweeps.files import store_folder
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import grid_of, kept_attributes, measured_values
from meanfield.sweeps.predicted import NoTheoryError, read_predicted
from meanfield.sweeps.words import DRAW, EMPTY, THEORY, THEORY_GROUP

if TYPE_CHECKING:
    import xarray


def load(path: Path | str) -> "xarray.Dataset":
    """The dataset of a sweep: theory and measurement with a dimension per axis, and `draw`.

    Measured variables are those of `meanfield.Simulation`, their theory has the same name with
    `theory_` in front; `theory_eigenvalue_max_kind` is `outlier`, `bulk-edge` or `lower-bound`.
    `status` is 1 for a measured draw, 2 for a failed one, whose message is in the attribute
    `failures`, and 0 for one that is still to come.

    Raises:
        ValueError: There is no sweep at `path`, it is damaged, or its theory is missing or in an
            older version's form; `meanfield.sweep` writes anew what is.
    """
    import xarray  # on first use: of the `sweep` extra

    folder = store_folder(path)
    attributes = kept_attributes(folder)
    grid, group = grid_of(attributes, folder), attributes.pop(THEORY_GROUP, None)
    check(folder, tuple(EMPTY), (*grid.shape, grid.draws))
    try:
        variables = read_predicted(folder, group, grid)
    except NoTheoryError as error:
        raise ValueError(
            f"the theory of the sweep {path} is not there, or was written by an older version "
            f"({error}): run the sweep again, which keeps what is measured"
        ) from error
    measured = measured_values(folder, grid)
    variables |= {n: xarray.Variable((*grid.axes, DRAW), found) for n, found in measured.items()}
    coordinates = {axis: grid.labels(axis) for axis in grid.axes}
    dataset = xarray.Dataset(
        variables, {**coordinates, DRAW: np.arange(grid.draws), **_tied_samples(grid)}, attributes
    )
    for name, variable in dataset.variables.items():
        if quantity := QUANTITIES.get(str(name).removeprefix(THEORY)):
            variable.attrs.update(long_name=quantity.definition, units=quantity.unit)
    return dataset.assign_attrs({name: json.dumps(v) for name, v in grid.fixed.items()})


def _tied_samples(grid: Grid) -> dict[str, tuple[str, list[int]]]:
    """The coordinate that says how many samples each width has, where a rule ties them to it."""
    tied = [axis for axis in ("width", "widths") if axis in grid.axes]
    if not isinstance(grid.fixed.get("samples"), str) or len(tied) != 1:
        return {}
    sizes = {cell.place[list(grid.axes).index(tied[0])]: cell.samples for cell in grid.cells()}
    return {"samples": (tied[0], [sizes[i] for i in sorted(sizes)])}
