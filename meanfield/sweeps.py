"""Sweeps: every cell of a grid predicted and measured, on all cores or a cluster, restartably."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from meanfield import __version__
from meanfield.checks import positive_integer
from meanfield.devices import available_memory
from meanfield.grid_theory import theory
from meanfield.grids import Cell, Grid
from meanfield.measurement import Request
from meanfield.methods import BYTES, METHODS, choose_method
from meanfield.network import Network
from meanfield.progress import progress_bar
from meanfield.simulation import measure_draw
from meanfield.sweep_store import STATISTICS, Missing, Store, load

if TYPE_CHECKING:
    import xarray
    from distributed import Client

FLOPS_PER_BATCH = 2e10  # a second or so: what is lost with a worker that dies
CELLS_PER_BATCH = 32
AHEAD = 2  # batches queued per worker
THREADS = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Results = dict[int, dict[str, float] | str]


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


class Batch(NamedTuple):
    """Tasks for one call of a worker, alike in shape, and the bytes that the largest needs."""

    tasks: tuple[Task, ...]
    memory: float


def sweep(
    grid: Grid,
    store: Path | str,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> "xarray.Dataset":
    """Predicts and measures every cell of a grid, and keeps each as soon as it is finished.

    Run again after any interruption it measures only what is missing or damaged: a draw is the
    same whatever came before. A grid with more values along its axes, or more draws, extends the
    store. A draw that fails is recorded and does not stop the others.

    Args:
        grid: What to sweep over.
        store: A folder, made if need be, for a Zarr store.
        workers: Local processes that measure, each with its share of the cores and the memory; by
            default one per core.
        scheduler: The address of a Dask scheduler to use instead, such as "tcp://host:8786".

    Returns:
        The dataset, as `meanfield.load` reads it from the store.

    Raises:
        ValueError: An argument is out of range, or the store holds another grid.
        OSError: The store cannot be written, or no scheduler answers at that address.
    """
    if workers is not None and scheduler is not None:
        raise ValueError(f"workers and scheduler exclude each other, got {workers}, {scheduler}")
    count = positive_integer("workers", workers if workers is not None else _cores())
    kept = Store(store, grid)
    cells = list(kept.grid.cells())
    kept.write_theory(theory([c.network for c in cells], [c.samples for c in cells]))
    kept.describe(
        meanfield_version=__version__,
        jax_version=jax.__version__,
        device=jax.devices()[0].device_kind,
    )
    missing = list(kept.missing())
    if missing:
        by_place = {cell.place: cell for cell in cells}
        memory = available_memory()
        batches = _batches(kept.grid, by_place, missing, memory)
        share = memory / (count if scheduler is None else 1)
        with _client(count, scheduler) as client:
            total = sum(len(batch.tasks) for batch in batches)
            with progress_bar(_measured(client, batches, share), "sweeping", total) as bar:
                for place, results in bar:
                    kept.write(place, results)
    return load(store)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _batches(
    grid: Grid, cells: dict[tuple[int, ...], Cell], missing: list[Missing], memory: int
) -> list[Batch]:
    """What is missing, cells of one shape together and the largest last."""
    request = Request(second_moment=grid.second_moment)
    sized = []
    for place, draws in missing:
        cell = cells[place]
        costs = [
            m.cost(cell.network, cell.samples, request)
            for m in METHODS.values()
            if m.supports(cell.network) and grid.method in ("auto", m.name)
        ]
        flops = min((cost.flops for cost in costs), default=0.0)
        needed = min((cost.numbers for cost in costs), default=0.0) * BYTES[grid.precision]
        task = Task(
            place,
            draws,
            cell.network.to_dict(),
            cell.samples,
            grid.seed,
            grid.method,
            grid.precision,
            grid.second_moment,
            memory,
        )
        shape = cell.network.widths, cell.samples, cell.network.outputs
        kind = shape, cell.network.activation.name, cell.network.norms
        sized.append((needed, kind, flops, task))
    sized.sort(key=lambda item: item[:2])
    batches: list[Batch] = []
    spent, last = np.inf, None
    for needed, kind, flops, task in sized:
        for draws in _portions(task.draws, flops):
            part, cost = task._replace(draws=draws), flops * len(draws)
            full = spent + cost > FLOPS_PER_BATCH or len(batches[-1].tasks) >= CELLS_PER_BATCH
            if kind != last or full:
                batches.append(Batch((), needed))
                spent, last = 0.0, kind
            batches[-1] = batches[-1]._replace(tasks=(*batches[-1].tasks, part))
            spent += cost
    return batches


def _portions(draws: tuple[int, ...], flops: float) -> Iterator[tuple[int, ...]]:
    """The draws of one cell, no more at a time than a batch should cost."""
    size = max(1, int(FLOPS_PER_BATCH / max(flops, 1.0)))
    for start in range(0, len(draws), size):
        yield draws[start : start + size]


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator["Client"]:
    """A Dask client, of a cluster of its own unless a scheduler is named."""
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        with Client(scheduler) as client:
            yield client
        return
    environment = {name: str(max(1, _cores() // workers)) for name in THREADS}
    if folder := jax.config.values["jax_compilation_cache_dir"]:  # the command's, for its workers
        environment["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": environment}),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _measured(
    client: "Client", batches: list[Batch], share: float
) -> Iterator[tuple[tuple[int, ...], Results]]:
    """Results as they come; batches beyond a worker's share of the memory run alone, at the end."""
    from distributed import as_completed

    waiting = deque(sorted(batches, key=lambda batch: batch.memory > share))
    running = as_completed(with_results=True, raise_errors=False)
    tasks: dict[object, tuple[Task, ...]] = {}
    together = AHEAD * max(1, len(client.ncores()))
    while waiting or running.count():
        while waiting and running.count() < (1 if waiting[0].memory > share else together):
            batch = waiting.popleft()
            future = client.submit(measure_batch, batch.tasks, pure=False)
            tasks[future.key] = batch.tasks
            running.add(future)
        future, found = next(running)
        unfinished = tasks.pop(future.key)
        if future.status == "finished":
            yield from found
            continue
        message = repr(future.exception())  # its worker died again and again, for want of memory
        for task in unfinished:
            yield task.place, dict.fromkeys(task.draws, message)


def measure_batch(tasks: tuple[Task, ...]) -> list[tuple[tuple[int, ...], Results]]:
    """What a worker does: every draw's statistics, or the message of its failure."""
    return [(task.place, _measure(task)) for task in tasks]


def _measure(task: Task) -> Results:
    network = Network(**task.network)
    request = Request(second_moment=task.second_moment)
    results: Results = {}
    for draw in task.draws:
        try:
            method = choose_method(
                network, task.samples, task.method, task.precision, request, task.memory_limit
            )
            measured = measure_draw(
                network,
                task.samples,
                draw,
                seed=task.seed,
                method=method,
                precision=task.precision,
                request=request,
            )
        except (ArithmeticError, ValueError, MemoryError) as error:
            results[draw] = f"{type(error).__name__}: {error}"
            continue
        squares = measured.trace_squared
        values = (
            float(measured.leading[0]),
            measured.trace / network.parameters,
            np.nan if squares is None else squares / network.parameters,
        )
        results[draw] = dict(zip(STATISTICS, values, strict=True))
    return results
