"""Cutting a sweep: every draw once, in batches of one kind and of a limited cost."""

from itertools import pairwise

import pytest

from meanfield.sweeps import tasks
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import Missing, left
from meanfield.sweeps.tasks import TASKS_PER_BATCH, batches, work

LIMIT = 2**30
GRID = Grid(
    depth=2,
    width=[6, 40],
    samples=5,
    norm=["none", "batch@last"],
    bias_var=[0.01 * i for i in range(40)],
    draws=3,
)


def everything(grid):
    return left(None, grid)[1]


def test_the_smallest_cells_come_first_and_those_of_one_kind_together():
    items = work(GRID, everything(GRID))
    assert len(items) == len(GRID)
    assert all(one.memory <= other.memory for one, other in pairwise(items))
    changes = sum(one.kind != other.kind for one, other in pairwise(items))
    assert changes == len({item.kind for item in items}) - 1 == 3


def test_only_what_is_missing_is_work():
    (item,) = work(GRID, [Missing((1, 0, 7), (0, 2))])
    assert (item.cell.place, item.draws) == ((1, 0, 7), (0, 2))
    assert item.cell.network.width == 40


@pytest.mark.parametrize("budget", [1.0, 2e6, 2e10])
def test_every_draw_is_in_one_batch_of_its_kind(monkeypatch, budget):
    monkeypatch.setattr(tasks, "FLOPS_PER_BATCH", budget)
    items = work(GRID, everything(GRID))
    cost = {item.cell.place: item for item in items}
    found = batches(GRID, items, LIMIT)
    drawn = [(t.place, draw) for batch in found for t in batch.tasks for draw in t.draws]
    assert sorted(drawn) == sorted((c.place, d) for c in GRID.cells() for d in range(GRID.draws))
    for batch in found:
        members = [cost[task.place] for task in batch.tasks]
        assert len({item.kind for item in members}) == 1
        assert {item.memory for item in members} == {batch.memory}
        assert len(members) <= TASKS_PER_BATCH
        flops = sum(cost[task.place].flops * len(task.draws) for task in batch.tasks)
        assert flops <= budget or len(batch.tasks) == len(batch.tasks[0].draws) == 1


def test_a_task_holds_what_its_worker_needs():
    grid = Grid(depth=2, width=6, samples=[5], draws=4, seed=3, precision="float64")
    ((only,), _) = batches(grid, work(grid, everything(grid)), LIMIT)[0]
    assert (only.place, only.draws, only.key) == ((0,), (0, 1, 2, 3), ((0,), 0))
    assert (only.samples, only.seed, only.precision, only.method) == (5, 3, "float64", "auto")
    assert only.memory_limit == LIMIT
