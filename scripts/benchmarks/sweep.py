"""Sweeping 2,000 cells: cells per second with one and two workers, and through interruptions.

    python scripts/benchmarks/sweep.py [--kills 10]

The third run is killed outright at random cells, and two of its workers once each time it lives
long enough; what it ends with is compared with the second, and every mark with what it was when it
was made. Writes figures/benchmark_sweep.json.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from shared.benchmarking import RESULTS

import meanfield as mf

GRID = """
depth = 3
width = [20, 40]
samples = ["width", "2*width"]
norm = ["none", "mean@last", "batch@last", "layer@hidden", "batch@hidden"]
activation = ["tanh", "relu"]
weight_var = [1.0, 1.5, 2.0, 2.5, 3.0]
bias_var = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]
draws = 2
"""
CELLS_BETWEEN_KILLS = (20, 250)


def start(grid: Path, store: Path, workers: int, environment: dict) -> subprocess.Popen:
    command = [sys.executable, "-m", "meanfield", "sweep", str(grid), "--store", str(store)]
    return subprocess.Popen(
        [*command, "--workers", str(workers)],
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def marks(store: Path) -> dict[str, int]:
    """When the mark of each cell was written."""
    found = (p for p in store.glob("status/c/**/*") if "." not in p.name and p.is_file())
    return {str(p): p.stat().st_mtime_ns for p in found}


def kill_a_worker(process: subprocess.Popen) -> bool:
    """The last started child of the run's children: a worker below its nanny's process."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True
    )
    workers = [line.split()[0] for line in listed.stdout.splitlines() if "spawn_main" in line]
    if workers:
        os.kill(int(workers[-1]), signal.SIGKILL)
    return bool(workers)


def interrupted(grid: Path, store: Path, environment: dict, kills: int) -> dict:
    """Runs to the end through `kills` kills; counts what was lost or written again."""
    rng, rewritten, dead_workers = np.random.default_rng(0), 0, 0
    known: dict[str, int] = {}
    for i in range(kills + 1):
        process = start(grid, store, 2, environment)
        goal = len(known) + int(rng.integers(*CELLS_BETWEEN_KILLS))
        half: float = (len(known) + goal) // 2
        while process.poll() is None and (i == kills or len(marks(store)) < goal):
            if len(marks(store)) > half:
                dead_workers += kill_a_worker(process)
                half = np.inf
            time.sleep(0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        now = marks(store)
        rewritten += sum(now.get(path) != written for path, written in known.items())
        known = now
        print(f"run {i + 1}: exit {code}, {len(known)} cells kept", flush=True)
    return {"kills": kills, "workers_killed": dead_workers, "marks_rewritten": rewritten}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    kills = parser.parse_args().kills
    found: dict = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        grid = root / "grid.toml"
        grid.write_text(GRID)
        for workers in (1, 2):  # each compiles everything anew
            environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(root / f"jax{workers}")}
            started = time.perf_counter()
            start(grid, root / f"{workers}.zarr", workers, environment).wait()
            found[f"seconds_{workers}"] = seconds = time.perf_counter() - started
            found[f"cells_per_second_{workers}"] = len(marks(root / f"{workers}.zarr")) / seconds
            print(f"{workers} workers: {seconds:.0f} s", flush=True)
        found |= interrupted(grid, root / "3.zarr", environment, kills)
        one, two, three = (mf.load(root / f"{i}.zarr") for i in (1, 2, 3))
        found |= {
            "cells": len(mf.Grid.from_toml(grid)),
            "unmeasured": int((three.status != 1).sum()),
            "one_equals_two": one.equals(two),
            "interrupted_equals_two": three.equals(two),
        }
    path = RESULTS / "benchmark_sweep.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
