"""Sweeps on real processes: the same whatever interrupts them."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from small_sweep import GRID, LARGER, marks, sweep_until_killed

from meanfield.studies.simulation import simulate
from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import left
from meanfield.sweeps.store import Store
from meanfield.sweeps.sweep import sweep
from meanfield.sweeps.words import DONE, STATISTICS
from meanfield.sweeps.worker import Finished, Host
from meanfield.theory.predict import predict

# Cells of two shapes, in one order and in another.
BIASES = [round(0.01 * i, 2) for i in range(60)]
MANY = Grid(depth=2, width=[6, 7], samples=5, bias_var=BIASES, draws=2)
REVERSED = Grid(depth=2, bias_var=BIASES[::-1], samples=5, width=[6, 7], draws=2)
RUN = """
from small_sweep import LARGER, sweep_until_killed
if __name__ == "__main__":
    sweep_until_killed(LARGER, {store!r}, cells=3, workers=1)
"""


def test_cells_are_what_predict_and_simulate_say(whole):
    dataset = load(whole)
    assert dict(dataset.sizes) == {"samples": 1, "bias_var": 3, "weight_var": 3, "draw": 4}
    for cell in GRID.cells():
        here = dataset.isel(dict(zip(GRID.axes, cell.place, strict=True)))
        theory = predict(cell.network, cell.samples)
        measured = simulate(cell.network, cell.samples, draws=4)
        assert str(here.theory_eigenvalue_max_kind.values) == theory.eigenvalue_max_kind
        for name in STATISTICS:
            assert float(here[f"theory_{name}"]) == pytest.approx(getattr(theory, name), rel=1e-9)
            # Another process with another number of threads: to the rounding of float32.
            draws = getattr(measured, name).draws
            np.testing.assert_allclose(here[name].values, draws, rtol=1e-5)
    assert (dataset.status == DONE).all()
    assert json.loads(dataset.attrs["grid"]) == GRID.to_dict()
    assert dataset.attrs["meanfield_version"]


def test_a_finished_sweep_computes_nothing(whole, monkeypatch):
    monkeypatch.setattr("meanfield.sweeps.sweep.connect", None)
    dataset = sweep(GRID, whole)
    assert dataset.attrs.pop("compile_seconds") == dataset.attrs.pop("run_seconds") == 0
    assert dataset.identical(load(whole))


def test_a_killed_run_loses_nothing_and_an_extended_one_keeps_what_there_is(whole, tmp_path):
    """Killed outright, its worker too, after its first cells; then finished by two workers."""
    store = tmp_path / "b.zarr"
    shutil.copytree(whole, store)
    before = marks(store)
    root = Path(__file__).parents[2]
    path = os.pathsep.join(map(str, (root, root / "tests")))
    process = subprocess.run(
        [sys.executable, "-c", RUN.format(store=str(store))], env={**os.environ, "PYTHONPATH": path}
    )
    assert process.returncode == -signal.SIGKILL
    kept = marks(store)
    assert before < kept
    assert left(store, LARGER)[1]
    finished = sweep(LARGER, store, workers=2)
    assert (finished.status == DONE).all()
    assert list(finished.weight_var.values) == [1.0, 1.5, 2.0, 3.0]
    reordered = finished.sel(weight_var=list(GRID.axes["weight_var"]), draw=list(range(4)))
    first = load(whole)
    for name in STATISTICS:
        np.testing.assert_array_equal(reordered[name], first[name])
    assert kept <= marks(store)


def test_three_kills_at_random_moments_lose_and_repeat_nothing(cluster, tmp_path):
    """On a cluster of its own, whose workers go on; no finished cell is ever written again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["meanfield.sweeps.sweep", "distributed", "xarray", "zarr"])
    store, rng, kept = tmp_path / "killed.zarr", np.random.default_rng(0), set()
    for _ in range(3):
        process = context.Process(
            target=sweep_until_killed,
            args=(MANY, store, rng.integers(1, 12), rng.uniform(0, 0.05)),
            kwargs={"scheduler": cluster.scheduler_address},
            daemon=True,
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert kept < marks(store)
        kept = marks(store)
    assert 3 <= len(kept) < len(MANY)
    finished = sweep(MANY, store, scheduler=cluster.scheduler_address)
    assert kept <= marks(store)
    assert (finished.status == DONE).all()
    fresh = sweep(REVERSED, tmp_path / "fresh.zarr", scheduler=cluster.scheduler_address)
    assert finished.equals(fresh.sel(bias_var=finished.bias_var).transpose(*finished.dims))


def test_damage_is_found_and_mended(whole, cluster, tmp_path):
    store = tmp_path / "d.zarr"
    shutil.copytree(whole, store)
    chunk = store / "eigenvalue_max" / "c" / "0" / "1" / "2" / "0"
    content = bytearray(chunk.read_bytes())
    content[5] ^= 1
    chunk.write_bytes(content)
    (store / "status" / "c" / "0" / "0" / "0" / "0").write_bytes(b"\x01")
    missing = list(Store(store, GRID).missing())
    assert [cell.place for cell in missing] == [(0, 0, 0), (0, 1, 2)]
    assert sweep(GRID, store, scheduler=cluster.scheduler_address).equals(load(whole))


def test_results_end_before_the_client_does_where_they_cannot_be_kept(tmp_path, monkeypatch):
    ended = []

    @contextmanager
    def until_ended(name):
        try:
            yield
        finally:
            ended.append(name)

    def measured(*_):
        with until_ended("results"):
            yield Finished(((0,), 0), {0: "ValueError: a failure"})

    def write(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("meanfield.sweeps.sweep.connect", lambda *_: until_ended("client"))
    monkeypatch.setattr("meanfield.sweeps.sweep.smallest_share", lambda _: Host(2**30, "cpu"))
    monkeypatch.setattr("meanfield.sweeps.sweep.measured", measured)
    monkeypatch.setattr(Store, "write", write)
    with pytest.raises(OSError, match="No space left"):
        sweep(Grid(depth=2, width=[6], samples=5, draws=1), tmp_path / "s")
    assert ended == ["results", "client"]
