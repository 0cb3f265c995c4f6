"""The arrays of a store as they are on disk: which chunks are damaged, and what the others hold.

Chunks are checked before the library that decodes them sees any: it reads them all at once, and
does not say which one is wrong.
"""

import json
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from meanfield.sweeps.words import EMPTY

if TYPE_CHECKING:
    import zarr

CODECS = ["bytes", "crc32c"]  # the numbers as they are in memory, and 4 bytes of checksum
CHECKSUM = 4


class DamagedError(ValueError):
    """Something in a store is not what was written."""


def opened(
    path: Path, name: str, dimensions: int | None = None, mode: Literal["r", "r+"] = "r"
) -> "zarr.Array | None":
    """An array of the store at `path`, or None where there is none.

    Args:
        path: The store's.
        name: The array's.
        dimensions: How many it has, if that is known.
        mode: Whether to read, or to write too.

    Raises:
        DamagedError: Its description is not one, or that of another array.
    """
    import zarr  # on first use: of the `sweep` extra

    file = path / name / "zarr.json"
    if not file.is_file():
        return None
    try:
        array = zarr.open_array(path / name, mode=mode)
        codecs = [codec["name"] for codec in json.loads(file.read_text("utf-8"))["codecs"]]
        if codecs != CODECS:
            raise ValueError(f"its codecs are {codecs}, not {CODECS}")
        if dimensions not in (None, array.ndim) or array.dtype != EMPTY.get(name, array).dtype:
            raise ValueError("it is that of another array")
    # Whatever the library stumbles over.
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise DamagedError(
            f"the array {name} of the store {path} is damaged, its zarr.json is no description "
            f"({error}): remove the folder {path / name} and run the sweep again, which makes "
            f"anew what was in it"
        ) from error
    return array


def chunk_file(path: Path, array: "zarr.Array", index: tuple[int, ...]) -> Path:
    """Where a chunk is; `path` is the array's."""
    return path / array.metadata.encode_chunk_key(index)


def damage(
    path: Path, name: str, shape: Sequence[int], complete: bool = False
) -> Iterator[tuple[int, ...]]:
    """The indices of the damaged chunks of an array, as far as it is within `shape`.

    Args:
        path: The store's.
        name: The array's.
        shape: What of the array counts.
        complete: A chunk that is not there is damaged too.
    """
    from google_crc32c import value as checksum  # on first use: of the `sweep` extra

    array = opened(path, name, len(shape))
    if array is None:
        return
    sizes = zip(array.shape, shape, array.chunks, strict=True)
    counts = [-(-min(has, asked) // chunk) for has, asked, chunk in sizes]
    size = prod(array.chunks) * array.dtype.itemsize + CHECKSUM
    for index in np.ndindex(*counts):
        try:
            with chunk_file(path / name, array, index).open("rb") as file:
                content = file.read(size + 1)
        except FileNotFoundError:
            if complete:
                yield index
            continue
        said = int.from_bytes(content[-CHECKSUM:], "little")
        if len(content) != size or checksum(content[:-CHECKSUM]) != said:
            yield index


def check(path: Path, names: Sequence[str], shape: Sequence[int], complete: bool = False) -> None:
    """Checks that no chunk of these arrays is damaged, as `damage` has it.

    Raises:
        DamagedError: One is; the message names it.
    """
    for name in names:
        for index in damage(path, name, shape, complete):
            array = opened(path, name)
            assert array is not None  # it has chunks
            chunk = chunk_file(path / name, array, index).relative_to(path)
            raise DamagedError(
                f"the chunk {chunk} of the store {path} is damaged: run the sweep again, which "
                f"makes it anew and keeps all others"
            )


def values(path: Path, name: str, shape: Sequence[int], empty: np.generic) -> np.ndarray:
    """What an array holds of `shape`; beyond the array, or where there is none, `empty`."""
    found = np.full(tuple(shape), empty)
    array = opened(path, name, len(shape))
    if array is not None:
        sizes = zip(array.shape, shape, strict=True)
        region = tuple(slice(min(has, asked)) for has, asked in sizes)
        found[region] = array[region]
    return found
