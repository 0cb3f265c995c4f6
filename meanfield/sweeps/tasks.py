"""Cutting a sweep into tasks and batches: cells of one compiled shape together, large ones last."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from meanfield.sampling.measurement import MethodCost, Request
from meanfield.sampling.methods import BYTES, METHODS
from meanfield.sweeps.grid import Cell, Grid
from meanfield.sweeps.kept import Missing
from meanfield.sweeps.worker import Task

FLOPS_PER_BATCH = 2e10  # a second or so
TASKS_PER_BATCH = 32


class Work(NamedTuple):
    """The missing draws of one cell, and what they cost.

    Attributes:
        cell: The cell.
        draws: The numbers of the draws.
        kind: What tells its compiled code from that of other cells.
        flops: Per draw.
        memory: Bytes held at a time.
    """

    cell: Cell
    draws: tuple[int, ...]
    kind: tuple
    flops: float
    memory: float


class Batch(NamedTuple):
    """Tasks for one call of a worker, of one kind, and the bytes that each needs."""

    tasks: tuple[Task, ...]
    memory: float


def work(grid: Grid, missing: Sequence[Missing]) -> list[Work]:
    """What is missing, the smallest first and cells of one kind together."""
    cells = {cell.place: cell for cell in grid.cells()}
    found = []
    for place, draws in missing:
        cell = cells[place]
        network, cost = cell.network, _cost(grid, cell)
        kind = network.widths, cell.samples, network.outputs, network.activation.name, network.norms
        found.append(Work(cell, draws, kind, cost.flops, cost.numbers * BYTES[grid.precision]))
    return sorted(found, key=lambda item: (item.memory, item.kind))


def _cost(grid: Grid, cell: Cell) -> MethodCost:
    request = Request(second_moment=grid.second_moment)
    costs = [
        m.cost(cell.network, cell.samples, request)
        for m in METHODS.values()
        if m.supports(cell.network) and grid.method in ("auto", m.name)
    ]
    return min(costs, key=lambda cost: cost.flops, default=MethodCost(0.0, 0.0))


def task(grid: Grid, item: Work, draws: Sequence[int], memory_limit: int) -> Task:
    """Some draws of a cell, as a worker measures them."""
    return Task(
        place=item.cell.place,
        draws=tuple(draws),
        network=item.cell.network.to_dict(),
        samples=item.cell.samples,
        seed=grid.seed,
        method=grid.method,
        precision=grid.precision,
        second_moment=grid.second_moment,
        memory_limit=memory_limit,
    )


def batches(grid: Grid, items: Sequence[Work], memory_limit: int) -> list[Batch]:
    """All of it in batches of one kind, each about a second long or a single draw."""
    found: list[Batch] = []
    spent, last = np.inf, None
    for item in items:
        for draws in _portions(item):
            cost = item.flops * len(draws)
            full = spent + cost > FLOPS_PER_BATCH or len(found[-1].tasks) >= TASKS_PER_BATCH
            if item.kind != last or full:
                found.append(Batch((), item.memory))
                spent, last = 0.0, item.kind
            part = task(grid, item, draws, memory_limit)
            found[-1] = found[-1]._replace(tasks=(*found[-1].tasks, part))
            spent += cost
    return found


def _portions(item: Work) -> Iterator[tuple[int, ...]]:
    """The draws of one cell, no more at a time than a batch should cost."""
    size = max(1, int(FLOPS_PER_BATCH / max(item.flops, 1.0)))
    for start in range(0, len(item.draws), size):
        yield item.draws[start : start + size]
