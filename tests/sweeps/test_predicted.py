"""Theory in a store: what its kinds of λ_max mean, and when it is written."""

import shutil

import numpy as np
import zarr
from small_sweep import theory_folder

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


def test_kinds_are_read_by_their_description_and_not_by_their_order_today(whole, tmp_path):
    """As of a version that has one more kind in the middle, and numbers them otherwise."""
    store = shutil.copytree(whole, tmp_path / "a.zarr")
    array = zarr.open_array(theory_folder(store) / KIND, mode="a")
    values, meanings = [7, 3, 0], ["outlier", "bulk-edge", "lower-bound"]
    array.attrs.update({"flag_values": values, "flag_meanings": " ".join(meanings)})
    stored = np.resize(values, array.shape)
    array[...] = stored
    expected = np.array(meanings)[[values.index(value) for value in stored.ravel()]]
    np.testing.assert_array_equal(load(store)[KIND], expected.reshape(stored.shape))


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
