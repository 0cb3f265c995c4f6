"""Sweeps on real processes: the same whatever interrupts them."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas
import pytest
from distributed import Client

from meanfield.commands.cli import run
from meanfield.sampling import dual
from meanfield.sampling.measurement import Request
from meanfield.spec.network import Network
from meanfield.studies.simulation import simulate
from meanfield.sweeps import cluster as sweep_cluster
from meanfield.sweeps import store as sweep_store
from meanfield.sweeps import tasks as sweep_tasks
from meanfield.sweeps.cluster import measured
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.store import STATISTICS, Missing, Store, load
from meanfield.sweeps.sweep import sweep
from meanfield.theory.predict import predict

# One shape of network throughout: a worker compiles it once.
FIELDS = {"depth": 2, "width": 6, "samples": [5], "bias_var": [0.0, 0.1, 0.2], "draws": 4}
GRID = Grid(**FIELDS, weight_var=[1.0, 1.5, 2.0])
LARGER = Grid(**{**FIELDS, "draws": 6}, weight_var=[2.0, 1.0, 1.5, 3.0])
# Cells of two shapes, in one order and in another.
BIASES = [round(0.01 * i, 2) for i in range(120)]
MANY = Grid(depth=2, width=[6, 7], samples=5, bias_var=BIASES, draws=2)
REVERSED = Grid(depth=2, bias_var=BIASES[::-1], samples=5, width=[6, 7], draws=2)
RUN = """
from tests.test_sweeps import LARGER, sweep
if __name__ == "__main__":
    sweep(LARGER, {store!r}, workers=1)
"""


@pytest.fixture(scope="module")
def cluster():
    """One that sweeps do not start themselves."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The store of an uninterrupted run by one worker."""
    store = tmp_path_factory.mktemp("whole") / "a.zarr"
    sweep(GRID, store, workers=1)
    return store


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
    assert (dataset.status == sweep_store.DONE).all()
    assert json.loads(dataset.attrs["grid"]) == GRID.to_dict()
    assert dataset.attrs["meanfield_version"]


def test_a_finished_sweep_computes_nothing(whole, monkeypatch):
    monkeypatch.setattr("meanfield.sweeps.sweep.connect", None)
    dataset = sweep(GRID, whole)
    assert dataset.attrs.pop("compile_seconds") == dataset.attrs.pop("run_seconds") == 0
    assert dataset.identical(load(whole))


def test_a_killed_run_loses_nothing_and_an_extended_one_keeps_what_there_is(whole, tmp_path):
    """Killed outright, its worker too, after its first cells; then finished by four workers."""
    store = tmp_path / "b.zarr"
    shutil.copytree(whole, store)
    root = Path(__file__).parents[2]
    before = _measured(store)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN.format(store=str(store))],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
    )
    while _measured(store) == before and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = _marks(store)
    finished = sweep(LARGER, store, workers=4)
    assert (finished.status == sweep_store.DONE).all()
    assert list(finished.weight_var.values) == [1.0, 1.5, 2.0, 3.0]
    reordered = finished.sel(weight_var=list(GRID.axes["weight_var"]), draw=list(range(4)))
    first = load(whole)
    for name in STATISTICS:
        np.testing.assert_array_equal(reordered[name], first[name])
    assert kept <= _marks(store)


def _sweep_many(store, address):
    sweep(MANY, store, scheduler=address)


