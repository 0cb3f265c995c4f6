"""The processes that a sweep runs on: a local Dask cluster, or any other one by its address."""

import os
import pickle
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

from meanfield.checks import count
from meanfield.machine.compilations import kept_in, sharing
from meanfield.sweeps.backlog import Backlog
from meanfield.sweeps.tasks import Batch
from meanfield.sweeps.worker import Finished, Host, describe_worker, measure_batch

if TYPE_CHECKING:
    from distributed import Client, Future

AHEAD = 2  # batches queued per worker
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
    return count("workers", workers if workers is not None else _cores())


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
            "distributed.scheduler.allowed-failures": 0,  # `Backlog` knows better what to repeat
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


def measured(client: "Client", batches: Sequence[Batch], share: float) -> Generator[Finished]:
    """Every task as soon as it is through, in the order and with the patience of a `Backlog`.

    Raises:
        ConnectionError: The scheduler is gone.
    """
    backlog = Backlog(batches, share)
    together = AHEAD * max(1, len(client.ncores()))
    running: dict[object, tuple[Future, Batch]] = {}
    with _mailbox(client) as (topic, arrived):
        while backlog or running:
            while batch := backlog.start(len(running), together):
                future = client.submit(measure_batch, batch.tasks, topic, pure=False)
                running[future.key] = future, batch
                future.add_done_callback(arrived.put)
            item = arrived.get()
            if isinstance(item, Finished):
                yield from backlog.close([item])
            else:
                yield from _ended(item, running.pop(item.key)[1], backlog)


@contextmanager
def _mailbox(client: "Client") -> Iterator[tuple[str, "SimpleQueue[Finished | Future]"]]:
    """The topic that workers tell of their tasks by, and the queue where what they tell arrives."""
    topic = f"meanfield-{uuid4().hex}"
    arrived: SimpleQueue[Finished | Future] = SimpleQueue()
    client.subscribe_topic(topic, lambda event: arrived.put(pickle.loads(event[1])))
    try:
        yield topic, arrived
    finally:
        client.unsubscribe_topic(topic)


def _ended(call: "Future", batch: Batch, backlog: Backlog) -> list[Finished]:
    """What has come of a call, beyond what its worker has told already."""
    if call.status == "cancelled":
        raise ConnectionError("the scheduler is gone; what is finished is kept")
    if call.status == "finished":
        return backlog.close(call.result())
    return backlog.take_back(batch, call.exception())
