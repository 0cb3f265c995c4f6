"""The theory of a sweep in its store: written aside, then named in one step as that which counts.

It is in a group of its own, named by its content. Whoever reads the store, or takes it up after
any interruption, finds the theory of before or the new one, never a mixture or none.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from meanfield.sweeps.chunks import DamagedError, check, opened, values
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.words import KIND, STATISTICS, THEORY
from meanfield.theory.kinds import Kind
from meanfield.theory.white_noise.many import Theory

if TYPE_CHECKING:
    import xarray

GROUP = "theory-"  # in front of the digest of its content
# What the kinds' numbers mean, as the CF conventions have it: `Kind` may come to have others.
FLAGS: dict[str, Any] = {"flag_values": list(range(len(Kind))), "flag_meanings": " ".join(Kind)}


class NoTheoryError(Exception):
    """The theory of a sweep is not there, or does not say what it means."""


def write_predicted(path: Path, grid: Grid, theory: Theory) -> str:
    """Writes what is not there yet of a theory, given in the order of `Grid.cells`.

    Returns:
        The name of its group in the store at `path`.
    """
    import zarr
    from zarr.codecs import Crc32cCodec

    columns = _columns(grid, theory)
    name = GROUP + _digest(grid, columns, FLAGS)
    missing = [column for column in columns if not _is_there(path / name, column, columns[column])]
    if missing:
        zarr.open_group(path / name, mode="a")
    for column in missing:
        zarr.create_array(
            path / name / column,
            data=columns[column],
            chunks=grid.shape,
            compressors=[Crc32cCodec()],
            attributes=FLAGS if column == KIND else {},
            dimension_names=tuple(grid.axes),
            config={"write_empty_chunks": True},  # what is not there is missing
            overwrite=True,
        )
    return name


def _columns(grid: Grid, theory: Theory) -> dict[str, np.ndarray]:
    columns = {THEORY + name: np.asarray(column) for name, column in theory._asdict().items()}
    types = {name: "i1" if name == KIND else "f8" for name in columns}
    return {n: column.astype(types[n]).reshape(grid.shape) for n, column in columns.items()}


def _digest(grid: Grid, columns: dict[str, np.ndarray], flags: dict[str, Any]) -> str:
    """Of the grid in full, the columns and what the kinds' numbers mean."""
    found = hashlib.sha256(json.dumps([grid.to_dict(), flags], sort_keys=True).encode())
    for name in sorted(columns):
        found.update(name.encode() + columns[name].tobytes())
    return found.hexdigest()[:16]


def _is_there(path: Path, name: str, column: np.ndarray) -> bool:
    try:
        found = _whole(path, name, column.shape)
        if name == KIND:
            _in_words(_flags(path), found)
    except (DamagedError, NoTheoryError):
        return False
    return np.array_equal(found, column, equal_nan=True)


def _whole(path: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The values of an array of that shape, no chunk of which is missing.

    Raises:
        DamagedError: One is, or it is damaged.
        NoTheoryError: There is no such array.
    """
    array = opened(path, name)
    if array is None or array.shape != shape:
        raise NoTheoryError(f"{name} is not there for all cells")
    check(path, [name], shape, complete=True)
    return values(path, name, shape, array.dtype.type(0))


def read_predicted(path: Path, group: str | None, grid: Grid) -> dict[str, "xarray.Variable"]:
    """All of the theory in that group of the store at `path`, the kinds of λ_max in words.

    Raises:
        NoTheoryError: It is not there, or damaged.
    """
    import xarray  # on first use: of the `sweep` extra

    if group is None:
        raise NoTheoryError("there is none for this version")
    folder, needed = path / group, {KIND, *(THEORY + name for name in STATISTICS)}
    try:
        there = {file.parent.name for file in folder.glob("*/zarr.json")}
        found = {name: _whole(folder, name, grid.shape) for name in sorted(needed | there)}
        flags = _flags(folder)
        if group != GROUP + _digest(grid, found, flags):
            raise NoTheoryError("what is there is not what was written for this grid")
        found[KIND] = _in_words(flags, found[KIND])
    except DamagedError as error:
        raise NoTheoryError(error) from error
    return {name: xarray.Variable(tuple(grid.axes), column) for name, column in found.items()}


def _flags(folder: Path) -> dict[str, Any]:
    """What the numbers of the kinds of λ_max mean, as was written with them.

    Raises:
        NoTheoryError: It was not.
    """
    array = opened(folder, KIND)
    flags = dict(array.attrs) if array is not None else {}
    if not FLAGS.keys() <= flags.keys():
        raise NoTheoryError("the kinds of its largest eigenvalues are numbers without a meaning")
    return {name: flags[name] for name in FLAGS}


def _in_words(flags: dict[str, Any], kinds: np.ndarray) -> np.ndarray:
    """The kinds of λ_max by their flags.

    Raises:
        NoTheoryError: There is none of some kind.
    """
    meanings = np.array(str(flags["flag_meanings"]).split())
    matches = kinds[..., None] == np.array(flags["flag_values"])
    if not matches.any(axis=-1).all():
        raise NoTheoryError("some kinds of its largest eigenvalues have no meaning")
    return meanings[matches.argmax(axis=-1)]


def forget_predicted(path: Path, kept: set) -> None:
    """Removes theory that no longer counts, also where older versions have written it."""
    for pattern in (f"{GROUP}*", f"{THEORY}*"):
        for folder in path.glob(pattern):
            if folder.name not in kept:
                shutil.rmtree(folder)
