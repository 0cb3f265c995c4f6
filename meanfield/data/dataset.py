"""Data sets as a network's inputs: from scikit-learn, a file or an array; never from the network.

The theory's inputs have mean 0 and variance 1 in every feature, so data are standardized to that; a
feature that never varies cannot be, and is left out.
"""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from meanfield.checks import positive_integer, random_seed, shown
from meanfield.data import files as data_files

DIGITS = "digits"
ACCEPTED = (
    f"{DIGITS!r}, a .npy, .npz, .csv or IDX (-ubyte, -ubyte.gz) file, a folder with MNIST's IDX "
    "files or an array"
)
# A feature that varies less than this, relative to its largest value, is taken for constant: it is
# what some 5,000 roundings of a float64 amount to, and what rounding may shift the mean of 10^4
# rows by, so that nothing of its shape would survive the subtraction of its mean.
ROUNDING = 1e-12
LISTED = 10  # features named in a note


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Data:
    """A data set, ready to be a network's inputs: `np.asarray(data)` is `data.inputs`.

    Attributes:
        inputs: T×M_0, float64.
        targets: Labels of shape (T,) or values of shape (T, C), where the source has them.
        name: "digits", "array" or the file's name.
        classes: Where the targets are labels, those that occur among all rows of the source,
            ascending; else None.
        dropped: The indices, among the source's features, of those left out as constant.
        notes: What was done to the source: flattened, standardized, dropped, chosen.
    """

    inputs: np.ndarray
    targets: np.ndarray | None
    classes: tuple[int, ...] | None
    name: str
    dropped: tuple[int, ...]
    notes: tuple[str, ...]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        """The inputs, by NumPy 2's protocol."""
        return np.array(self.inputs, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        """T."""
        return len(self.inputs)

    def one_hot(self) -> np.ndarray:
        """The labels as targets of a network with an output for every class, T×C.

            y_tk = 1 if sample t is of class k, else 0

        C counts the classes of the whole source, so that it does not depend on the rows chosen.

        Raises:
            ValueError: The targets are no labels, or there are none.
        """
        if self.targets is None or self.classes is None:
            held = "no targets" if self.targets is None else f"values {self.targets.shape}"
            raise ValueError(f"targets of {self.name} must be integer labels (T,), got {held}")
        return (self.targets[:, None] == np.array(self.classes)).astype(np.float64)

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, M_0)."""
        return self.inputs.shape


def load_data(
    source: str | os.PathLike | ArrayLike,
    samples: int | None = None,
    *,
    standardize: bool = True,
    keep_constant: bool = False,
    seed: int = 0,
) -> Data:
    """Loads a data set, standardizes its features and chooses rows.

        x_i ← (x_i - ⟨x_i⟩) / sqrt(⟨(x_i - ⟨x_i⟩)²⟩),   ⟨·⟩ over all rows of the source

    Only then are constant features left out and `samples` rows chosen, the first ones of
    `np.random.default_rng(seed).permutation(rows)`.

    Args:
        source: "digits" (scikit-learn's, 1797×64); a `.npy`, `.npz`, `.csv` or IDX file; a folder
            with MNIST's or Fashion-MNIST's IDX files, of which the training images are taken; or
            an array whose first axis counts samples, further axes being flattened to T×M_0.
        samples: How many rows to choose; by default all, in their order.
        standardize: Whether to standardize; without, no feature is changed or left out.
        keep_constant: Whether constant features stay, as zeros.
        seed: Of the choice of rows, from 0 to 2⁶³ − 1.

    Raises:
        ValueError: An argument is out of range, or the source is no table of finite numbers.
        FileNotFoundError: There is no file or folder of that name.
        ModuleNotFoundError: "digits" needs scikit-learn, from the `data` extra.
    """
    samples = None if samples is None else positive_integer("samples", samples)
    seed = random_seed(seed)
    name, where, raw, raw_targets = _load(source)
    inputs, notes = _as_table(where, raw)
    targets = None if raw_targets is None else _check_targets(where, raw_targets, len(inputs))
    rows = len(inputs)
    if samples is not None and samples > rows:
        raise ValueError(f"samples must be at most the {rows} rows of {where}, got {samples}")
    classes = None if targets is None else _classes(targets)
    dropped: tuple[int, ...] = ()
    if standardize:
        constant = _standardize(inputs)
        notes += _on_standardized(where, inputs.shape, constant, keep_constant)
        if constant and not keep_constant:
            dropped = constant
            inputs = np.delete(inputs, dropped, axis=1)
    if samples is not None:
        chosen = np.random.default_rng(seed).permutation(rows)[:samples]
        inputs = inputs[chosen]
        targets = None if targets is None else targets[chosen]
        notes.append(f"{samples} of {rows} rows chosen at random, seed {seed}")
    return Data(np.ascontiguousarray(inputs), targets, classes, name, dropped, tuple(notes))


def _load(source: str | os.PathLike | ArrayLike) -> tuple[str, str, np.ndarray, np.ndarray | None]:
    """The name, the source in words for messages, the inputs and the targets."""
    if isinstance(source, str) and source == DIGITS:
        return DIGITS, f"source {DIGITS!r}", *_digits()
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if isinstance(source, str) and not _names_a_path(source):
            raise ValueError(f"source must be {ACCEPTED}, got {shown(source)}")
        return path.absolute().name, f"source {shown(path)}", *data_files.read(path)
    try:
        array = np.asarray(source)
    except Exception as error:  # another library's array may refuse in its own way
        raise ValueError(f"source must be {ACCEPTED}, got {error}") from error
    if array.ndim == 0:
        raise ValueError(f"source must be {ACCEPTED}, got {type(source).__name__}")
    return "array", "source", array, None


def _names_a_path(word: str) -> bool:
    """Whether a word is to be looked up as a file rather than to be taken for a misspelt name."""
    path = Path(word)
    return bool(word) and (path.suffix != "" or path.name != word or path.exists())


def _digits() -> data_files.Arrays:
    if find_spec("sklearn") is None:
        raise ModuleNotFoundError(
            "source 'digits' needs scikit-learn: pip install 'meanfield[data]'"
        )
    from sklearn.datasets import load_digits  # takes a second to import

    digits = load_digits()
    return digits.data, digits.target


def _as_table(where: str, array: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """A T×M_0 copy in float64, and a note where axes were flattened."""
    if array.ndim < 2 or array.size == 0:
        raise ValueError(
            f"{where} must have shape (T, M_0) or more axes, none empty, got {array.shape}"
        )
    table = _finite(where, array).reshape(len(array), -1)
    if array.ndim == 2:
        return table, []
    size = " x ".join(map(str, array.shape[1:]))
    return table, [f"samples of shape {size} flattened to {table.shape[1]} features"]


def _check_targets(where: str, array: np.ndarray, rows: int) -> np.ndarray:
    if array.ndim not in (1, 2) or array.size == 0 or len(array) != rows:
        raise ValueError(
            f"targets of {where} must have shape ({rows},) or ({rows}, C), got {array.shape}"
        )
    targets = _finite(f"targets of {where}", array)
    return array.astype(np.int64) if array.dtype.kind in "iu" else targets


def _classes(targets: np.ndarray) -> tuple[int, ...] | None:
    labels = targets.ndim == 1 and targets.dtype.kind == "i"
    return tuple(np.unique(targets).tolist()) if labels else None


def _finite(where: str, array: np.ndarray) -> np.ndarray:
    """A copy in float64.

    Raises:
        ValueError: It holds anything but finite real numbers.
    """
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{where} must hold real numbers, got dtype {array.dtype}")
    with np.errstate(over="ignore"):  # a long double beyond float64 is reported as infinite
        copy = np.array(array, dtype=np.float64, order="C")
    wrong = ~np.isfinite(copy)
    if wrong.any():
        row, column = divmod(int(wrong.argmax()), copy.size // len(copy))
        raise ValueError(
            f"{where} must be finite, got {wrong.sum()} NaN or infinite values, the first in row "
            f"{row}, column {column} (counted from 0)"
        )
    return copy


def _standardize(inputs: np.ndarray) -> tuple[int, ...]:
    """Gives every feature of T×M_0 inputs, in place, mean 0 and variance 1.

    Returns:
        The indices of the constant features, which become 0.
    """
    largest = np.abs(inputs).max(axis=0)
    # By powers of two, which is exact: then squares neither overflow nor vanish in any unit.
    exponents = np.frexp(largest)[1]
    np.ldexp(inputs, -exponents, out=inputs)
    equal = np.ptp(inputs, axis=0) == 0  # at any T, however far rounding shifts the mean
    inputs -= inputs.mean(axis=0)
    std = np.sqrt(np.square(inputs).mean(axis=0))
    constant = equal | (std <= ROUNDING * np.ldexp(largest, -exponents))
    inputs /= np.where(constant, 1, std)
    inputs[:, constant] = 0
    return tuple(np.flatnonzero(constant).tolist())


def _on_standardized(
    where: str, shape: tuple[int, ...], constant: tuple[int, ...], keep_constant: bool
) -> list[str]:
    """Notes on standardized inputs of a shape (T, M_0).

    Raises:
        ValueError: Every feature is constant.
    """
    rows, features = shape
    if len(constant) == features:
        raise ValueError(
            f"{where} must have a feature that varies to be standardized, got {features} constant "
            f"over {rows} rows"
        )
    notes = [f"every feature standardized over all {rows} rows to mean 0 and variance 1"]
    if constant:
        fate = "kept as zeros" if keep_constant else "dropped"
        listed = ", ".join(map(str, constant[:LISTED])) + ", ..." * (len(constant) > LISTED)
        notes.append(f"{len(constant)} constant features of {features} were {fate}: {listed}")
    return notes
