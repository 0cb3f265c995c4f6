"""What the store of a sweep holds and what is left to measure, without writing to it."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from meanfield.sweeps.grid import Grid, merged
from meanfield.sweeps.words import MISSING, STATUS


class Missing(NamedTuple):
    """Draws of one cell that are still to be measured."""

    place: tuple[int, ...]
    draws: tuple[int, ...]


def is_there(path: Path) -> bool:
    """Whether `path` is a store, of a sweep or of anything else."""
    return (path / "zarr.json").exists()


def kept_grid(path: Path) -> Grid:
    """The grid of the store at `path`.

    Raises:
        ValueError: There is none.
    """
    try:
        attributes = json.loads((path / "zarr.json").read_text())["attributes"]
        return Grid.of_names(**json.loads(attributes["grid"]))
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"store must hold a sweep, got {path}: {error}") from error


def extended(path: Path, grid: Grid) -> Grid:
    """The grid of the store at `path` with what `grid` adds to it.

    Raises:
        ValueError: It holds another grid.
    """
    old = kept_grid(path)
    try:
        return merged(old, grid)
    except ValueError as error:
        raise ValueError(f"the grid is not that of the store {path}: {error}") from error


def left(path: Path | str | None, grid: Grid) -> tuple[Grid, list[Missing]]:
    """The grid as the store at `path` would hold it, and what no mark vouches for.

    Raises:
        ValueError: The store holds another grid.
    """
    if path is None or not is_there(Path(path)):
        return grid, unmarked(np.full((*grid.shape, grid.draws), MISSING))
    grid = extended(Path(path), grid)
    status = np.full((*grid.shape, grid.draws), MISSING)
    marks = _marks(Path(path))
    status[tuple(map(slice, marks.shape))] = marks
    return grid, unmarked(status)


def _marks(path: Path) -> np.ndarray:
    """The marks of the grid of the store at `path`.

    There are none yet, or some beyond it, where its process was killed while it made or extended
    the store.
    """
    import zarr  # on first use: of the `sweep` extra

    grid = kept_grid(path)
    array = zarr.open_group(path, mode="r").get(STATUS)
    if array is None:
        return np.full((*grid.shape, grid.draws), MISSING)
    return np.asarray(array[tuple(map(slice, (*grid.shape, grid.draws)))])  # type: ignore[index]


def unmarked(status: np.ndarray) -> list[Missing]:
    """The draws of each cell that no mark vouches for."""
    places = np.ndindex(status.shape[:-1])
    found = ((place, np.flatnonzero(status[place] == MISSING)) for place in places)
    return [Missing(place, tuple(draws.tolist())) for place, draws in found if draws.size]
