"""Datasets of sweeps: labels, descriptions, and what the kinds of λ_max mean."""

import json
import shutil

import numpy as np
import pytest
import zarr
from small_sweep import GRID, LARGER

from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.store import Store
from meanfield.sweeps.sweep import sweep
from meanfield.sweeps.words import KIND, MISSING
from meanfield.theory.kinds import Kind
from meanfield.theory.white_noise.many import theory

AGAIN = "or was written by an older version.*: run the sweep again"


@pytest.fixture
def store(whole, tmp_path):
    """A copy of the finished sweep, to be changed."""
    return shutil.copytree(whole, tmp_path / "a.zarr")


def with_theory(path, grid):
    """A store that no draw was measured for."""
    cells, kept = list(grid.cells()), Store(path, grid)
    kept.write_theory(theory([c.network for c in cells], [c.samples for c in cells]))
    return path


def test_variables_say_what_they_are(whole):
    dataset = load(whole)
    largest = {"long_name": "largest eigenvalue of the FIM", "units": "1"}
    assert dataset.eigenvalue_max.attrs == dataset.theory_eigenvalue_max.attrs == largest
    assert dataset.samples.attrs == {"long_name": "T, the number of samples", "units": "samples"}
    assert dataset.theory_kappa1.long_name == "kappa_1, order parameter of the same sample"
    assert "tr F / P" in dataset.eigenvalue_mean.long_name
    assert json.loads(dataset.attrs["width"]) == 6
    assert "normalization" in dataset.attrs


@pytest.mark.parametrize(
    ("axes", "sizes"),
    [({"width": [6, 8], "depth": [2]}, [12, 16]), ({"widths": [[6, 5], [8, 7]]}, [10, 14])],
)
def test_samples_tied_to_an_axis_are_its_coordinate(tmp_path, axes, sizes):
    grid = Grid(**axes, bias_var=[0.0, 0.1], samples="2*width", draws=1)
    dataset = load(with_theory(tmp_path / "s.zarr", grid))
    assert dataset.samples.dims == tuple(axes)[:1]
    assert dataset.samples.values.tolist() == sizes


def test_a_grid_without_axes_is_a_single_cell(tmp_path):
    dataset = load(with_theory(tmp_path / "s.zarr", Grid(depth=2, width=6, samples=5, draws=3)))
    assert dict(dataset.sizes) == {"draw": 3}
    assert Kind(str(dataset[KIND].values)) is Kind.OUTLIER
    assert (dataset.status == MISSING).all()


def test_the_kinds_are_described_where_they_are_written(whole):
    attributes = zarr.open_array(whole / KIND, mode="r").attrs
    assert attributes["flag_values"] == list(range(len(Kind)))
    assert attributes["flag_meanings"].split() == [str(kind) for kind in Kind]
    assert load(whole)[KIND].attrs == {}


def test_kinds_are_read_by_their_description_and_not_by_their_order_today(store):
    """As of a version that has one more kind in the middle, and numbers them otherwise."""
    array = zarr.open_array(store / KIND, mode="a")
    values, meanings = [7, 3, 5, 0], ["outlier", "bulk-edge", "wide-limit", "lower-bound"]
    array.attrs.update({"flag_values": values, "flag_meanings": " ".join(meanings)})
    stored = np.resize(values, array.shape)
    array[...] = stored
    expected = np.array(meanings)[[values.index(value) for value in stored.ravel()]]
    np.testing.assert_array_equal(load(store)[KIND], expected.reshape(stored.shape))


def _remove(store):
    shutil.rmtree(store / KIND)


def _remove_its_values(store):
    shutil.rmtree(store / KIND / "c")


def _write_as_older_versions_did(store):
    kinds, group = np.zeros(GRID.shape), zarr.open_group(store, mode="a")
    names = tuple(GRID.axes)
    group.create_array(KIND, data=kinds, dimension_names=names, overwrite=True)


def _leave_half_a_description(store):
    del zarr.open_array(store / KIND, mode="a").attrs["flag_meanings"]


@pytest.mark.parametrize(
    "damage",
    [_remove, _remove_its_values, _write_as_older_versions_did, _leave_half_a_description],
)
def test_a_store_without_theory_asks_for_the_sweep_which_writes_it(whole, store, damage):
    damage(store)
    with pytest.raises(ValueError, match=AGAIN):
        load(store)
    assert sweep(GRID, store).equals(load(whole))
    assert load(store).identical(load(whole))


@pytest.mark.parametrize("grid", [LARGER, Grid(**{**GRID.to_dict(), "draws": 5})])
def test_a_store_that_is_just_extended_needs_theory_of_new_cells_only(store, grid):
    Store(store, grid)
    if len(grid) > len(GRID):
        with pytest.raises(ValueError, match=AGAIN):
            load(store)
    else:
        assert (load(store).status.isel(draw=4) == MISSING).all()


def test_a_store_whose_extension_was_killed_asks_for_the_sweep(store):
    """Its arrays are longer already than its grid says."""
    Store(store, Grid(**{**GRID.to_dict(), "draws": 5}))._group.attrs["grid"] = json.dumps(
        GRID.to_dict()
    )
    with pytest.raises(ValueError, match=AGAIN):
        load(store)


def test_theory_whose_writing_was_killed_is_not_taken_for_that_of_before(store, monkeypatch):
    original = Store._replace

    def replace(self, name, *args):
        if name == "theory_kappa1":
            raise KeyboardInterrupt
        original(self, name, *args)

    monkeypatch.setattr(Store, "_replace", replace)
    with pytest.raises(KeyboardInterrupt):
        sweep(GRID, store)
    with pytest.raises(ValueError, match=AGAIN):
        load(store)
