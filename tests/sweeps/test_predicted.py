"""Theory in a store: what its kinds of λ_max mean, and when it is written."""

import shutil

import numpy as np
import pytest
import zarr
from small_sweep import GRID, theory_folder

from meanfield.sweeps import predicted
from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.predicted import forget_predicted, write_predicted
from meanfield.sweeps.words import KIND
from meanfield.theory.kinds import Kind
from meanfield.theory.white_noise.many import Theory


def test_the_kinds_are_described_where_they_are_written(whole):
    attributes = zarr.open_array(theory_folder(whole) / KIND, mode="r").attrs
    assert attributes["flag_values"] == list(range(len(Kind)))
    assert attributes["flag_meanings"].split() == [str(kind) for kind in Kind]
    assert load(whole)[KIND].attrs == {}


def test_kinds_are_read_by_their_description_and_not_by_their_order_today(
    whole, tmp_path, monkeypatch
):
    """As of a version that has one more kind in the middle, and numbers them otherwise."""
    store = shutil.copytree(whole, tmp_path / "a.zarr")
    values, meanings = [7, 3, 0], ["outlier", "bulk-edge", "lower-bound"]
    flags = {"flag_values": values, "flag_meanings": " ".join(meanings)}
    stored = np.resize(values, len(GRID))
    theory = Theory(**{name: np.ones(len(GRID)) for name in Theory._fields})
    with monkeypatch.context() as patch:
        patch.setattr(predicted, "FLAGS", flags)
        name = write_predicted(store, GRID, theory._replace(eigenvalue_max_kind=stored))
    zarr.open_group(store).attrs["theory"] = name
    expected = np.array(meanings)[[values.index(value) for value in stored]]
    np.testing.assert_array_equal(load(store)[KIND], expected.reshape(GRID.shape))


def test_only_what_is_not_there_yet_is_written(tmp_path):
    grid = Grid(depth=2, width=[5, 6], samples=5)
    theory = Theory(*np.arange(16.0).reshape(8, 2) % 3)
    name = write_predicted(tmp_path, grid, theory)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / name).rglob("*")}
    assert write_predicted(tmp_path, grid, theory) == name
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / name).rglob("*")} == files
    other = write_predicted(tmp_path, grid, theory._replace(kappa1=np.full(2, np.nan)))
    assert other != name
    (tmp_path / "theory_kappa1").mkdir()  # as an older version wrote it
    forget_predicted(tmp_path, {other})
    assert [path.name for path in tmp_path.iterdir()] == [other]


def test_a_chunk_of_another_array_is_not_taken_for_this_one(whole, tmp_path):
    store = shutil.copytree(whole, tmp_path / "s")
    folder = theory_folder(store)
    (one,) = (folder / "theory_kappa1" / "c").rglob("0/0/0")
    shutil.copy(one, folder / "theory_kappa2" / one.relative_to(folder / "theory_kappa1"))
    with pytest.raises(ValueError, match=r"is not what was written .* run the sweep again"):
        load(store)


def test_theory_is_of_the_grid_that_it_was_written_for(whole, tmp_path):
    store = shutil.copytree(whole, tmp_path / "s")
    said = (store / "zarr.json").read_text()
    assert said.count(r"\"weight_var\": [1.0, 1.5, 2.0]") == 1
    changed = said.replace(r"\"weight_var\": [1.0, 1.5", r"\"weight_var\": [1.0, 1.7")
    (store / "zarr.json").write_text(changed)
    with pytest.raises(ValueError, match="is not what was written for this grid"):
        load(store)
