"""Chunks on disk: which are damaged, missing or not described, and what is said of them."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from small_sweep import GRID, theory_folder

from meanfield.commands.cli import run
from meanfield.sweeps.chunks import DamagedError, damage, opened, values
from meanfield.sweeps.dataset import load
from meanfield.sweeps.kept import Missing, is_measured, left
from meanfield.sweeps.store import Store
from meanfield.sweeps.words import EMPTY, MISSING, STATISTICS

SHAPE = (1, 3, 3, 4)
CHUNK = "c/0/1/2/0"


@pytest.fixture
def store(whole, tmp_path):
    """A copy of the finished sweep, to be damaged."""
    return shutil.copytree(whole, tmp_path / "s")


def _cut(chunk):
    chunk.write_bytes(chunk.read_bytes()[:-1])


def _flip(chunk):
    content = bytearray(chunk.read_bytes())
    content[0] ^= 1
    chunk.write_bytes(content)


def _lengthen(chunk):
    chunk.write_bytes(chunk.read_bytes() + b"x")


def _empty(chunk):
    chunk.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_cut, _flip, _lengthen, _empty])
@pytest.mark.parametrize("name", EMPTY)
def test_a_damaged_chunk_is_named_and_mended(store, name, spoil):
    spoil(store / name / CHUNK)
    assert list(damage(store, name, SHAPE)) == [(0, 1, 2, 0)]
    said = f"the chunk {name}/{CHUNK} of the store {store} is damaged: run the sweep again"
    for call in (load, lambda path: left(path, GRID)):
        with pytest.raises(DamagedError, match=said):
            call(store)
    assert not is_measured(store, GRID)
    assert Store(store, GRID).missing() == [Missing((0, 1, 2), (0, 1, 2, 3))]
    assert not any((store / n / CHUNK).exists() for n in EMPTY)


def test_damage_where_no_mark_was_written_yet_is_mended(store):
    _cut(store / "eigenvalue_max" / CHUNK)
    shutil.rmtree(store / "status" / "c" / "0" / "1")
    places = {cell.place for cell in Store(store, GRID).missing()}
    assert places == {(0, 1, 0), (0, 1, 1), (0, 1, 2)}


@pytest.mark.parametrize("name", STATISTICS)
def test_a_mark_does_not_vouch_for_a_chunk_that_is_missing(whole, store, name):
    (store / name / CHUNK).unlink()
    every = [Missing((0, 1, 2), (0, 1, 2, 3))]
    assert left(store, GRID)[1] == Store(store, GRID).missing() == every
    assert (load(store).status.values[0, 1, 2] == MISSING).all()
    shutil.rmtree(store / name)
    assert len(left(store, GRID)[1]) == 9
    assert len(Store(store, GRID).missing()) == 9


@pytest.mark.parametrize(
    "description", [b"", b"{", b"\xff\xfe", b"[]", b"{}", b"null", b"codecs", b"shape"]
)
def test_a_description_that_is_none_is_one_line_that_names_the_store(store, capsys, description):
    file = store / "eigenvalue_mean" / "zarr.json"
    if description == b"codecs":
        said = json.loads(file.read_text())
        description = json.dumps({**said, "codecs": said["codecs"][:1]}).encode()
    elif description == b"shape":
        said = json.loads(file.read_text())
        description = json.dumps({**said, "shape": [9, 4]}).encode()
    file.write_bytes(description)
    with pytest.raises(DamagedError, match=f"the array eigenvalue_mean of the store {store} is"):
        load(store)
    assert run(["show", str(store)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_not_there_is_empty(store):
    assert opened(store, "none") is None
    assert np.isnan(values(store, "none", (2, 3), np.float64(np.nan))).all()
    longer = values(store, "status", (2, 3, 2, 5), EMPTY["status"])
    assert longer[:1, :, :, :4].all()
    assert not longer[1].any()
    assert not longer[..., 4].any()


def test_the_command_says_one_line_of_damage_and_nothing_of_its_own_tasks(store, tmp_path):
    """In a process of its own: what is left of them at its end would be told there."""
    (store / "eigenvalue_max" / CHUNK).write_bytes(b"x")
    command = [sys.executable, "-m", "meanfield", "show", str(store)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(f"meanfield: the chunk eigenvalue_max/{CHUNK} of the store")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("grid", ["", "[]", "{}", '{"samples": 1e400}', "[" * 10**5, None, 3])
def test_a_grid_that_is_none_is_one_line_that_names_the_store(store, grid):
    said = json.loads((store / "zarr.json").read_text())
    said["attributes"]["grid"] = grid
    (store / "zarr.json").write_text(json.dumps(said))
    with pytest.raises(ValueError, match=f"store must hold a sweep, got {store}: "):
        load(store)


@pytest.mark.parametrize(("other", "name"), [("status", "eigenvalue_mean"), ("theory", "status")])
def test_the_description_of_another_array_is_none(store, other, name):
    folder = theory_folder(store) / "theory_kappa1" if other == "theory" else store / other
    shutil.copy(folder / "zarr.json", store / name / "zarr.json")
    for call in (load, lambda path: left(path, GRID), lambda path: Store(path, GRID)):
        with pytest.raises(DamagedError, match=f"the array {name} of the store {store} is damaged"):
            call(store)
