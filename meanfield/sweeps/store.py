"""Where the cells of a sweep are kept: a Zarr store with one chunk per cell and a mark per draw.

Every chunk carries a checksum and is replaced as a whole, so that what a mark vouches for is either
there or known to be damaged. A single process writes.
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meanfield.spec.quantities import QUANTITIES
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.words import (
    DONE,
    DRAW,
    DRAWS,
    FAILED,
    KIND,
    MISSING,
    STATISTICS,
    THEORY,
)
from meanfield.theory.kinds import Kind
from meanfield.theory.white_noise.many import Theory

if TYPE_CHECKING:
    import xarray
    import zarr

NORMALIZATION = (
    "F = sum_t,k grad f_k(t) grad f_k(t)^T / T, of the squared loss sum_t |y - f|^2 / 2T"
)
CHUNK_BYTES = 4096  # what a file takes on most disks
HEADROOM = 2**20


class Missing(NamedTuple):
    """Draws of one cell that are still to be measured."""

    place: tuple[int, ...]
    draws: tuple[int, ...]


class Store:
    """The store of one sweep.

    Attributes:
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
        if not (self.path / "zarr.json").exists():
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise ValueError(f"store must be new or the store of a sweep, got {self.path}")
            self.grid = grid
        else:
            self.grid = _merged(self.path, _read_grid(self.path), grid)
        self.path.mkdir(parents=True, exist_ok=True)
        _check_writable(self.path, _bytes(self.grid) - _held(self.path))
        self._group = zarr.open_group(self.path, mode="a")
        self._arrays = {name: self._resized(name) for name in (*STATISTICS, "status")}
        self._group.attrs["grid"] = json.dumps(self.grid.to_dict())

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
            dtype="i1" if name == "status" else "f8",
            fill_value=MISSING if name == "status" else np.nan,
            compressors=[Crc32cCodec()],
            dimension_names=(*self.grid.axes, DRAW),
        )

    def _read(self, name: str, region: tuple[int | slice, ...]) -> np.ndarray:
        """Draws of one cell, as an array of its own."""
        return np.array(self._arrays[name][region])

    @property
    def failures(self) -> dict[str, str]:
        """The messages of failed draws, by their place in the dataset."""
        return self._group.attrs.get("failures", {})  # type: ignore[return-value]

    def write_theory(self, theory: Theory) -> None:
        """Replaces the theory of all cells, given in the order of `Grid.cells`."""
        for name, values in theory._asdict().items():
            self._group.create_array(
                THEORY + name,
                data=np.asarray(values).reshape(self.grid.shape).astype("f8"),
                dimension_names=tuple(self.grid.axes),
                overwrite=True,
            )

    def write(self, place: tuple[int, ...], results: dict[int, dict[str, float] | str]) -> None:
        """The results of some draws of one cell; a text is the message of a failure."""
        first = min(results)
        # Chunks beyond these draws stay untouched.
        region: tuple[int | slice, ...] = (*place, slice(first, max(results) + 1))
        size = max(results) + 1 - first
        status, columns = np.empty(size, "i1"), {n: np.full(size, np.nan) for n in STATISTICS}
        if len(results) < size:
            status = self._read("status", region)
            columns = {name: self._read(name, region) for name in STATISTICS}
        failures = {}
        for draw, result in results.items():
            status[draw - first] = FAILED if isinstance(result, str) else DONE
            if isinstance(result, str):
                failures[",".join(map(str, (*place, draw)))] = result
                continue
            for name, column in columns.items():
                column[draw - first] = result[name]
        if failures:
            self._group.attrs["failures"] = {**self.failures, **failures}
        for name, column in columns.items():
            self._arrays[name][region] = column
        self._arrays["status"][region] = status  # last: it vouches for the rest

    def missing(self) -> list[Missing]:
        """What is still to be measured, damaged chunks included; these are wiped first."""
        every = (slice(None),) * (len(self.grid.shape) + 1)
        try:
            for name in STATISTICS:
                self._read(name, every)
            status = self._read("status", every)
        except ValueError:  # a checksum that does not agree, or a chunk cut short
            status = np.full((*self.grid.shape, self.grid.draws), MISSING)
            for place in np.ndindex(self.grid.shape):
                status[place] = self._mended(place)
        return unmarked(status)

    def _mended(self, place: tuple[int, ...]) -> np.ndarray:
        """The marks of a cell; if any of its chunks is damaged it is wiped, and has none."""
        try:
            for name in STATISTICS:
                self._read(name, place)
            return self._read("status", place)
        except ValueError:
            self._wipe(place)
            return np.full(self.grid.draws, MISSING)

    def _wipe(self, place: tuple[int, ...]) -> None:
        for name in ("status", *STATISTICS):
            folder = self.path / name / "c"
            for chunk in folder.joinpath(*map(str, place)).iterdir():
                chunk.unlink()


