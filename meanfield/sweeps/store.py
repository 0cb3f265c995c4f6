"""Where the cells of a sweep are kept: a Zarr store with one chunk per cell and a mark per draw.

Every chunk carries a checksum and is replaced as a whole, so that what a mark vouches for is either
there or known to be damaged. A single process writes.
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import Missing, extended, is_there, unmarked
from meanfield.sweeps.words import (
    DONE,
    DRAW,
    FAILED,
    KIND,
    MISSING,
    STATISTICS,
    STATUS,
    THEORY,
    Results,
)
from meanfield.theory.kinds import Kind
from meanfield.theory.white_noise.many import Theory

if TYPE_CHECKING:
    import zarr

NORMALIZATION = (
    "F = sum_t,k grad f_k(t) grad f_k(t)^T / T, of the squared loss sum_t |y - f|^2 / 2T"
)
EMPTY: dict[str, np.generic] = {  # what an array holds of a draw that is still to be measured
    **dict.fromkeys(STATISTICS, np.float64(np.nan)),
    STATUS: np.int8(MISSING),  # last, also to be written: it vouches for the rest
}
FLAGS = {"flag_values": list(range(len(Kind))), "flag_meanings": " ".join(Kind)}
NO_KIND = -1  # where an interrupted call has not written it
CHUNK_BYTES = 4096  # what a file takes on most disks
HEADROOM = 2**20


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

        self.path = Path(path)
        if not is_there(self.path):
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise ValueError(f"store must be new or the store of a sweep, got {self.path}")
            self.grid = grid
        else:
            self.grid = extended(self.path, grid)
        self.path.mkdir(parents=True, exist_ok=True)
        _check_writable(self.path, _bytes(self.grid) - _held(self.path))
        described = {"grid": json.dumps(self.grid.to_dict())}
        self._group = zarr.open_group(self.path, mode="a", attributes={**described})
        self._arrays = {name: self._resized(name) for name in EMPTY}
        self._group.attrs.update(described)  # of an old one not before all of it has its shape

    def describe(self, **attributes: str) -> None:
        """Adds attributes to the dataset."""
        self._group.attrs.update({"normalization": NORMALIZATION, **attributes})

    def _resized(self, name: str) -> "zarr.Array":
        """The array of that name, made or extended to the grid's shape."""
        from zarr.codecs import Crc32cCodec

        cells, draws = self.grid.shape, self.grid.draws
        if name in self._group:
            array: zarr.Array = self._group[name]  # type: ignore[assignment]
            array.resize((*cells, draws))
            return array
        return self._group.create_array(
            name,
            shape=(*cells, draws),
            chunks=(*(1 for _ in cells), draws),
            dtype=EMPTY[name].dtype,
            fill_value=EMPTY[name].item(),
            compressors=[Crc32cCodec()],
            dimension_names=(*self.grid.axes, DRAW),
        )

    def _read(self, name: str, region: tuple[int | slice, ...]) -> np.ndarray:
        """Draws of one cell, as an array of its own."""
        return np.array(self._arrays[name][region])

    def write_theory(self, theory: Theory) -> None:
        """Replaces the theory of all cells, given in the order of `Grid.cells`.

        The kind of λ_max is removed first and written last: it vouches for the rest. What its
        numbers mean is written with it, as the CF conventions have it: `Kind` may come to have
        other members.
        """
        values = {THEORY + name: np.asarray(column) for name, column in theory._asdict().items()}
        kinds = values.pop(KIND)
        if KIND in self._group:
            del self._group[KIND]
        for name, column in values.items():
            self._replace(name, column.astype("f8"), np.nan)
        self._replace(KIND, kinds.astype("i1"), NO_KIND, FLAGS)

    def _replace(
        self, name: str, column: np.ndarray, empty: float, attributes: dict | None = None
    ) -> None:
        """Writes an array of one number per cell anew."""
        self._group.create_array(
            name,
            data=column.reshape(self.grid.shape),
            fill_value=empty,
            attributes=attributes,
            dimension_names=tuple(self.grid.axes),
            overwrite=True,
        )

    def write(self, place: tuple[int, ...], results: Results) -> None:
        """The results of some draws of one cell; a text is the message of a failure."""
        self._record_failures(place, results)
        first, end = min(results), max(results) + 1
        # Chunks beyond these draws stay untouched.
        region: tuple[int | slice, ...] = (*place, slice(first, end))
        for name, empty in EMPTY.items():
            if len(results) == end - first:
                column = np.full(end - first, empty)
            else:
                column = self._read(name, region)
            for draw, result in results.items():
                column[draw - first] = _entry(name, result)
            self._arrays[name][region] = column

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
        """What is still to be measured, damaged chunks included; these are wiped first."""
        every = (slice(None),) * (len(self.grid.shape) + 1)
        try:
            status = self._checked(every)
        except ValueError:  # a checksum that does not agree, or a chunk cut short
            status = np.full((*self.grid.shape, self.grid.draws), MISSING)
            for place in np.ndindex(self.grid.shape):
                status[place] = self._mended(place)
        return unmarked(status)

    def _checked(self, region: tuple[int | slice, ...]) -> np.ndarray:
        """The marks of some draws, once all that they vouch for was read too.

        Raises:
            ValueError: Some of it is damaged.
        """
        return [self._read(name, region) for name in EMPTY][-1]

    def _mended(self, place: tuple[int, ...]) -> np.ndarray:
        """The marks of a cell; if any of its chunks is damaged it is wiped, and has none."""
        try:
            return self._checked(place)
        except ValueError:
            self._wipe(place)
            return np.full(self.grid.draws, MISSING)

    def _wipe(self, place: tuple[int, ...]) -> None:
        for name in (STATUS, *STATISTICS):  # the marks first
            folder = self.path / name / "c"
            for chunk in folder.joinpath(*map(str, place)).iterdir():
                chunk.unlink()


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


def _check_writable(path: Path, needed: int) -> None:
    """Finds out before any compute whether so many bytes can be written.

    Raises:
        OSError: They cannot.
    """
    probe = path / ".write"
    probe.write_bytes(b"")
    probe.unlink()
    free = shutil.disk_usage(path).free
    if free < needed + HEADROOM:
        raise OSError(
            f"the disk of {path} has {free / 1e6:.3g} MB left, the sweep needs "
            f"{(needed + HEADROOM) / 1e6:.3g} MB"
        )