def test_ten_kills_at_random_cells_lose_and_repeat_nothing(cluster, tmp_path):
    """On a cluster of its own, whose workers go on; no finished cell is ever written again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["meanfield.sweeps.sweep", "distributed", "xarray", "zarr"])
    store, rng, kept = tmp_path / "killed.zarr", np.random.default_rng(0), set()
    for _ in range(10):
        process = context.Process(
            target=_sweep_many, args=(store, cluster.scheduler_address), daemon=True
        )
        process.start()
        goal = len(kept) + rng.integers(1, 12)
        while _measured(store) < goal and process.is_alive():
            time.sleep(0.01)
        process.kill()
        process.join()
        assert kept <= _marks(store)
        kept = _marks(store)
    assert 10 <= len(kept) < len(MANY)
    finished = sweep(MANY, store, scheduler=cluster.scheduler_address)
    assert kept <= _marks(store)
    assert (finished.status == sweep_store.DONE).all()
    fresh = sweep(REVERSED, tmp_path / "fresh.zarr", scheduler=cluster.scheduler_address)
    assert finished.equals(fresh.sel(bias_var=finished.bias_var).transpose(*finished.dims))


def _measured(store):
    return len(_marks(store))


def _marks(store):
    """The chunks of marks as they are on disk, without the library that wrote them."""
    chunks = (store / "status").rglob("c/**/*")
    return {(str(p), p.stat().st_mtime_ns) for p in chunks if p.is_file() and "." not in p.name}


def test_a_killed_worker_is_replaced(whole, tmp_path, monkeypatch):
    """Its cells are measured by another one."""
    from meanfield.sweeps import sweep as sweeps

    killed = []
    original = sweeps.measured

    def kill_one(client, batches, share):
        def kill():
            pids = client.run(os.getpid)
            killed.append(min(pids.values()))
            os.kill(killed[0], signal.SIGKILL)

        threading.Timer(0.5, kill).start()
        return original(client, batches, share)

    monkeypatch.setattr(sweeps, "measured", kill_one)
    dataset = sweep(GRID, tmp_path / "c.zarr", workers=2)
    assert len(killed) == 1
    for name in STATISTICS:
        np.testing.assert_array_equal(dataset[name], load(whole)[name])


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
    with pytest.raises(ValueError, match="workers and scheduler exclude each other"):
        sweep(GRID, tmp_path / "x", workers=1, scheduler="tcp://localhost:1")


def test_the_command_sweeps_and_shows(cluster, tmp_path, capsys):
    path, store = tmp_path / "grid.toml", tmp_path / "e.zarr"
    path.write_text("depth = 2\nwidth = 6\nsamples = 5\nweight_var = [1.0, 2.0]\ndraws = 2\n")
    on = ["--scheduler", cluster.scheduler_address]
    assert run(["sweep", str(path), "--store", str(store), *on, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["cells"], summary["measured"], summary["failed"]) == (2, 4, 0)
    assert run(["show", str(store), "--select", "weight_var=2.0", "--json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    dataset = load(store).sel(weight_var=2.0)
    assert cell["weight_var"] == 2.0
    assert cell["eigenvalue_max"] == pytest.approx(float(dataset.eigenvalue_max.mean()), rel=1e-12)
    sem = dataset.eigenvalue_max.values.std(ddof=1) / 2**0.5
    assert cell["eigenvalue_max_sem"] == pytest.approx(sem, rel=1e-9)
    assert run(["show", str(store), "--csv", str(tmp_path / "cells.csv")]) == 0
    written = pandas.read_csv(tmp_path / "cells.csv")
    assert written.eigenvalue_max[1] == pytest.approx(float(dataset.eigenvalue_max.mean()), 1e-15)
    assert f"{cell['eigenvalue_max']:.5g}" in capsys.readouterr().out
    picture = tmp_path / "cells.png"
    assert run(["show", str(store), "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert run(["show", str(store), "--plot", str(picture), "--along", "norm"]) == 2
    assert "axis must be one of" in capsys.readouterr().err
    assert run(["scaling", str(store), "--along", "weight_var", "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)["lines"]
    assert line["points"] == 2
    for bad in ("weight_var", "depth=2", "weight_var=7"):
        assert run(["show", str(store), "--select", bad]) == 2
        assert "select must" in capsys.readouterr().err


def test_failures_are_recorded_and_set_the_exit_code(cluster, tmp_path, capsys):
    """Dead relu units under rms are 0/0 in draw 0 of seed 1; the other draw is measured."""
    path, store = tmp_path / "grid.toml", tmp_path / "f.zarr"
    path.write_text(
        'widths = [2, 2, 2, 2, 2, 2, 2]\nnorm = "rms@6"\nsamples = [4]\ndraws = 2\nseed = 1\n'
    )
    on = ["--scheduler", cluster.scheduler_address]
    assert run(["sweep", str(path), "--store", str(store), *on, "--json"]) == 3
    summary = json.loads(capsys.readouterr().out)
    assert summary["failed"] >= 1
    assert all("not finite" in message for message in summary["failures"].values())
    assert summary["failed"] + summary["measured"] == 2


def test_a_cell_that_kills_its_worker_is_given_up(tmp_path, monkeypatch):
    """The others of its sweep are measured, with a user's own activation."""
    monkeypatch.setattr(sweep_cluster, "TRIES", 1)
    names = [f"custom_activations:{name}" for name in ("deadly", "swish")]
    grid = Grid(depth=2, width=6, samples=[5], activation=names, draws=2)
    dataset = sweep(grid, tmp_path / "g.zarr", workers=1)
    assert dataset.status.values.tolist() == [[[2, 2], [1, 1]]]
    assert "KilledWorker" in dataset.attrs["failures"]["0,0,1"]
    measured = simulate(Network(depth=2, width=6, activation=names[1]), 5, draws=2)
    np.testing.assert_allclose(dataset.eigenvalue_max[0, 1], measured.eigenvalue_max.draws, 1e-5)


def test_cells_beyond_a_share_of_the_memory_run_alone(cluster):
    grid = Grid(depth=2, width=6, samples=5, bias_var=[0.0, 0.1, 0.2], draws=1)
    items = sweep_tasks.work(grid, [Missing((i,), (0,)) for i in range(3)])
    alone = [b for item in items for b in sweep_tasks.batches(grid, [item], 2**30)]
    with Client(cluster) as client:
        together = {found.key: found.results for found in measured(client, alone, np.inf)}
        apart = {}
        for found in measured(client, alone, 0):
            assert [state.status for state in client.futures.values()].count("pending") <= 1
            apart[found.key] = found.results
    assert len(apart) == 3
    assert apart == together


def test_a_full_disk_is_known_before_any_compute(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=2**20 + 4096 * 4 * 9 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"has 1\.2 MB left, the sweep needs 1\.2 MB"):
        Store(tmp_path / "h.zarr", GRID)


def test_what_is_left_is_planned(whole, tmp_path, capsys):
    path = tmp_path / "grid.toml"
    path.write_text(
        "depth = 2\nwidth = 6\nsamples = [5]\nbias_var = [0.0, 0.1, 0.2]\n"
        "weight_var = [1.0, 1.5, 2.0]\ndraws = 4\n"
    )
    before = _marks(whole)
    arguments = ["sweep", str(path), "--store", str(whole), "--workers", "1", "--dry-run", "--json"]
    assert run(arguments) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["cells"], planned["draws"], planned["seconds"]) == (9, 0, 0.0)
    assert run([*arguments, "--draws", "7"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["draws"], planned["kinds"]) == (27, 1)
    cost = dual.cost(Network(depth=2, width=6), 5, Request())
    assert planned["flops"] == pytest.approx(27 * cost.flops)
    c = planned["calibration"]
    measuring = 27 * c["draw_seconds"] + planned["flops"] / c["flops_per_second"]
    expected = c["start_seconds"] + c["compile_seconds"] + measuring
    assert planned["seconds"] == pytest.approx(expected)
    assert _marks(whole) == before