def left(path: Path | str | None, grid: Grid) -> tuple[Grid, list[Missing]]:
    """The grid as the store at `path` would hold it, and what no mark vouches for; only reads.

    Raises:
        ValueError: The store holds another grid.
    """
    import zarr

    old = None
    if path is not None and (Path(path) / "zarr.json").exists():
        old = _read_grid(Path(path))
        grid = _merged(Path(path), old, grid)
    status = np.full((*grid.shape, grid.draws), MISSING)
    if old is not None:
        there = tuple(slice(size) for size in (*old.shape, old.draws))
        status[there] = zarr.open_array(Path(path) / "status", mode="r")[:]  # type: ignore[arg-type]
    return grid, unmarked(status)


def unmarked(status: np.ndarray) -> list[Missing]:
    """The draws of each cell that no mark vouches for."""
    places = np.ndindex(status.shape[:-1])
    found = ((place, np.flatnonzero(status[place] == MISSING)) for place in places)
    return [Missing(place, tuple(draws.tolist())) for place, draws in found if draws.size]


def load(path: Path | str) -> "xarray.Dataset":
    """The dataset of a sweep: theory and measurement with a dimension per axis, and `draw`.

    Measured variables are those of `meanfield.Simulation`, their theory has the same name with
    `theory_` in front; `theory_eigenvalue_max_kind` is `outlier` or `lower-bound`. `status` is 1
    for a measured draw, 2 for a failed one, whose message is in the attribute `failures`, and 0
    for one that is still to come.

    Raises:
        ValueError: There is no sweep at `path`.
    """
    import xarray

    grid = _read_grid(Path(path))
    dataset = xarray.open_zarr(path, consolidated=False, chunks=None).load()
    places = dataset[KIND].astype(int)
    dataset[KIND] = places.copy(data=np.array([str(kind) for kind in Kind])[places.values])
    coordinates = {axis: grid.labels(axis) for axis in grid.axes}
    dataset = dataset.assign_coords({**coordinates, DRAW: np.arange(grid.draws)})
    for name, variable in dataset.variables.items():
        if quantity := QUANTITIES.get(str(name).removeprefix(THEORY)):
            variable.attrs.update(long_name=quantity.definition, units=quantity.unit)
    tied = [axis for axis in ("width", "widths") if axis in grid.axes]
    if isinstance(grid.fixed.get("samples"), str) and len(tied) == 1:
        sizes = {cell.place[list(grid.axes).index(tied[0])]: cell.samples for cell in grid.cells()}
        dataset = dataset.assign_coords(samples=(tied[0], [sizes[i] for i in sorted(sizes)]))
    return dataset.assign_attrs({name: json.dumps(v) for name, v in grid.fixed.items()})


def _read_grid(path: Path) -> Grid:
    """The grid of the store at `path`.

    Raises:
        ValueError: There is none.
    """
    try:
        attributes = json.loads((path / "zarr.json").read_text())["attributes"]
        return Grid(**json.loads(attributes["grid"]))
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"store must hold a sweep, got {path}: {error}") from error


def _merged(path: Path, old: Grid, new: Grid) -> Grid:
    """The new grid, with the old one's values in front along every axis.

    Raises:
        ValueError: It is not the old one with more along some axes.
    """
    was, now = old.to_dict(), new.to_dict()
    differences = [f"{name} is not in it" for name in was if name not in now]
    differences += [f"{name} is new in it" for name in now if name not in was]
    merged: dict = {}
    for name in (name for name in was if name in now):
        before, after = was[name], now[name]
        merged[name] = after
        if name in old.axes and name in new.axes:
            lost = [value for value in before if value not in after]
            if lost:
                differences.append(f"{name} lacks {lost}")
            merged[name] = before + [value for value in after if value not in before]
        elif name == DRAWS and after < before:
            differences.append(f"draws is {after}, it was {before}")
        elif name != DRAWS and before != after:
            differences.append(f"{name} is {after!r}, it was {before!r}")
    if differences:
        raise ValueError(f"the grid is not that of the store {path}: {'; '.join(differences)}")
    return Grid(**merged)


def _bytes(grid: Grid) -> int:
    """What the store of a grid takes on disk, at most."""
    chunk = -(-(8 * grid.draws + 4) // CHUNK_BYTES) * CHUNK_BYTES
    return len(grid) * (len(STATISTICS) + 1) * chunk


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
