"""Arrays from files, one reader per format: each takes an open file and trusts nothing in it.

A reader returns the inputs, with however many axes they were stored, and the targets or None. It
may raise anything on a damaged file; `read` turns that into one ValueError that names the file.
"""

import csv
import gzip
import io
import math
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.lib import format as npy_format

from meanfield.checks import shown
from meanfield.data.folders import labels_beside, train_images
from meanfield.machine.memory import check_memory

Arrays = tuple[np.ndarray, np.ndarray | None]
Opened = IO[bytes] | gzip.GzipFile
Order = Literal["C", "F"]

PIECE = 2**20  # bytes
COPIES = 3  # of a data set in float64: as it was, standardized, and in between
LONGEST_NPY_HEADER = 2**14  # numpy refuses headers over 10,000 bytes
LONGEST_MESSAGE = 300  # a damaged file's own text may be quoted in it

NPZ_INPUTS = ("x", "X", "inputs", "data", "x_train")
NPZ_TARGETS = ("y", "targets", "labels", "y_train")
CSV_TARGETS = ("target", "label", "y")


def read(path: Path) -> Arrays:
    """The inputs and targets of a file, or of a folder with MNIST's IDX files.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ValueError: It is of no known format, or damaged.
    """
    if path.is_dir():
        path = train_images(path)
    elif not path.exists():
        raise FileNotFoundError(f"source {shown(path)} does not exist")
    inputs, targets = _parse(path)
    labels = labels_beside(path)
    return inputs, _parse(labels)[0] if labels else targets


def _parse(path: Path) -> Arrays:
    suffix = next((s for s in READERS if path.name.lower().endswith(s)), None)
    # A pipe or a device would be waited for, or read without end.
    if suffix is None or not path.is_file():
        accepted = ", ".join(READERS)
        raise ValueError(
            f"source {shown(path)} must be a file whose name ends in one of {accepted}"
        )
    with path.open("rb") as file:  # what the system refuses to open stays an OSError
        try:
            return READERS[suffix](file)
        except Exception as error:  # zip, gzip and header parsers raise a dozen types when damaged
            reason = textwrap.shorten(str(error) or type(error).__name__, LONGEST_MESSAGE)
            raise ValueError(
                f"source {shown(path)} cannot be read as {suffix}: {reason}"
            ) from error


def _read_values(
    start: bytes, file: Opened, shape: tuple[int, ...], dtype: np.dtype, order: Order = "C"
) -> np.ndarray:
    """The array that a header promised, from `start` and the rest of `file`; nothing may follow.

    Read in pieces: memory follows what the file holds, not what its header promises.
    """
    if dtype.hasobject:
        raise ValueError("it holds pickled Python objects, which are never loaded")
    promised = math.prod(shape) * dtype.itemsize
    needed = promised + 8.0 * COPIES * math.prod(shape)
    check_memory(needed, f"shape {shape} of {dtype}", "take fewer rows")
    content = bytearray(start)
    # On past what was promised: to see what follows, and gzip and zip check their sums at the end.
    while len(content) <= promised and (piece := file.read(PIECE)):
        content += piece
    if len(content) != promised:
        found = "more" if len(content) > promised else f"{len(content)} bytes"
        raise ValueError(
            f"its header promises shape {shape} of {dtype}, {promised} bytes, but {found} follow"
        )
    return np.ndarray(shape, dtype, content, order=order)


def _npy_header(file: IO[bytes]) -> tuple[bytes, tuple[int, ...], np.dtype, Order]:
    """What follows the header in the part read, then the shape, the dtype and the order."""
    head = io.BytesIO(file.read(LONGEST_NPY_HEADER))
    version = npy_format.read_magic(head)
    if version == (1, 0):
        shape, fortran, dtype = npy_format.read_array_header_1_0(head)
    elif version == (2, 0):
        shape, fortran, dtype = npy_format.read_array_header_2_0(head)
    else:  # 3.0 differs from 2.0 only in the names of a structured array's fields
        raise ValueError(f"it must be of .npy version 1.0 or 2.0, got {version}")
    return head.read(), shape, dtype, "F" if fortran else "C"


def _read_npy(file: IO[bytes]) -> Arrays:
    start, shape, dtype, order = _npy_header(file)
    return _read_values(start, file, shape, dtype, order), None


