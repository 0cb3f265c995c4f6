"""What is left of a sweep, found without writing to its store."""

import numpy as np
import pytest
from small_sweep import GRID, LARGER, marks

from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import Missing, left, unmarked
from meanfield.sweeps.store import Store
from meanfield.sweeps.words import DONE, FAILED, MISSING, STATISTICS

ONE = {"depth": 2, "width": [6], "samples": 5, "draws": 2}
TWO = {**ONE, "width": [6, 7]}


def test_everything_is_left_of_a_new_sweep(tmp_path):
    grid = Grid(**TWO)
    every = [Missing((0,), (0, 1)), Missing((1,), (0, 1))]
    assert left(None, grid) == left(tmp_path / "none", grid) == (grid, every)


def test_what_is_left_of_an_extended_sweep(whole):
    before = marks(whole)
    assert left(whole, GRID) == (GRID, [])
    grid, missing = left(whole, LARGER)
    assert grid.axes["weight_var"] == (1.0, 1.5, 2.0, 3.0)
    draws = {cell.place: cell.draws for cell in missing}
    for place in np.ndindex(1, 3, 4):
        assert draws[place] == (tuple(range(6)) if place[2] == 3 else (4, 5))
    assert marks(whole) == before


@pytest.mark.parametrize("name", ["eigenvalue_max", "status"])
def test_a_store_whose_making_was_killed_is_planned(tmp_path, monkeypatch, name):
    _extend_and_fail(monkeypatch, tmp_path / "s.zarr", Grid(**ONE), at=name)
    assert left(tmp_path / "s.zarr", Grid(**ONE))[1] == [Missing((0,), (0, 1))]


@pytest.mark.parametrize("name", ["eigenvalue_mean", "status"])
def test_a_store_whose_extension_was_killed_is_planned(tmp_path, monkeypatch, name):
    measured = {draw: dict.fromkeys(STATISTICS, 1.0) for draw in range(2)}
    Store(tmp_path / "s.zarr", Grid(**ONE)).write((0,), measured)
    _extend_and_fail(monkeypatch, tmp_path / "s.zarr", Grid(**TWO), at=name)
    assert left(tmp_path / "s.zarr", Grid(**ONE))[1] == []
    assert left(tmp_path / "s.zarr", Grid(**TWO))[1] == [Missing((1,), (0, 1))]


def _extend_and_fail(monkeypatch, path, grid, at):
    """Makes a store or extends it, until the array of that name."""
    original = Store._resized

    def resized(self, name):
        if name == at:
            raise KeyboardInterrupt
        return original(self, name)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "_resized", resized)
        with pytest.raises(KeyboardInterrupt):
            Store(path, grid)


def test_failed_draws_are_not_left():
    status = np.array([[DONE, FAILED], [MISSING, DONE], [MISSING, MISSING]])
    assert unmarked(status) == [Missing((1,), (0,)), Missing((2,), (0, 1))]
