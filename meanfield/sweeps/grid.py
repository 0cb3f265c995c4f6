"""Grids of networks and sample counts to sweep over."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np

from meanfield.checks import count, one_of, random_seed, reason, shown
from meanfield.sampling.methods import BYTES, METHODS
from meanfield.spec.activations import named_activation, resolve_activation
from meanfield.spec.modules import Unimported
from meanfield.spec.network import Network
from meanfield.sweeps.rule import resolve_samples
from meanfield.sweeps.values import converted, label, plain
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
            raise ValueError(f"second_moment must be true or false, got {shown(second_moment)}")
        if "activation" in fields:
            fields["activation"] = converted(fields["activation"], resolve_activation)
        draws = count("draws", draws)
        _check_size([len(v) for n, v in fields.items() if _is_axis(n, v)], draws)  # type: ignore[arg-type]
        values = {
            "axes": {n: _axis(n, v) for n, v in fields.items() if _is_axis(n, v)},
            "fixed": {n: plain(v) for n, v in fields.items() if not _is_axis(n, v)},
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
    def from_toml(cls, path: Path | str, *, trust: bool = False) -> "Grid":
        """The grid that a TOML file describes: its keys are the arguments of `Grid`.

        Args:
            path: The file.
            trust: Whether to import the activations that it names as MODULE:NAME, which is to run
                their code. Else they are names only, enough for all but measuring, unless this
                process has resolved them already.

        Raises:
            ValueError: The file is no TOML, or not a grid.
            FileNotFoundError: There is no such file.
        """
        try:
            fields = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except RecursionError as error:
            raise ValueError(f"{shown(Path(path))} must be TOML with fewer brackets") from error
        except ValueError as error:  # of the decoders, or of a number with too many digits
            raise ValueError(f"{shown(Path(path))} must be a TOML file: {reason(error)}") from error
        try:
            return cls(**fields) if trust else cls.of_names(**fields)
        except TypeError as error:
            raise ValueError(f"{shown(Path(path))} must hold a grid's fields: {error}") from error

    @classmethod
    def of_names(cls, **fields) -> "Grid":
        """A grid as a file holds it: the activations that it names are not imported."""
        if "activation" in fields:
            fields["activation"] = converted(fields["activation"], named_activation)
        return cls(**fields)

    @property
    def unimported(self) -> tuple[str, ...]:
        """The activations that nobody in this process has named but a file, as MODULE:NAME."""
        names = dict.fromkeys(cell.network.activation for cell in self.cells())
        return tuple(a.name for a in names if isinstance(a.function, Unimported))

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
        here = ", ".join(f"{name}={shown(values[name])}" for name in self.axes)
        samples, norm = values.pop("samples"), values.pop("norm", "none")
        try:
            if isinstance(values.get("activation"), str):
                values["activation"] = named_activation(values["activation"])
            network = Network(**values).with_norms(norm)
            return Cell(
                index, network, network.check_samples(resolve_samples(samples, network.width))
            )
        except (TypeError, ValueError) as error:
            where = f" in the cell {here}" if here else ""
            raise ValueError(f"{error}{where}") from error

    def labels(self, axis: str) -> list:
        """The values along one axis as numbers or text."""
        return [label(value) for value in self.axes[axis]]

    def to_dict(self) -> dict:
        """The arguments that make this grid, in plain Python types."""
        options = ("draws", "seed", "method", "precision", "second_moment")
        axes = {n: [plain(value) for value in values] for n, values in self.axes.items()}
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
            differences.append(f"{name} is {shown(after)}, it was {shown(before)}")
    if differences:
        raise ValueError("; ".join(differences))
    return Grid.of_names(**together)


def _check_size(sizes: Sequence[int], draws: int) -> None:
    """Refuses, before any cell is made, what no memory and no folder would hold."""
    cells = prod(sizes)
    for what, number, most in (("cells", cells, CELLS), ("draws", cells * draws, TOTAL_DRAWS)):
        if number > most:
            raise ValueError(f"a grid must have at most {most} {what} in all, got {number}")


def _is_axis(name: str, value: object) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return False
    if name == "widths":
        return any(isinstance(item, Sequence | np.ndarray) for item in value)
    return True


def _axis(name: str, values) -> tuple:
    found = [plain(value) for value in values]
    if not found:
        raise ValueError(f"{name} must have at least one value along its axis, got none")
    if len({label(value) for value in found}) < len(found):
        raise ValueError(f"{name} must not repeat a value along its axis, got {shown(found)}")
    for value in found:
        if isinstance(value, list) and name not in SEQUENCES:
            raise ValueError(f"{name} must be one value or a list of values, got {shown(found)}")
    return tuple(found)
