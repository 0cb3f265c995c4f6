"""The processes of a sweep: which there may be, and what a death among them costs."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from distributed import Client
from small_sweep import GRID

from meanfield.spec.network import Network
from meanfield.studies.simulation import simulate
from meanfield.sweeps import backlog
from meanfield.sweeps import sweep as sweeps
from meanfield.sweeps.cluster import check_workers, measured, smallest_share
from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import Missing
from meanfield.sweeps.sweep import sweep
from meanfield.sweeps.tasks import batches, work
from meanfield.sweeps.words import STATISTICS
from meanfield.sweeps.worker import Host
from meanfield.theory.white_noise.many import theory


def test_workers_are_local_or_of_a_scheduler(tmp_path):
    assert check_workers(3, None) == 3
    assert check_workers(None, None) == check_workers(None, "tcp://localhost:1") >= 1
    with pytest.raises(ValueError, match="workers must be a positive integer"):
        check_workers(0, None)
    with pytest.raises(ValueError, match="workers and scheduler exclude each other"):
        sweep(GRID, tmp_path / "x", workers=1, scheduler="tcp://localhost:1")
    assert not (tmp_path / "x").exists()


def test_workers_of_one_machine_share_its_memory():
    class Described:
        """A client of three workers on two machines."""

        def run(self, function):
            return {
                "tcp://a:1": Host(100, "cpu"),
                "tcp://a:2": Host(80, "cpu"),
                "tcp://b:1": Host(70, "gpu"),
            }

    assert smallest_share(Described()) == Host(40, "cpu, gpu")


def test_a_scheduler_without_workers_is_refused():
    class Alone:
        """A client of none."""

        def run(self, function):
            return {}

    with pytest.raises(ConnectionError, match="no worker"):
        smallest_share(Alone())


def test_cells_beyond_a_share_of_the_memory_run_alone(cluster):
    grid = Grid(depth=2, width=6, samples=5, bias_var=[0.0, 0.1, 0.2], draws=1)
    items = work(grid, [Missing((i,), (0,)) for i in range(3)])
    alone = [b for item in items for b in batches(grid, [item], 2**30)]
    with Client(cluster) as client:
        together = {found.key: found.results for found in measured(client, alone, np.inf)}
        apart = {}
        for found in measured(client, alone, 0):
            assert [state.status for state in client.futures.values()].count("pending") <= 1
            apart[found.key] = found.results
    assert len(apart) == 3
    assert apart == together


def test_a_killed_worker_is_replaced(cluster, whole, tmp_path, monkeypatch):
    """Its cells, which it never came to measure, are measured by another one."""
    killed = []
    original = sweeps.measured

    def kill_one(client, batches, share):
        victim, process = min(client.run(os.getpid).items())
        os.kill(process, signal.SIGSTOP)
        for finished in original(client, batches, share):
            if not killed:
                killed.append(client.processing()[victim])
                os.kill(process, signal.SIGKILL)
            yield finished

    monkeypatch.setattr("meanfield.sweeps.tasks.FLOPS_PER_BATCH", 1.0)  # a batch per draw
    monkeypatch.setattr(sweeps, "measured", kill_one)
    dataset = sweep(GRID, tmp_path / "c.zarr", scheduler=cluster.scheduler_address)
    assert killed[0]
    for name in STATISTICS:
        np.testing.assert_array_equal(dataset[name], load(whole)[name])


def theory_of_linear_ones(networks, samples):
    return theory([replace(network, activation="linear") for network in networks], samples)


def test_a_cell_that_kills_its_worker_is_given_up(cluster, tmp_path, monkeypatch):
    """The others of its sweep are measured, with a user's own activation."""
    monkeypatch.setattr(backlog, "TRIES", 1)
    monkeypatch.setattr(sweeps, "theory", theory_of_linear_ones)  # two tables of averages less
    names = [f"custom_activations:{name}" for name in ("deadly", "swish")]
    grid = Grid(depth=2, width=6, samples=[5], activation=names, draws=2)
    dataset = sweep(grid, tmp_path / "g.zarr", scheduler=cluster.scheduler_address)
    assert dataset.status.values.tolist() == [[[2, 2], [1, 1]]]
    assert "KilledWorker" in dataset.attrs["failures"]["0,0,1"]
    measured = simulate(Network(depth=2, width=6, activation=names[1]), 5, draws=2)
    np.testing.assert_allclose(dataset.eigenvalue_max[0, 1], measured.eigenvalue_max.draws, 1e-5)
