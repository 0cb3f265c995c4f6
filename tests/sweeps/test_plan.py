"""Plans: which cells are measured for them, and the line through their times."""

import numpy as np
import pytest

from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import left
from meanfield.sweeps.plan import CALIBRATED, _calibrate, _line, _spread, plan
from meanfield.sweeps.tasks import FLOPS_PER_BATCH, work

FLOPS = np.array([1e6, 1e8, 1e10])


def test_a_finished_sweep_takes_no_time_and_no_process(whole, monkeypatch):
    from small_sweep import GRID

    monkeypatch.setattr("meanfield.sweeps.plan.connect", None)
    planned = plan(GRID, whole, workers=3)
    assert (planned.cells, planned.draws, planned.seconds) == (9, 0, 0.0)
    assert planned.calibration is None
    assert planned.to_dict()["workers"] == 3


def test_the_line_is_found():
    overhead, pace = _line(FLOPS, 0.01 + 2e-10 * FLOPS)
    assert overhead == pytest.approx(0.01)
    assert pace == pytest.approx(2e-10)


def test_where_only_the_overhead_shows_the_slowest_gives_the_pace():
    overhead, pace = _line(FLOPS, np.full(3, 0.01))
    assert overhead == pytest.approx(0.01)
    assert pace == pytest.approx(0.01 / FLOPS[-1])


def test_kinds_are_spread_from_the_least_flops_to_seconds_at_most():
    grid = Grid(depth=2, width=[10 * 2**i for i in range(12)], samples=2000, draws=1)
    chosen = [item.flops for item in _spread(work(grid, left(None, grid)[1]))]
    assert chosen == sorted(chosen)
    assert 1 < len(chosen) <= CALIBRATED
    every = sorted(item.flops for item in work(grid, left(None, grid)[1]))
    assert chosen[0] == every[0]
    assert chosen[-1] == max(flops for flops in every if flops <= FLOPS_PER_BATCH)


class Client:
    """Measures where it is."""

    def run(self, function, *arguments):
        return {"here": function(*arguments)}


def test_the_time_of_draws_that_fail_says_nothing():
    """Of two kinds of cells one has more outputs than any memory holds."""
    grid = Grid(depth=2, width=4, samples=3, outputs=[1, 2**62], draws=4)
    items = work(grid, left(None, grid)[1])
    found = _calibrate(Client(), grid, items, 2**30, 1.0)
    assert found.kinds == 1
    with pytest.raises(ValueError, match=r"no draw that was tried can be measured: .*Error"):
        _calibrate(Client(), grid, items[1:], 2**30, 1.0)
