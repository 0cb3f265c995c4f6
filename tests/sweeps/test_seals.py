"""Draws that stand where they do not belong, though every chunk is as it was written."""

import shutil

import numpy as np
import pytest
from small_sweep import GRID

from meanfield.sweeps.dataset import load
from meanfield.sweeps.kept import Missing
from meanfield.sweeps.seals import sealed
from meanfield.sweeps.store import Store
from meanfield.sweeps.words import DONE, EMPTY, MISSING, SEAL, STATISTICS, STATUS

HERE, THERE = "c/0/1/2/0", "c/0/0/1/0"


@pytest.fixture
def store(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "s")


@pytest.mark.parametrize("names", [STATISTICS[:1], STATISTICS, tuple(EMPTY)])
def test_chunks_of_another_cell_are_missing_and_measured_again(whole, store, names):
    for name in names:
        shutil.copy(store / name / THERE, store / name / HERE)
    found, expected = load(store), load(whole)
    assert (found[STATUS].values[0, 1, 2] == MISSING).all()
    for name in STATISTICS:
        assert np.isnan(found[name].values[0, 1, 2]).all()
        rest = found[STATUS].values == DONE
        np.testing.assert_array_equal(found[name].values[rest], expected[name].values[rest])
    assert Store(store, GRID).missing() == [Missing((0, 1, 2), (0, 1, 2, 3))]


def test_stores_of_before_there_were_seals_hold_what_they_held(whole, store):
    shutil.rmtree(store / SEAL)
    assert load(store).identical(load(whole))
    assert Store(store, GRID).missing() == []
    assert load(store).identical(load(whole))


def test_every_number_and_index_counts():
    numbers = {name: np.array([1.0]) for name in (*STATISTICS, STATUS)}
    seals = {int(sealed((0, np.arange(1)), numbers)[0]), int(sealed((1, np.arange(1)), numbers)[0])}
    for name in numbers:
        for other in (-1.0, np.nextafter(1.0, 2.0), np.nan):
            seals.add(int(sealed((0, np.arange(1)), {**numbers, name: np.array([other])})[0]))
    assert len(seals) == 2 + 3 * len(numbers)
