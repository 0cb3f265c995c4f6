"""What the benchmarks share: fresh processes, this machine's rate, bars, tables, figures."""

import argparse
import json
import os
import platform
import re
import shlex
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

OURS = "meanfield"
OURS_GIVEN = "meanfield, given network"
BENCHMARKS = Path(__file__).resolve().parents[1]
RESULTS = BENCHMARKS.parents[1] / "figures"
ENVIRONMENTS = BENCHMARKS.parents[1] / ".peers"  # made by `make benchmark`
TIMED_OUT = (-signal.SIGALRM, 128 + signal.SIGALRM)


def measure(
    contender: str, case: dict, limit: int = 90, environment: str = "", launch: str = ""
) -> dict:
    """The report of `peers/measure.py`; `outcome` is "ok" or what went wrong.

    Args:
        contender: MODULE:FUNCTION of `peers`.
        case: What to run, for FUNCTION to read.
        limit: Seconds that one run may take.
        environment: A folder of `.peers`; by default the environment that this runs in.
        launch: A command to put in front of the measurement.
    """
    python = ENVIRONMENTS / environment / "bin" / "python" if environment else Path(sys.executable)
    if not python.exists():
        return {"outcome": "not installed"}
    program = [*shlex.split(launch), str(python), "-m", "peers.measure"]
    command = [*program, contender, json.dumps(case), str(limit)]
    done = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=False)
    if done.returncode in TIMED_OUT:
        return {"outcome": f"did not finish: a run takes more than {limit} s"}
    if done.returncode:
        errors = re.findall(r"^[\w.]+Error: .*", done.stderr, re.MULTILINE)
        return {"outcome": errors[-1][:200] if errors else f"exit status {done.returncode}"}
    report = json.loads(done.stdout.splitlines()[-1])
    return {"outcome": "ok", "seconds": statistics.median(report["warm"]), **report}


def machine(launch: str = "", size: int = 4000) -> dict:
    """The number of cores and, in GFLOP/s, the rate of products of float32 matrices."""
    rates = {}
    for library in ("jax", "numpy"):
        case = {"size": size, "library": library}
        report = measure("ours:matrix_product", case, launch=launch)
        rates[library] = 2 * size**3 / report["seconds"] / 1e9
    return {"cores": os.cpu_count(), "python": platform.python_version(), "gflops": rates}


class Bar(NamedTuple):
    """A measured number that must be at most or, as the sign says, at least what is required."""

    name: str
    measured: float | None
    sign: str
    required: float

    def verdict(self) -> str:
        """Whether it is met, or by what factor it is missed."""
        if self.measured is None:
            return "not measured"
        factor = self.measured / self.required
        if self.sign == ">=":
            factor = 1 / factor
        return "met" if factor <= 1 else f"missed by a factor of {factor:.2f}"


def print_table(columns: list[str], rows: Iterable[Iterable[object]]) -> None:
    """Prints rows in aligned columns, numbers with three digits."""
    cells = [columns, *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    print(flush=True)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return "-" if value is None else str(value)


def draw(plot: Callable[[dict, Path], None], name: str, description: str | None) -> None:
    """Draws NAME.png from NAME.json of the same folder, which `--out` names."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    path = parser.parse_args().out / f"{name}.json"
    plot(json.loads(path.read_text()), path.with_suffix(".png"))