def _read_npz(file: IO[bytes]) -> Arrays:
    with zipfile.ZipFile(file) as archive:
        names = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]

        def array(name: str) -> np.ndarray:
            with archive.open(f"{name}.npy") as member:
                return _read_npy(member)[0]

        def shape(name: str) -> tuple[int, ...]:
            with archive.open(f"{name}.npy") as member:
                return _npy_header(member)[1]

        targets = next((n for n in NPZ_TARGETS if n in names), None)
        inputs = next((n for n in NPZ_INPUTS if n in names), None)
        if inputs is None:
            tables = [n for n in names if n not in NPZ_TARGETS and len(shape(n)) > 1]
            if len(tables) != 1:
                held = ", ".join(f"{n} {shape(n)}" for n in names) or "no arrays"
                raise ValueError(
                    f"it must hold an array named {', '.join(NPZ_INPUTS)} or only one with "
                    f"2 or more axes, got {held}"
                )
            (inputs,) = tables
        return array(inputs), None if targets is None else array(targets)


def _read_csv(file: IO[bytes]) -> Arrays:
    numbers = _most_numbers(file)
    check_memory(8.0 * COPIES * numbers, f"a table of {numbers} numbers", "take fewer rows")
    number = 0

    def numbered(text: io.TextIOWrapper) -> Iterator[str]:
        nonlocal number
        for line in text:
            number += 1
            if line.strip():
                yield line

    try:
        with io.TextIOWrapper(file, "utf-8-sig") as text:
            header, table = _parse_csv(numbered(text))
    except ValueError as error:
        # NumPy counts rows, sometimes from 0, without the header and the blank lines.
        raise ValueError(f"line {number}: {str(error).split(' at row')[0]}") from error
    return _split_targets(table, header)


def _most_numbers(file: IO[bytes]) -> int:
    """How many numbers a table of text holds at most, by what is between them."""
    numbers = 1
    while piece := file.read(PIECE):
        numbers += piece.count(b",") + piece.count(b"\n")
    file.seek(0)
    return numbers


def _parse_csv(lines: Iterator[str]) -> tuple[list[str], np.ndarray]:
    """The columns' names, where the first line gives them, and the numbers."""
    first = next(lines, "")
    header = _csv_header(first)
    if header:
        first = next(lines, "")
    if not first:
        raise ValueError("no row of numbers follows")
    # NumPy's reader refuses ragged rows and empty cells, where pandas' would fill them in.
    rows = chain([first], lines)
    table = np.loadtxt(rows, delimiter=",", comments=None, quotechar='"', ndmin=2)
    if header and len(header) != table.shape[1]:
        raise ValueError(f"{table.shape[1]} columns, but {len(header)} in the header")
    return header, table


def _split_targets(table: np.ndarray, header: list[str]) -> Arrays:
    named = [i for i, title in enumerate(header) if title.lower() in CSV_TARGETS]
    if not named:
        return table, None
    if len(named) > 1:
        raise ValueError(f"one column at most may be named {', '.join(CSV_TARGETS)}, got {header}")
    targets = table[:, named[0]]
    # The text does not tell labels from values: whole numbers are taken for labels.
    if (np.abs(targets) < 2**53).all() and (targets == np.round(targets)).all():
        targets = targets.astype(np.int64)
    return np.delete(table, named[0], axis=1), targets


def _csv_header(line: str) -> list[str]:
    """The columns' names, or nothing where the line holds only numbers.

    Raises:
        ValueError: It is neither: a first row with a missing or misspelt number must not pass for
            a header, nor the nameless index column that pandas writes for a feature.
    """
    cells = [cell.strip() for cell in next(csv.reader([line]), [])]
    words = [cell for cell in cells if not _is_number(cell)]
    named = any(cell.lower() in CSV_TARGETS for cell in words)
    if "" in cells or (len(words) < len(cells) and words and not named):
        raise ValueError(f"neither numbers nor a name for every column, got {shown(words[0])}")
    return cells if words else []


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def _read_idx(file: Opened) -> Arrays:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_TYPES:
        raise ValueError(f"IDX starts with the bytes 00 00 TYPE AXES, got {magic.hex(' ')!r}")
    lengths = file.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        raise ValueError(
            f"its header promises {magic[3]} axes, but ends after {len(lengths)} bytes"
        )
    shape = tuple(np.frombuffer(lengths, ">u4").tolist())
    return _read_values(b"", file, shape, np.dtype(IDX_TYPES[magic[2]])), None


def _read_gzipped_idx(file: IO[bytes]) -> Arrays:
    with gzip.open(file) as content:
        return _read_idx(content)


READERS: dict[str, Callable[[IO[bytes]], Arrays]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".csv": _read_csv,
    "-ubyte": _read_idx,
    "-ubyte.gz": _read_gzipped_idx,
}
