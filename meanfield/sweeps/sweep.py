"""Sweeps: every cell of a grid predicted and measured, on all cores or a cluster, restartably."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import jax

from meanfield.machine.progress import progress_bar
from meanfield.spec.modules import unvouched
from meanfield.sweeps.cluster import check_workers, connect, measured, smallest_share
from meanfield.sweeps.dataset import load
from meanfield.sweeps.files import only_writer, store_folder
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.store import Store
from meanfield.sweeps.tasks import Work, batches, work
from meanfield.sweeps.words import SECONDS
from meanfield.sweeps.worker import Finished
from meanfield.theory.white_noise.many import theory
from meanfield.version import __version__

if TYPE_CHECKING:
    import xarray


def sweep(
    grid: Grid,
    store: Path | str,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    announce: Callable[[str], None] | None = None,
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
        announce: Is told the address of Dask's dashboard.

    Returns:
        The dataset, as `meanfield.load` reads it from the store, with what this call took in the
        attributes `compile_seconds` and `run_seconds`, both summed over workers.

    Raises:
        ValueError: An argument is out of range, the store holds another grid, or a file names an
            activation as MODULE:NAME and nobody else does.
        OSError: The store cannot be written, another sweep is writing to it, or no scheduler
            answers at that address.
    """
    count, path = check_workers(workers, scheduler), store_folder(store)
    if grid.unimported:
        raise ValueError(unvouched(grid.unimported[0]))
    spent = dict.fromkeys(SECONDS, 0.0)
    with only_writer(path):
        kept = Store(path, grid)
        cells = list(kept.grid.cells())
        changed = kept.write_theory(theory([c.network for c in cells], [c.samples for c in cells]))
        items = work(kept.grid, kept.missing())
        # A finished sweep writes nothing: its disk may be one that cannot be written to.
        if changed or items:
            kept.describe(meanfield_version=__version__, jax_version=jax.__version__)
        if items:
            kept.check_room()
            for finished in _run(kept, items, count, scheduler, announce):
                for name in spent:
                    spent[name] += getattr(finished, name)
    return load(path).assign_attrs(spent)


def _run(
    kept: Store,
    items: list[Work],
    workers: int,
    scheduler: str | None,
    announce: Callable[[str], None] | None,
) -> Iterator[Finished]:
    """Measures what is missing and keeps each cell as it comes."""
    with connect(workers, scheduler) as client:
        if announce is not None:
            announce(f"dashboard: {client.dashboard_link}")
        share, device = smallest_share(client)
        kept.describe(device=device)
        queue = batches(kept.grid, items, share)
        total = sum(len(batch.tasks) for batch in queue)
        # Ended before the client is, also by a disk that is full.
        with (
            closing(measured(client, queue, share)) as results,
            progress_bar(results, "sweeping", total) as bar,
        ):
            for finished in bar:
                kept.write(finished.key[0], finished.results)
                yield finished
