"""What the script of a figure works with: sizes, sweeps that are kept, and files."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from meanfield.plot import style
from meanfield.reproduction.numbers import Number
from meanfield.sweeps.cluster import check_workers, connect
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import is_measured
from meanfield.sweeps.sweep import sweep

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.figure import Figure

QUICK, FULL = "quick", "full"
SEED = 0
RUNS = ".runs"


class Made(NamedTuple):
    """What a script says of the figure that it made.

    Attributes:
        title: Of the figure.
        sentence: What to see in it.
        parameters: What it was made with, by name.
        numbers: Theory against measurement.
        place: Where on the page it stands: behind those of a smaller one.
    """

    title: str
    sentence: str
    parameters: dict[str, object]
    numbers: Sequence[Number]
    place: float


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

    def effort(self, quick: int, full: int) -> dict[str, Any]:
        """How networks are sampled: how many, and without s_λ, which no figure shows."""
        return {"draws": self.choose(quick, full), "seed": self.seed, "second_moment": False}

    def sweep(self, name: str, grid: Grid) -> "xarray.Dataset":
        """`meanfield.sweep` with a store of that name, taken up again where there is one."""
        store = self.out / RUNS / f"{name}-{self.size}.zarr"
        store.parent.mkdir(parents=True, exist_ok=True)
        if is_measured(store, grid):
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

    def table(
        self,
        name: str,
        cells: Iterable[dict[str, Any]],
        compute: Callable[[dict], dict],
        of: dict[str, Any],
    ) -> "pandas.DataFrame":
        """What `sweep` is for grids, for any other cells: a row per cell, taken up again.

        A row holds the cell's coordinates and the numbers that `compute` returns for them, kept as
        those of the coordinates and of `of`, which is what else they depend on.
        """
        import pandas

        rows = []
        for cell in cells:
            place = "-".join([name, *map(str, cell.values())])
            numbers = self.keep(place, {**of, "cell": cell}, partial(compute, cell))
            rows.append({**cell, **numbers})
        return pandas.DataFrame(rows)

    def save(self, figure: "Figure", data: "pandas.DataFrame") -> None:
        """Writes NAME.png, NAME.pdf and, with the numbers drawn, NAME.csv."""
        style.save(figure, self.out / self.name)
        style.pyplot().close(figure)
        data.to_csv(self.out / f"{self.name}.csv", index=False, float_format="%.6g")
