"""What a sweep will take, from draws measured on the workers that it would run on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meanfield.numerics.records import Record
from meanfield.sweeps.cluster import check_workers, connect, smallest_share
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import left
from meanfield.sweeps.tasks import FLOPS_PER_BATCH, Work, task, work
from meanfield.sweeps.worker import Finished, measure

if TYPE_CHECKING:
    from distributed import Client

CALIBRATED = 6  # kinds of cells
FIRST, LATER = (0,), (1, 2, 3)  # draws of each: the first one compiles


@dataclass(frozen=True)
class Calibration:
    """What one worker takes while all of them work, as measured.

    Attributes:
        start_seconds: For the workers to be there.
        compile_seconds: For the first draw of a kind of cell, beyond a later one.
        draw_seconds: For any draw, however small.
        flops_per_second: Beyond that.
        kinds: How many kinds of cells were measured.
    """

    start_seconds: float
    compile_seconds: float
    draw_seconds: float
    flops_per_second: float
    kinds: int


@dataclass(frozen=True)
class Plan(Record):
    """What is left of a sweep.

    Attributes:
        cells: In the whole grid.
        draws: Still to be measured.
        kinds: Kinds of cells among them: each is compiled once.
        flops: Of all these draws.
        memory: Bytes that the largest cell holds.
        memory_share: Bytes that a worker has to itself; larger cells run alone.
        workers: How many there are.
        calibration: None where nothing is left, or nothing may be measured.
        seconds: The estimated time on these workers; None where that takes an activation which only
            a file names, as MODULE:NAME, so that it is not imported.
    """

    cells: int
    draws: int
    kinds: int
    flops: float
    memory: float
    memory_share: int | None
    workers: int
    calibration: Calibration | None
    seconds: float | None


def plan(
    grid: Grid,
    store: Path | str | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Plan:
    """What `sweep` with these arguments has left to do, and how long it will take about.

    Nothing is written to the store. Draws of a few kinds of cells are measured on all workers at
    once; a line through their times and flops, and the mean of their compilations, give the rest.

    Raises:
        ValueError: An argument is out of range, the store is damaged or holds another grid, or all
            draws that were tried fail.
        OSError: No scheduler answers at that address.
    """
    count = check_workers(workers, scheduler)
    grid, missing = left(store, grid)
    items = work(grid, missing)
    draws, flops = _total(items)
    kinds = len({item.kind for item in items})
    largest = max((item.memory for item in items), default=0.0)
    if not items or grid.unimported:
        seconds = None if items else 0.0
        return Plan(len(grid), draws, kinds, flops, largest, None, count, None, seconds)
    started = time.perf_counter()
    with connect(count, scheduler) as client:
        share, _ = smallest_share(client)
        starting = time.perf_counter() - started
        count = len(client.ncores())
        found = _calibrate(client, grid, items, share, starting)
    busy = kinds * found.compile_seconds + draws * found.draw_seconds
    seconds = starting + (busy + flops / found.flops_per_second) / count
    return Plan(len(grid), draws, kinds, flops, largest, share, count, found, seconds)


def _total(items: Sequence[Work]) -> tuple[int, float]:
    draws = sum(len(item.draws) for item in items)
    return draws, sum(len(item.draws) * item.flops for item in items)


def _calibrate(
    client: "Client", grid: Grid, items: list[Work], share: int, starting: float
) -> Calibration:
    """Measures cells of a few kinds on every worker at once."""
    flops, seconds, failures = [], [], []
    for item in _spread(items):
        try:
            timed = [
                _everywhere(client, task(grid, item, draws, share)) for draws in (FIRST, LATER)
            ]
        except _FailedError as error:
            failures.append(str(error))
        else:
            flops.append(item.flops)
            seconds.append(timed)
    if not seconds:
        raise ValueError(f"no draw that was tried can be measured: {failures[0]}")
    first, later = np.array(seconds).T / [[1], [len(LATER)]]
    overhead, pace = _line(np.array(flops), later)
    compiling = float(np.mean(np.maximum(first - later, 0)))
    return Calibration(starting, compiling, overhead, 1 / pace, len(flops))


class _FailedError(Exception):
    """The draws of a task fail, which takes no time that says anything of others."""


def _spread(items: list[Work]) -> list[Work]:
    """One cell of each of a few kinds, from the least flops to what takes seconds at most."""
    kinds = {item.kind: item for item in items}
    ordered = sorted(kinds.values(), key=lambda item: item.flops)
    quick = [item for item in ordered if item.flops <= FLOPS_PER_BATCH] or ordered[:1]
    places = np.linspace(0, len(quick) - 1, min(CALIBRATED, len(quick))).round().astype(int)
    return [quick[i] for i in places]


def _everywhere(client: "Client", one) -> float:
    """Seconds of a task on every worker at once, their mean.

    Raises:
        _FailedError: All of its draws fail.
    """
    found: dict[str, Finished] = client.run(measure, one)
    results = [result for f in found.values() for result in f.results.values()]
    messages = [result for result in results if isinstance(result, str)]
    if messages and len(messages) == len(results):
        raise _FailedError(messages[0])
    return float(np.mean([f.compile_seconds + f.run_seconds for f in found.values()]))


def _line(flops: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """Overhead and seconds per flop, neither negative, by relative least squares."""
    from scipy.optimize import nnls  # on first use: importing takes time

    columns = np.stack([np.ones_like(flops), flops], axis=1)
    scale = columns.max(axis=0)
    (overhead, pace), _ = nnls(columns / scale / seconds[:, None], np.ones_like(seconds))
    slowest = seconds[-1] / flops[-1]  # where the overhead is all that shows, no pace at all would
    return float(overhead / scale[0]), float(pace / scale[1]) or float(slowest)
