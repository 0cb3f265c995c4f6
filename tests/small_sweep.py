"""A small sweep, a larger one that extends it, and runs of it that are killed on the way."""

import json
import os
import signal
import threading

from meanfield.sweeps.grid import Grid
from meanfield.sweeps.store import Store
from meanfield.sweeps.sweep import sweep

# One shape of network throughout: a worker compiles it once.
FIELDS = {"depth": 2, "width": 6, "samples": [5], "bias_var": [0.0, 0.1, 0.2], "draws": 4}
GRID = Grid(**FIELDS, weight_var=[1.0, 1.5, 2.0])
LARGER = Grid(**{**FIELDS, "draws": 6}, weight_var=[2.0, 1.0, 1.5, 3.0])
FURTHER = 5  # cells


def marks(store):
    """The chunks of marks as they are on disk, without the library that wrote them."""
    chunks = (store / "status").rglob("c/**/*")
    return {(str(p), p.stat().st_mtime_ns) for p in chunks if p.is_file() and "." not in p.name}


def theory_folder(store):
    """Where the theory is that counts."""
    return store / json.loads((store / "zarr.json").read_text())["attributes"]["theory"]


def sweep_until_killed(grid, store, cells, delay=0.0, **cluster):
    """Sweeps and is killed outright, its workers too, `delay` seconds after so many cells.

    However slowly that comes about, it finishes no more than FURTHER cells until then.
    """
    os.setsid()
    original, finished = Store.write, 0

    def write(self, place, results):
        nonlocal finished
        if finished == cells:
            threading.Timer(delay, os.killpg, (0, signal.SIGKILL)).start()
        if finished == cells + FURTHER:
            threading.Event().wait()
        original(self, place, results)
        finished += 1

    Store.write = write
    sweep(grid, store, **cluster)
