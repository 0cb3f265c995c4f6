"""What the workers of a sweep do: measure draws and tell of each cell as soon as it is through."""

import os
import pickle
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import jax
import numpy as np

from meanfield.machine.compilations import compilation_clock, make_room
from meanfield.machine.devices import available_memory
from meanfield.sampling.draws import Experiment, measure_draw
from meanfield.sampling.measurement import Request
from meanfield.sampling.methods import choose_method
from meanfield.spec.activations import resolve_activation
from meanfield.spec.network import Network
from meanfield.sweeps.words import STATISTICS, Results


class Task(NamedTuple):
    """Some draws of one cell, as they travel to a worker: names only, no code.

    Attributes:
        place: The cell's place in the grid.
        draws: The numbers of the draws.
        network: The arguments of `Network`.
        samples: T.
        seed, method, precision, second_moment: As in the grid.
        memory_limit: Bytes a draw may use.
    """

    place: tuple[int, ...]
    draws: tuple[int, ...]
    network: dict
    samples: int
    seed: int
    method: str
    precision: str
    second_moment: bool
    memory_limit: int

    @property
    def key(self) -> tuple[tuple[int, ...], int]:
        """What tells it from the other tasks of a sweep."""
        return self.place, self.draws[0]


class Finished(NamedTuple):
    """A task that is through.

    Attributes:
        key: The task's.
        results: Every draw's statistics, or the message of its failure.
        compile_seconds, run_seconds: What compiling took, and all the rest.
    """

    key: tuple[tuple[int, ...], int]
    results: Results
    compile_seconds: float = 0.0
    run_seconds: float = 0.0


class Host(NamedTuple):
    """What a worker has: bytes of memory, shared with others of its machine, and its device."""

    memory: int
    device: str


def describe_worker() -> Host:
    """What this process has."""
    return Host(available_memory(), jax.devices()[0].device_kind)


def measure_batch(tasks: Sequence[Task], topic: str) -> list[Finished]:
    """Measures every task; each is told of as an event of the topic before the next begins."""
    from distributed import get_worker

    done = []
    for task in tasks:
        done.append(measure(task))
        get_worker().log_event(topic, pickle.dumps(done[-1]))
    return done


def measure(task: Task) -> Finished:
    """Every draw's statistics, or the message of its failure."""
    resolve_activation(task.network["activation"], os.getcwd())  # the user vouched for its module
    network = Network(**task.network)
    make_room()
    with _clocks() as seconds:
        results = {draw: _measure_draw(network, task, draw) for draw in task.draws}
    return Finished(task.key, results, *seconds)


def _measure_draw(network: Network, task: Task, draw: int) -> dict[str, float] | str:
    request = Request(second_moment=task.second_moment)
    try:
        method = choose_method(
            network, task.samples, task.method, task.precision, request, task.memory_limit
        )
        experiment = Experiment(network, task.samples, task.seed, method, task.precision, request)
        measured = measure_draw(experiment, draw)
    except (ArithmeticError, ValueError, MemoryError, jax.errors.JaxRuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    squares = measured.trace_squared
    values = (
        float(measured.leading[0]),
        measured.trace / network.parameters,
        np.nan if squares is None else squares / network.parameters,
    )
    return dict(zip(STATISTICS, values, strict=True))


@contextmanager
def _clocks() -> Iterator[list[float]]:
    """Seconds of compilation and of all the rest, once the block is through."""
    clock = compilation_clock()
    seconds: list[float] = []
    before, started = clock.seconds, time.perf_counter()
    yield seconds
    compiling = clock.seconds - before
    seconds += [compiling, max(time.perf_counter() - started - compiling, 0.0)]
