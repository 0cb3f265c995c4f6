"""What the script of a figure works with: sizes, sweeps that are kept, and files."""

import json
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import jax

from meanfield.plot import style
from meanfield.sweeps.cluster import check_workers, connect
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import left
from meanfield.sweeps.sweep import sweep
from meanfield.theory.kinds import Kind

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.figure import Figure

QUICK, FULL = "quick", "full"
SEED = 0
RUNS = ".runs"


class Number(NamedTuple):
    """One row of theory against measurement.

    Attributes:
        what: What it is, and of what.
        theory: The prediction.
        measured, sem: The mean or median over draws and its standard error.
        is_bound: Whether the prediction is a lower bound.
        is_exponent: Whether these are exponents: their difference counts, and not their ratio.
    """

    what: str
    theory: float | None
    measured: float | None = None
    sem: float | None = None
    is_bound: bool = False
    is_exponent: bool = False

    @classmethod
    def of(cls, what: str, *values: Any, is_bound: Any = False) -> Self:
        """A row of theory, measured and sem out of a table, where NaN stands for none."""
        found = [None if x is None or math.isnan(x) else float(x) for x in values]
        theory, measured, sem = [*found, None, None][:3]
        return cls(what, theory, measured, sem, bool(is_bound))


def numbers(
    cells: "pandas.DataFrame", what: Callable, variable: str = "eigenvalue_max"
) -> list[Number]:
    """A row per cell of `meanfield.summarize`, called what `what` makes of it."""
    found = []
    for cell in cells.itertuples():
        values = [
            getattr(cell, name) for name in (f"theory_{variable}", variable, f"{variable}_sem")
        ]
        bound = variable == "eigenvalue_max" and cell.theory_eigenvalue_max_kind == Kind.LOWER_BOUND
        found.append(Number.of(what(cell), *values, is_bound=bound))
    return found


def exponents(fits: "xarray.Dataset", what: Callable) -> list[Number]:
    """A row per exponent of `meanfield.scaling`, called what `what` makes of it."""
    return [
        Number.of(what(fit), fit.theory_exponent, fit.exponent, fit.exponent_sem)._replace(
            is_exponent=True
        )
        for fit in fits.to_dataframe().reset_index().itertuples()
    ]


class Made(NamedTuple):
    """What a script says of the figure that it made.

    Attributes:
        title: Of the figure.
        sentence: What to see in it.
        parameters: What it was made with, by name.
        numbers: Theory against measurement.
    """

    title: str
    sentence: str
    parameters: dict[str, object]
    numbers: Sequence[Number]


class Workers:
    """The processes of a quick run's sweeps, shared: starting takes longer than most of these.

    They start when the first sweep asks for them, and end with the `with` block.
    """

    def __init__(self):
        """No process yet."""
        self._stack, self._address = ExitStack(), ""

    def __enter__(self):
        """Itself."""
        return self

    def __exit__(self, *error):
        """Ends the processes."""
        self._stack.close()

    @property
    def address(self) -> str:
        """Of their scheduler."""
        if not self._address:
            client = self._stack.enter_context(connect(check_workers(None, None), None))
            self._address = client.scheduler_info()["address"]
        return self._address


def write_json(path: Path, content: object) -> None:
    """Writes the file at once, so that an interruption leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content))
    unfinished.replace(path)


@dataclass(frozen=True)
class Run:
    """What a script works with: `make(run)` draws, saves, and returns what it `Made`.

    Attributes:
        name: The figure's.
        full: Whether at full size; else quick.
        out: The folder for the figures.
        workers: For quick sweeps.
        data: A file or folder of labelled data to train on as well.
        seed: Of everything that is sampled.
    """

    name: str
    full: bool
    out: Path
    workers: Workers = field(repr=False)
    data: Path | None = None
    seed: int = SEED

    @property
    def size(self) -> str:
        """`quick` or `full`."""
        return FULL if self.full else QUICK

    def choose(self, quick, full):
        """The argument that is meant for this size."""
        return full if self.full else quick

    def sweep(self, name: str, grid: Grid) -> "xarray.Dataset":
        """`meanfield.sweep` with a store of that name, taken up again where there is one."""
        store = self.out / RUNS / f"{name}-{self.size}.zarr"
        store.parent.mkdir(parents=True, exist_ok=True)
        if not left(store, grid)[1]:
            return sweep(grid, store)  # needs no workers
        if self.full:  # a GPU serves one process
            return sweep(grid, store, workers=None if jax.default_backend() == "cpu" else 1)
        return sweep(grid, store, scheduler=self.workers.address)

    def keep(self, name: str, of: dict[str, Any], compute: Callable[[], dict]) -> dict:
        """The numbers that `compute` returns, from a file of that name where there is one.

        `of` is all that they depend on but the seed, in JSON's types: numbers of anything else are
        not taken.
        """
        path = self.out / RUNS / f"{name}-{self.size}.json"
        asked = json.loads(json.dumps({"seed": self.seed, "of": of}))
        kept = json.loads(path.read_text()) if path.exists() else {}
        if {key: kept.get(key) for key in asked} != asked:
            kept = {**asked, "found": compute()}
            write_json(path, kept)
        return json.loads(json.dumps(kept["found"]))

    def save(self, figure: "Figure", data: "pandas.DataFrame") -> None:
        """Writes NAME.png, NAME.pdf and, with the numbers drawn, NAME.csv."""
        style.save(figure, self.out / self.name)
        style.pyplot().close(figure)
        data.to_csv(self.out / f"{self.name}.csv", index=False, float_format="%.6g")
