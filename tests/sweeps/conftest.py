"""What tests of sweeps share: a finished one, and processes to run others on."""

import pytest
from small_sweep import GRID

from meanfield.sweeps.sweep import sweep


@pytest.fixture(scope="session")
def cluster():
    """One that sweeps do not start themselves, whose workers may be killed like those of others."""
    import dask
    from distributed import LocalCluster

    # Clusters of other processes have ports of their own.
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(**options, memory_limit=0) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The store of an uninterrupted run by one worker; only to be read."""
    store = tmp_path_factory.mktemp("whole") / "a.zarr"
    sweep(GRID, store, workers=1)
    return store
