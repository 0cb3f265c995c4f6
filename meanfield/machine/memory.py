"""How much of the machine's memory is free, and requests that would want more."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

MEMINFO, CGROUPS = Path("/proc/meminfo"), Path("/proc/self/cgroup")
PAGES = Path("/proc/self/statm")  # of this process's address space, the first number
MOUNT = Path("/sys/fs/cgroup")
# Limit, use and what of the use the kernel takes back when need be: of version 2, and of 1.
NEW = "memory.max", "memory.current", "inactive_file"
OLD = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, its own limit and its groups'."""
    return max(0, min([_free_here(), *_free_in_process(), *_free_in_groups()]))


def check_memory(needed: float, what: str, advice: str) -> None:
    """Refuses before any work what would not fit.

    Raises:
        ValueError: That needs more bytes than are free.
    """
    free = free_memory()
    if needed > free:
        raise ValueError(
            f"{what} would need {needed / 1e9:.2g} GB, more than the {free / 1e9:.2g} GB that are "
            f"free: {advice}"
        )


def _free_here() -> int:
    """Free in the whole machine, or all there is where nobody says what is free."""
    try:
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        return 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):  # not Linux
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _free_in_process() -> Iterator[int]:
    """What `ulimit -v` leaves of the address space, if it is limited."""
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    try:
        taken = int(PAGES.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):  # not Linux
        return
    if most != resource.RLIM_INFINITY:
        yield most - taken


def _free_in_groups() -> Iterator[int]:
    """What every control group that this process is in, at any level, leaves of its limit."""
    try:
        lines = CGROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _levels(MOUNT, path, NEW)
        elif "memory" in controllers.split(","):
            yield from _levels(MOUNT / "memory", path, OLD)


def _levels(mount: Path, path: str, files: tuple[str, str, str]) -> Iterator[int]:
    """Of one group and all above it; in a container some of these are not to be seen."""
    folder = mount / path.strip("/")
    for place in (folder, *folder.parents):
        if place.is_relative_to(mount) and (left := _left_in(place, *files)) is not None:
            yield left


def _left_in(group: Path, limit: str, use: str, reclaimable: str) -> int | None:
    """None where there is no limit."""
    try:
        most = int((group / limit).read_text())
        used = int((group / use).read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return most - used + int(stat.get(reclaimable, 0))
    except (OSError, ValueError):  # "max", or no such group here
        return None
