"""The processes that a sweep runs on: a local Dask cluster, or any other one by its address."""

import os
import pickle
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from meanfield.checks import positive_integer
from meanfield.machine.compilations import kept_in, sharing
from meanfield.sweeps.tasks import Batch
from meanfield.sweeps.worker import Finished, Host, Task, describe_worker, measure_batch

if TYPE_CHECKING:
    from distributed import Client, Future

AHEAD = 2  # batches queued per worker
TRIES = 3  # of a task that runs alone and whose workers die
THREADS = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def check_workers(workers: int | None, scheduler: str | None) -> int:
    """The number of local workers.

    Raises:
        ValueError: It is out of range, or a scheduler is named too.
    """
    if workers is not None and scheduler is not None:
        raise ValueError(f"workers and scheduler exclude each other, got {workers}, {scheduler}")
    return positive_integer("workers", workers if workers is not None else _cores())


@contextmanager
def connect(workers: int, scheduler: str | None) -> Iterator["Client"]:
    """A Dask client, of a cluster of its own unless a scheduler is named.

    Local workers keep to their share of the cores, and share what they compile.
    """
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        with Client(scheduler) as client:
            yield client
        return
    threads = dict.fromkeys(THREADS, str(max(1, _cores() // workers)))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = {
            "distributed.nanny.pre-spawn-environ": {**threads, **sharing(kept_in() or folder)},
            "distributed.scheduler.allowed-failures": 0,  # `measured` knows better what to repeat
        }
        with (
            dask.config.set(settings),
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                memory_limit=0,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client


def smallest_share(client: "Client") -> Host:
    """The least memory that any worker has to itself, and the device that they run on.

    Raises:
        ConnectionError: There is no worker.
    """
    hosts: dict[str, Host] = client.run(describe_worker)
    if not hosts:
        raise ConnectionError("no worker is connected to the scheduler")
    machines = Counter(_machine(address) for address in hosts)
    shares = [host.memory // machines[_machine(address)] for address, host in hosts.items()]
    return Host(min(shares), ", ".join(sorted({host.device for host in hosts.values()})))


def _machine(address: str) -> str:
    return address.rpartition(":")[0]


def measured(client: "Client", batches: Sequence[Batch], share: float) -> Iterator[Finished]:
    """Every task as soon as it is through; batches beyond a worker's share run alone, at the end.

    So does what a batch whose worker died had left to do: in company there is no telling whose
    fault that was. A task that was the next one TRIES times when a worker died all the same is
    given up: it may want more memory than there is, say.

    Raises:
        ConnectionError: The scheduler is gone.
    """
    topic = f"meanfield-{uuid4().hex}"
    arrived: SimpleQueue[Finished | Future] = SimpleQueue()
    client.subscribe_topic(topic, lambda event: arrived.put(pickle.loads(event[1])))
    waiting = deque(sorted(batches, key=lambda batch: batch.memory > share))
    running: dict[object, tuple[Future, Batch]] = {}
    open_tasks = {task.key: task for batch in batches for task in batch.tasks}
    deaths: Counter = Counter()
    together = AHEAD * max(1, len(client.ncores()))

    def through(finished: Sequence[Finished]) -> Iterator[Finished]:
        return (item for item in finished if open_tasks.pop(item.key, None))

    try:
        while waiting or running:
            while waiting and len(running) < (1 if waiting[0].memory > share else together):
                batch = waiting.popleft()
                future = client.submit(measure_batch, batch.tasks, topic, pure=False)
                running[future.key] = future, batch
                future.add_done_callback(arrived.put)
            item = arrived.get()
            if isinstance(item, Finished):
                yield from through([item])
                continue
            batch = running.pop(item.key)[1]
            if item.status == "cancelled":
                raise ConnectionError("the scheduler is gone; what is finished is kept")
            if item.status == "finished":
                yield from through(item.result())
                continue
            left = [task for task in batch.tasks if task.key in open_tasks]
            if left and batch.memory > share:  # alone, and so to blame
                deaths[left[0].key] += 1
                if deaths[left[0].key] == TRIES:
                    yield from through([_given_up(left.pop(0), item.exception())])
            if left:
                waiting.append(Batch(tuple(left), np.inf))
    finally:
        client.unsubscribe_topic(topic)


def _given_up(task: Task, error: BaseException) -> Finished:
    return Finished(task.key, dict.fromkeys(task.draws, repr(error)))
