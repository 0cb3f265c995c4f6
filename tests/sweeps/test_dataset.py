"""Datasets of sweeps: labels, descriptions, and what the kinds of λ_max mean."""

import json
import shutil

import numpy as np
import pytest
import zarr
from small_sweep import GRID, LARGER, theory_folder

from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.store import Store
from meanfield.sweeps.sweep import sweep
from meanfield.sweeps.words import DONE, KIND, MISSING
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


def _remove(store):
    shutil.rmtree(theory_folder(store) / KIND)


def _remove_all(store):
    shutil.rmtree(theory_folder(store))


def _remove_its_values(store):
    shutil.rmtree(theory_folder(store) / "theory_eigenvalue_mean" / "c")


def _flip_a_bit(store):
    chunk = theory_folder(store) / "theory_kappa1" / "c" / "0" / "0" / "0"
    content = bytearray(chunk.read_bytes())
    content[3] ^= 1
    chunk.write_bytes(content)


def _write_as_older_versions_did(store):
    kinds, group = np.zeros(GRID.shape), zarr.open_group(store, mode="a")
    group.create_array(KIND, data=kinds, dimension_names=tuple(GRID.axes))
    del group.attrs["theory"]


def _leave_half_a_description(store):
    del zarr.open_array(theory_folder(store) / KIND, mode="a").attrs["flag_meanings"]


@pytest.mark.parametrize(
    "damage",
    [
        _remove,
        _remove_all,
        _remove_its_values,
        _flip_a_bit,
        _write_as_older_versions_did,
        _leave_half_a_description,
    ],
)
def test_a_store_without_theory_asks_for_the_sweep_which_writes_it(whole, store, damage):
    damage(store)
    with pytest.raises(ValueError, match=AGAIN):
        load(store)
    assert sweep(GRID, store).equals(load(whole))
    assert load(store).identical(load(whole))


@pytest.mark.parametrize("grid", [LARGER, Grid(**{**GRID.to_dict(), "draws": 5})])
def test_a_store_that_is_being_extended_is_what_it_was_until_its_theory_is_there(
    whole, store, grid
):
    kept = Store(store, grid)
    assert load(store).identical(load(whole))
    cells = list(kept.grid.cells())
    kept.write_theory(theory([c.network for c in cells], [c.samples for c in cells]))
    assert load(store).sizes == {"samples": 1, "bias_var": 3, "draw": grid.draws} | {
        "weight_var": grid.shape[2]
    }
    assert (load(store).status.isel(draw=-1) == MISSING).all()
    assert (load(store).status.isel(weight_var=slice(3), draw=slice(4)) == DONE).all()
