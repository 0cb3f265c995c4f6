"""Stores: what they refuse, and what they hold of draws that come one by one."""

import shutil

import numpy as np
import pytest
from small_sweep import FIELDS, GRID

from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import Missing
from meanfield.sweeps.store import Store
from meanfield.sweeps.sweep import sweep
from meanfield.sweeps.words import DONE, FAILED, MISSING, STATISTICS
from meanfield.theory.white_noise.many import theory

SMALL = Grid(depth=2, width=[6, 7], samples=5, draws=4)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"depth": 3}, "depth is 3, it was 2"),
        ({"bias_var": [0.0, 0.1]}, r"bias_var lacks \[0.2\]"),
        ({"bias_var": 0.1}, "bias_var is 0.1"),
        ({"draws": 3}, "draws is 3, it was 4"),
        ({"seed": 1}, "seed is 1, it was 0"),
        ({"outputs": 2}, "outputs is new in it"),
    ],
)
def test_another_grid_is_refused(whole, changes, said):
    grid = Grid(**{**FIELDS, "weight_var": [1.0, 1.5, 2.0], **changes})
    with pytest.raises(ValueError, match=f"the grid is not that of the store .*{said}"):
        sweep(grid, whole)


def test_what_is_no_store_is_refused(tmp_path):
    (tmp_path / "file").write_text("something")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(ValueError, match="store must be new or the store of a sweep"):
            sweep(GRID, path)
    with pytest.raises(ValueError, match="store must hold a sweep"):
        load(tmp_path / "none.zarr")


def test_a_full_disk_is_known_before_any_compute(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=2**20 + 4096 * 5 * 9 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"has 1\.23 MB left, the sweep needs 1\.23 MB"):
        Store(tmp_path / "h.zarr", GRID)


def test_draws_are_kept_one_by_one_and_failures_with_their_message(tmp_path):
    store, values = Store(tmp_path / "s.zarr", SMALL), dict.fromkeys(STATISTICS, 2.0)
    store.write((1,), {0: values, 3: "ValueError: the third"})
    store.write((1,), {2: values})
    store.write((0,), {1: "ValueError: the first"})
    cells = list(SMALL.cells())
    store.write_theory(theory([c.network for c in cells], [c.samples for c in cells]))
    dataset = load(tmp_path / "s.zarr")
    expected = [[MISSING, FAILED, MISSING, MISSING], [DONE, MISSING, DONE, FAILED]]
    np.testing.assert_array_equal(dataset.status, expected)
    for name in STATISTICS:
        np.testing.assert_array_equal(dataset[name], np.where(dataset.status == DONE, 2.0, np.nan))
    messages = {"1,3": "ValueError: the third", "0,1": "ValueError: the first"}
    assert dataset.attrs["failures"] == messages
    reopened = Store(tmp_path / "s.zarr", SMALL)
    assert reopened.missing() == [Missing((0,), (0, 2, 3)), Missing((1,), (1,))]


def test_a_store_is_one_of_a_sweep_from_its_first_moment(tmp_path, monkeypatch):
    """Killed before it has any array, it is taken up again."""
    monkeypatch.setattr(Store, "_resized", lambda self, name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Store(tmp_path / "s.zarr", SMALL)
    monkeypatch.undo()
    assert len(Store(tmp_path / "s.zarr", SMALL).missing()) == 2
