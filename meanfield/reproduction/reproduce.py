"""Regenerating every figure, each by its own script, and a page that shows them.

A file `NAME.py` in the folder of scripts is the figure NAME: nothing else lists it. Its `make(run)`
draws the figure; `TAKES_DATA = True` says that it can draw the user's own data as well.

A figure that fails does not stop the others; sweeps are kept, so that a run can be taken up again.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import jax

from meanfield.checks import one_of, shown
from meanfield.data.dataset import load_data
from meanfield.machine.progress import progress_bar
from meanfield.numerics.records import Record
from meanfield.plot import style
from meanfield.reproduction.page import page
from meanfield.reproduction.run import QUICK, RUNS, Made, Run, Workers, write_json
from meanfield.version import __version__

PACKAGE = Path(__file__).parents[1]
OUT = Path("figures")
INDEX = "index.html"


@dataclass(frozen=True)
class Report(Record):
    """What came of a run.

    Attributes:
        figures: The record of every figure that was made, as NAME.json holds it.
        failures: What went wrong with the others, by name.
        index: The page.
    """

    figures: tuple[dict, ...]
    failures: dict[str, str]
    index: Path


def reproduce(
    *,
    full: bool = False,
    only: Sequence[str] = (),
    out: Path | str | None = None,
    data: Path | str | None = None,
) -> Report:
    """Makes figures, and the page of all figures that are in the folder.

    Args:
        full: Sizes like the paper's, for hours or a GPU; else minutes on two cores.
        only: The names of the figures to make, all by default.
        out: The folder, made if need be; by default `figures`, and its subfolder `quick` for quick
            figures, which so never take the place of those of full size.
        data: A file or folder of labelled data, such as Fashion-MNIST's, for the figures that train
            on them beside their own; see `meanfield.load_data`.

    Raises:
        ValueError: A name is unknown, the data have no labels, or no figure trains on them.
        FileNotFoundError: There are no data of that name.
        ModuleNotFoundError: matplotlib is not installed.
        OSError: The folder cannot be written.
    """
    figures = scripts()
    names = [one_of("only", name, tuple(figures)) for name in only or figures]
    source = None if data is None else _check_data(data, names)
    folder = _default_folder(full) if out is None else Path(out)
    (folder / RUNS).mkdir(parents=True, exist_ok=True)
    style.pyplot().switch_backend("Agg")
    made, failures = [], {}
    with Workers() as workers, progress_bar(names, "drawing figures") as bar:
        for name in bar:
            try:
                made.append(_make(Run(name, full, folder, workers, source)))
            except Exception as error:
                log = folder / RUNS / f"{name}-error.txt"
                log.write_text(traceback.format_exc())
                failures[name] = f"{type(error).__name__}: {error} (more in {log})"
    return Report(tuple(made), failures, _write_index(folder))


def _default_folder(full: bool) -> Path:
    return OUT if full else OUT / QUICK


def _check_data(data: Path | str, names: Sequence[str]) -> Path:
    """Finds out now, rather than when the figure's turn comes, whether it can train on them."""
    if not isinstance(data, str | os.PathLike):
        raise ValueError(f"data must be a file or folder, got {shown(data)}")
    takers = [name for name in scripts() if getattr(load_script(name), "TAKES_DATA", False)]
    if not set(takers).intersection(names):
        asked = " or ".join(takers)
        raise ValueError(f"data must come with the {asked} figure, got only={list(names)}")
    source = Path(data).resolve()
    load_data(source).one_hot()
    return source


def scripts_folder() -> Path:
    """Where the scripts are: in the package once it is installed, else beside it."""
    installed = PACKAGE / "figure_scripts"
    return installed if installed.is_dir() else PACKAGE.parent / "scripts" / "figures"


def scripts() -> dict[str, Path]:
    """The script of every figure, by its name."""
    return {path.stem.replace("_", "-"): path for path in sorted(scripts_folder().glob("*.py"))}


def load_script(name: str) -> ModuleType:
    """The script of a figure, imported as where it is run: what lies beside it comes first."""
    script = scripts()[name]
    sys.path.insert(0, str(script.parent))
    try:
        return importlib.import_module(script.stem)
    finally:
        sys.path.remove(str(script.parent))


def _make(run: Run) -> dict:
    """Runs the figure's script and writes its record."""
    script = load_script(run.name)
    with _clock(run) as seconds, style.context():
        made: Made = script.make(run)
    record = {
        "name": run.name,
        **made._asdict(),
        "numbers": [number._asdict() for number in made.numbers],
        "size": run.size,
        "seed": run.seed,
        "meanfield": __version__,
        "jax": jax.__version__,
        "device": jax.devices()[0].device_kind,
        "seconds": round(seconds(), 1),
    }
    text = json.dumps(record, allow_nan=False, ensure_ascii=False, indent=1)
    (run.out / f"{run.name}.json").write_text(text + "\n", encoding="utf-8")
    return record


@contextmanager
def _clock(run: Run) -> Iterator[Callable[[], float]]:
    """What the figure has taken so far, in all runs of this size: they take up one another."""
    path = run.out / RUNS / f"{run.name}-{run.size}-seconds.json"
    before = json.loads(path.read_text()) if path.exists() else 0.0
    started = time.perf_counter()

    def seconds() -> float:
        return before + time.perf_counter() - started

    try:
        yield seconds
    finally:
        write_json(path, seconds())


def _write_index(folder: Path) -> Path:
    """The page of all figures that are in the folder."""
    figures = []
    for name in scripts():
        if (path := folder / f"{name}.json").exists():
            picture = path.with_suffix(".png").read_bytes()
            figures.append((json.loads(path.read_text(encoding="utf-8")), picture))
    index = folder / INDEX
    index.write_text(page(figures), encoding="utf-8")
    return index
