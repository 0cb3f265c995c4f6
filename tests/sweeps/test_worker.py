"""What a worker measures, and what it says of a draw that fails."""

import numpy as np
import pytest

from meanfield.spec.network import Network
from meanfield.studies.simulation import simulate
from meanfield.sweeps.words import STATISTICS
from meanfield.sweeps.worker import Task, describe_worker, measure

NETWORK = Network(depth=2, width=6, norm="batch@last", bias_var=0.1)
TASK = Task(
    place=(0, 3),
    draws=(1, 2),
    network=NETWORK.to_dict(),
    samples=5,
    seed=4,
    method="auto",
    precision="float64",
    second_moment=True,
    memory_limit=2**30,
)


def test_draws_are_those_of_simulate():
    finished = measure(TASK)
    expected = simulate(NETWORK, 5, draws=3, seed=4, precision="float64")
    assert finished.key == TASK.key == ((0, 3), 1)
    assert finished.results.keys() == {1, 2}
    for draw, results in finished.results.items():
        for name in STATISTICS:
            said = getattr(expected, name).draws[draw]
            assert results[name] == pytest.approx(said, rel=1e-12)
    assert finished.compile_seconds >= 0
    assert finished.run_seconds >= 0


def test_a_second_moment_that_is_not_asked_for_is_none():
    results = measure(TASK._replace(second_moment=False, draws=(1,))).results[1]
    assert np.isnan(results["eigenvalue_second_moment"])
    assert results["eigenvalue_max"] == pytest.approx(measure(TASK).results[1]["eigenvalue_max"])


def test_a_draw_that_fails_is_a_message_and_no_error():
    results = measure(TASK._replace(memory_limit=1)).results
    assert results.keys() == {1, 2}
    assert all(isinstance(said, str) and "Error: " in said for said in results.values())


def test_a_worker_knows_its_memory_and_device():
    host = describe_worker()
    assert host.memory > 0
    assert host.device
