"""Measures one contender on one case in this process, and prints what came out as JSON.

    python -m peers.measure MODULE:FUNCTION CASE LIMIT

FUNCTION takes the case (a JSON object) and returns a function of the run's number that does the
work once and returns its results. The first run counts as the cold start, from before the first
import on; the median of the later ones is the warm time. A run past LIMIT seconds ends the process
with SIGALRM. How many cores others kept busy meanwhile tells whether a time can be trusted.
"""

import time

STARTED = time.perf_counter()

import importlib  # noqa: E402
import importlib.metadata  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

RUNS, SECONDS = 15, 6.0  # warm runs at most, and the time after which no further one starts


def peak_memory() -> float:
    """GB held at most; getrusage would also count the parent's memory before the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024 / 1e9
    kilobyte = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobyte / 1e9


def busy_seconds() -> float:
    """CPU seconds that everything on this machine has used; 0 where the system does not say."""
    status = Path("/proc/stat")
    if not status.exists():
        return 0.0
    user, nice, system = map(int, status.read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    contender, case, limit = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    signal.alarm(limit)
    name, function = contender.split(":")
    module = importlib.import_module(f"peers.{name}")
    run = getattr(module, function)(case)
    results = run(0)
    cold = time.perf_counter() - STARTED
    warm: list[float] = []
    begin_warm, all_before, own_before = time.perf_counter(), busy_seconds(), time.process_time()
    while not warm or (len(warm) < RUNS and sum(warm) < SECONDS):
        signal.alarm(limit)
        begin = time.perf_counter()
        run(len(warm) + 1)
        warm.append(time.perf_counter() - begin)
    others = busy_seconds() - all_before - (time.process_time() - own_before)
    report = {
        "results": results,
        "cold": cold,
        "warm": warm,
        "others_cores": max(0.0, others) / (time.perf_counter() - begin_warm),
        "peak_gb": peak_memory(),
        "versions": {package: importlib.metadata.version(package) for package in module.PACKAGES},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
