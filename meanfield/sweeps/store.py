"""Where the cells of a sweep are kept: a Zarr store with one chunk per cell and a mark per draw.

Every chunk carries a checksum and is replaced as a whole, so that what a mark vouches for is either
there or known to be damaged. A single process writes, as `files.only_writer` sees to. Killed
anywhere it leaves a store that can be taken up again: what counts of the grid and of the theory is
in the group's attributes, a single file, which is replaced in one step once all of that is there.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meanfield.sweeps.chunks import chunk_file, damage, opened
from meanfield.sweeps.files import check_room, is_new, store_folder
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import Missing, extended, measured_values, unmarked
from meanfield.sweeps.predicted import forget_predicted, write_predicted
from meanfield.sweeps.seals import sealed
from meanfield.sweeps.words import (
    DONE,
    DRAW,
    EMPTY,
    FAILED,
    GRID,
    SEAL,
    STATUS,
    THEORY_GROUP,
    Results,
)
from meanfield.theory.white_noise.many import Theory

if TYPE_CHECKING:
    import zarr

NORMALIZATION = (
    "F = sum_t,k grad f_k(t) grad f_k(t)^T / T, of the squared loss sum_t |y - f|^2 / 2T"
)
CHUNK_BYTES = 4096  # what a file takes on most disks


class Store:
    """The store of one sweep.

    Attributes:
        path: Its folder.
        grid: What it holds; axes that were extended keep their old values in front.
    """

    def __init__(self, path: Path | str, grid: Grid):
        """Opens the store at `path`, or makes one.

        Raises:
            ValueError: It holds a grid that differs in more than additional values along its
                axes and additional draws, or is no store of a sweep.
            OSError: It cannot be written.
        """
        import zarr  # on first use: of the `sweep` extra

        self.path = store_folder(path)
        new = is_new(self.path)
        self.grid = grid if new else extended(self.path, grid)
        self.path.mkdir(parents=True, exist_ok=True)
        if any(self._shape_of(name) != self._shape for name in EMPTY):
            self.check_room()
        described = {GRID: json.dumps(self.grid.to_dict())}
        self._group = zarr.open_group(self.path, mode="a", attributes={**described})
        if GRID not in self._group.attrs:
            self._group.update_attributes(described)
        self._arrays = {name: self._resized(name) for name in EMPTY}

    @property
    def _shape(self) -> tuple[int, ...]:
        return (*self.grid.shape, self.grid.draws)

    def _shape_of(self, name: str) -> tuple[int, ...] | None:
        array = opened(self.path, name, len(self._shape))
        return None if array is None else array.shape

    def check_room(self) -> None:
        """Finds out before any compute whether all that is still to come can be written.

        Raises:
            OSError: It cannot.
        """
        check_room(self.path, _bytes(self.grid) - _held(self.path))

    def describe(self, **attributes: str) -> None:
        """Adds attributes to the dataset."""
        self._group.update_attributes({"normalization": NORMALIZATION, **attributes})

    def _resized(self, name: str) -> "zarr.Array":
        """The array of that name, made or extended to the grid's shape."""
        from zarr.codecs import Crc32cCodec

        array = opened(self.path, name, len(self._shape), "r+")
        if array is None:
            return self._group.create_array(
                name,
                shape=self._shape,
                chunks=(*(1 for _ in self.grid.shape), self.grid.draws),
                dtype=EMPTY[name].dtype,
                fill_value=EMPTY[name].item(),
                compressors=[Crc32cCodec()],
                dimension_names=(*self.grid.axes, DRAW),
            )
        if array.shape != self._shape:
            array.resize(self._shape)
        return array

    def _read(self, name: str, region: tuple[int | slice, ...]) -> np.ndarray:
        """Draws of one cell, as an array of its own."""
        return np.array(self._arrays[name][region])

    def write_theory(self, theory: Theory) -> bool:
        """Replaces the theory of all cells, given in the order of `Grid.cells`.

        From here on the store's grid is this one, in the same step: until then it was that of
        before, with the theory of before.

        Returns:
            Whether either is another one now.
        """
        before = self._group.attrs.get(THEORY_GROUP)
        group = write_predicted(self.path, self.grid, theory)
        described = {GRID: json.dumps(self.grid.to_dict()), THEORY_GROUP: group}
        if described.items() <= self._group.attrs.asdict().items():
            return False
        self._group.update_attributes(described)
        forget_predicted(self.path, {group, before})  # some may be reading that
        return True

    def write(self, place: tuple[int, ...], results: Results) -> None:
        """The results of some draws of one cell; a text is the message of a failure."""
        self._record_failures(place, results)
        first, end = min(results), max(results) + 1
        # Chunks beyond these draws stay untouched.
        region: tuple[int | slice, ...] = (*place, slice(first, end))
        columns = {name: self._column(name, region, results) for name in EMPTY if name != SEAL}
        draws = np.arange(first, end)
        columns[SEAL] = sealed((*place, draws), columns)
        for name in EMPTY:
            self._arrays[name][region] = columns[name]

    def _column(self, name: str, region: tuple[int | slice, ...], results: Results) -> np.ndarray:
        """An array's draws in a region, which begins and ends with results; others as they were."""
        first, end = min(results), max(results) + 1
        if len(results) == end - first:
            column = np.full(end - first, EMPTY[name])
        else:
            column = self._read(name, region)
        for draw, result in results.items():
            column[draw - first] = _entry(name, result)
        return column

    def _record_failures(self, place: tuple[int, ...], results: Results) -> None:
        """Adds the messages of failed draws, by their place in the dataset."""
        new = {
            ",".join(map(str, (*place, draw))): result
            for draw, result in results.items()
            if isinstance(result, str)
        }
        if new:
            old: dict = self._group.attrs.get("failures", {})  # type: ignore[assignment]
            self._group.attrs["failures"] = {**old, **new}

    def missing(self) -> list[Missing]:
        """What is still to be measured; cells with a damaged chunk are wiped first."""
        for name in EMPTY:
            for *place, _ in list(damage(self.path, name, self._shape)):
                self._wipe(tuple(place))
        return unmarked(measured_values(self.path, self.grid)[STATUS])

    def _wipe(self, place: tuple[int, ...]) -> None:
        for name in reversed(EMPTY):  # the marks first
            array = self._arrays[name]
            for part in range(array.cdata_shape[-1]):
                chunk_file(self.path / name, array, (*place, part)).unlink(missing_ok=True)


def _entry(name: str, result: dict[str, float] | str) -> float:
    """What an array holds of a draw that was measured, or failed with a message."""
    if isinstance(result, str):
        return FAILED if name == STATUS else np.nan
    return DONE if name == STATUS else result[name]


def _bytes(grid: Grid) -> int:
    """What the store of a grid takes on disk, at most."""
    chunk = -(-(8 * grid.draws + 4) // CHUNK_BYTES) * CHUNK_BYTES
    return len(grid) * len(EMPTY) * chunk


def _held(path: Path) -> int:
    """What of it is there already, about."""
    return CHUNK_BYTES * sum(1 for _ in path.glob("*/c/**/*"))
