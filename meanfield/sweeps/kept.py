"""What the store of a sweep holds and what is left to measure, without writing to it."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from meanfield.sweeps.chunks import DamagedError, check, values
from meanfield.sweeps.files import is_new, store_folder
from meanfield.sweeps.grid import Grid, merged
from meanfield.sweeps.seals import misplaced
from meanfield.sweeps.words import DONE, EMPTY, GRID, MISSING, SEAL, STATISTICS, STATUS


class Missing(NamedTuple):
    """Draws of one cell that are still to be measured."""

    place: tuple[int, ...]
    draws: tuple[int, ...]


def kept_attributes(path: Path) -> dict:
    """What the store at `path` says of itself.

    Raises:
        ValueError: There is none.
    """
    try:
        attributes = json.loads((path / "zarr.json").read_text("utf-8"))["attributes"]
        if not isinstance(attributes[GRID], str):
            raise TypeError("its grid is no text")
    except (OSError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"store must hold a sweep, got {path}: {error}") from error
    return attributes


def grid_of(attributes: dict, path: Path) -> Grid:
    """The grid that the store at `path` says it holds.

    Raises:
        ValueError: That is no grid.
    """
    try:
        return Grid.of_names(**json.loads(attributes[GRID]))
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"store must hold a sweep, got {path}: {error}") from error


def extended(path: Path, grid: Grid) -> Grid:
    """The grid of the store at `path` with what `grid` adds to it.

    Raises:
        ValueError: It holds another grid.
    """
    old = grid_of(kept_attributes(path), path)
    try:
        return merged(old, grid)
    except ValueError as error:
        raise ValueError(f"the grid is not that of the store {path}: {error}") from error


def left(store: Path | str | None, grid: Grid) -> tuple[Grid, list[Missing]]:
    """The grid as the store would hold it, and what no mark vouches for.

    Raises:
        ValueError: The store holds another grid, or is damaged.
    """
    path = None if store is None else store_folder(store)
    if path is None or is_new(path):
        return grid, unmarked(np.full((*grid.shape, grid.draws), MISSING, np.int8))
    grid = extended(path, grid)
    check(path, tuple(EMPTY), (*grid.shape, grid.draws))
    return grid, unmarked(measured_values(path, grid)[STATUS])


def is_measured(store: Path | str, grid: Grid) -> bool:
    """Whether a sweep would have nothing to measure.

    Raises:
        ValueError: The store holds another grid.
    """
    try:
        return not left(store, grid)[1]
    except DamagedError:
        return False


def measured_values(path: Path, grid: Grid) -> dict[str, np.ndarray]:
    """Every statistic of every draw of a grid, and the marks, once all chunks are checked.

    The arrays may be shorter or longer than that where the store was just being extended. A mark
    does not vouch for what is not there, as after an incomplete copy, nor for what is there but
    belongs elsewhere: there it says so.
    """
    shape = (*grid.shape, grid.draws)
    found = {name: values(path, name, shape, empty) for name, empty in EMPTY.items()}
    # s_λ may be left out on purpose.
    needed = STATISTICS if grid.second_moment else STATISTICS[:-1]
    lost = np.any([np.isnan(found[name]) for name in needed], axis=0)
    wrong = misplaced(found)
    found[STATUS][wrong | lost & (found[STATUS] == DONE)] = MISSING
    for name in STATISTICS:
        found[name][wrong] = EMPTY[name]
    del found[SEAL]
    return found


def unmarked(status: np.ndarray) -> list[Missing]:
    """The draws of each cell that no mark vouches for."""
    places = np.ndindex(status.shape[:-1])
    found = ((place, np.flatnonzero(status[place] == MISSING)) for place in places)
    return [Missing(place, tuple(draws.tolist())) for place, draws in found if draws.size]
