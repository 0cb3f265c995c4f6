"""Grids of networks and sample counts to sweep over."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np

from meanfield.checks import one_of, positive_integer, random_seed
from meanfield.sampling.methods import BYTES, METHODS
from meanfield.spec.activations import importable_name
from meanfield.spec.network import Network
from meanfield.sweeps.words import DRAWS

FIELDS = (
    "depth",
    "width",
    "widths",
    "outputs",
    "activation",
    "weight_var",
    "bias_var",
    "norm",
    "samples",
)
SEQUENCES = ("widths", "norm")  # one value of these may itself be a sequence
CELLS, TOTAL_DRAWS = 10**6, 10**8  # at most
RULE = re.compile(r"(?:(\d+\.?\d*)\s*\*\s*)?width(?:\s*/\s*(\d+\.?\d*))?")


class Cell(NamedTuple):
    """One network at one sample count, and its place in the grid.

    Attributes:
        place: Its index along every axis.
        network: The spec.
        samples: T.
    """

    place: tuple[int, ...]
    network: Network
    samples: int


@dataclass(frozen=True, init=False)
class Grid:
    """Every combination of the values of some fields of `Network` and of the sample count.

    A field given as a list is an axis, even of one value; any other is the same in every cell.

    Attributes:
        axes: The values along every axis, by field.
        fixed: The fields that are the same in every cell.
        draws: How many networks are sampled per cell.
        seed: Of the draws: draw d is the same whatever else the grid holds.
        method, precision, second_moment: As for `meanfield.simulate`.
    """

    axes: dict[str, tuple]
    fixed: dict[str, object]
    draws: int
    seed: int
    method: str
    precision: str
    second_moment: bool

    def __init__(
        self,
        *,
        draws: int = 10,
        seed: int = 0,
        method: str = "auto",
        precision: str = "float32",
        second_moment: bool = True,
        **fields: object,
    ):
        """Builds and checks every cell of a grid.

        Args:
            draws, seed, method, precision, second_moment: As above.
            fields: `samples` and any of depth, width, widths, outputs, activation (a name, or what
                a module defines by name), weight_var, bias_var and norm (each a placement or every
                layer's norm). `samples` may be a rule such as "2*width" or "width/4", which ties it
                to the width.

        Raises:
            ValueError: A field is unknown, an axis is empty or repeats itself, or one of the
                cells is no possible network or has too few samples; the message names it.
        """
        for name in fields:
            one_of("a grid's field", name, FIELDS)
        if "samples" not in fields:
            raise ValueError(f"samples is required in a grid, got {', '.join(fields) or 'nothing'}")
        if not isinstance(second_moment, bool):
            raise ValueError(f"second_moment must be true or false, got {second_moment!r}")
        draws = positive_integer("draws", draws)
        _check_size([len(v) for n, v in fields.items() if _is_axis(n, v)], draws)  # type: ignore[arg-type]
        values = {
            "axes": {n: _axis(n, v) for n, v in fields.items() if _is_axis(n, v)},
            "fixed": {n: _plain(v) for n, v in fields.items() if not _is_axis(n, v)},
            "draws": draws,
            "seed": random_seed(seed),
            "method": one_of("method", method, ("auto", *METHODS)),
            "precision": one_of("precision", precision, tuple(BYTES)),
            "second_moment": second_moment,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)  # it is frozen
        for _ in self.cells():
            pass

    @classmethod
    def from_toml(cls, path: Path | str) -> "Grid":
        """The grid that a TOML file describes: its keys are the arguments of `Grid`.

        Raises:
            ValueError: The file is no TOML, or not a grid.
            FileNotFoundError: There is no such file.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
            return cls(**tomllib.loads(text))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} must be a TOML file: {error}") from error
        except TypeError as error:
            raise ValueError(f"{path} must hold a grid's fields: {error}") from error

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values along every axis."""
        return tuple(len(values) for values in self.axes.values())

    def __len__(self) -> int:
        """How many cells there are."""
        return prod(self.shape)

    def cells(self) -> Iterator[Cell]:
        """Every cell, the last axis running fastest."""
        for index in product(*map(range, self.shape)):
            values = {n: v[i] for (n, v), i in zip(self.axes.items(), index, strict=True)}
            yield self._cell(index, {**self.fixed, **values})

    def _cell(self, index: tuple[int, ...], values: dict) -> Cell:
        here = ", ".join(f"{name}={values[name]!r}" for name in self.axes)
        samples, norm = values.pop("samples"), values.pop("norm", "none")
        try:
            network = Network(**values).with_norms(norm)
            return Cell(index, network, network.check_samples(_resolve(samples, network.width)))
        except (TypeError, ValueError) as error:
            where = f" in the cell {here}" if here else ""
            raise ValueError(f"{error}{where}") from error

    def labels(self, axis: str) -> list:
        """The values along one axis as numbers or text."""
        return [_label(value) for value in self.axes[axis]]

    def to_dict(self) -> dict:
        """The arguments that make this grid, in plain Python types."""
        options = ("draws", "seed", "method", "precision", "second_moment")
        axes = {n: [_plain(value) for value in values] for n, values in self.axes.items()}
        return {**axes, **self.fixed, **{name: getattr(self, name) for name in options}}


def merged(old: Grid, new: Grid) -> Grid:
    """The new grid, with the old one's values in front along every axis.

    Raises:
        ValueError: It is not the old one with more along some axes; the message lists how.
    """
    was, now = old.to_dict(), new.to_dict()
    differences = [f"{name} is not in it" for name in was if name not in now]
    differences += [f"{name} is new in it" for name in now if name not in was]
    together: dict = {}
    for name in (name for name in was if name in now):
        before, after = was[name], now[name]
        together[name] = after
        if name in old.axes and name in new.axes:
            if lost := [value for value in before if value not in after]:
                differences.append(f"{name} lacks {lost}")
            together[name] = before + [value for value in after if value not in before]
        elif before != after and not (name == DRAWS and after > before):
            differences.append(f"{name} is {after!r}, it was {before!r}")
    if differences:
        raise ValueError("; ".join(differences))
    return Grid(**together)


def _check_size(sizes: Sequence[int], draws: int) -> None:
    """Refuses, before any cell is made, what no memory and no folder would hold."""
    cells = prod(sizes)
    for what, count, most in (("cells", cells, CELLS), ("draws", cells * draws, TOTAL_DRAWS)):
        if count > most:
            raise ValueError(f"a grid must have at most {most} {what} in all, got {count}")


def _is_axis(name: str, value: object) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return False
    if name == "widths":
        return any(isinstance(item, Sequence | np.ndarray) for item in value)
    return True


def _axis(name: str, values) -> tuple:
    plain = [_plain(value) for value in values]
    if not plain:
        raise ValueError(f"{name} must have at least one value along its axis, got none")
    if len({_label(value) for value in plain}) < len(plain):
        raise ValueError(f"{name} must not repeat a value along its axis, got {plain}")
    for value in plain:
        if isinstance(value, list) and name not in SEQUENCES:
            raise ValueError(f"{name} must be one value or a list of values, got {plain}")
    return tuple(plain)


def _plain(value: object):
    """Without NumPy's types, tuples and functions, which JSON and TOML do not know."""
    if callable(value):  # an activation
        return importable_name(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _label(value: object):
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _resolve(samples: object, width: int) -> object:
    """T, from itself or from a rule in the width."""
    if not isinstance(samples, str):
        return samples
    match = RULE.fullmatch(samples.strip())
    if match is None:
        raise ValueError(
            f"samples must be a positive integer or a rule such as '2*width' or 'width/4', "
            f"got {samples!r}"
        )
    times, over = match.groups()
    return round(float(times or 1) * width / float(over or 1))
