"""Keeping what JAX compiles, for later calls and for other processes, as far as there is room."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jax

FOLDER = "JAX_COMPILATION_CACHE_DIR"
LEAST = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
WORTH_KEEPING = 0.1  # seconds of compilation
# Without these emitters XLA compiles for processors in half the time, to the same bits.
QUICKER = {"xla_cpu_use_fusion_emitters": False}
EVENTS = "/jax/core/compile/"  # how JAX's own clocks of compilation begin
# Linux grants a process so many memory maps. A compiled function takes several, a kind of network
# to sample some 300 in all, and one too many ends the process with a segmentation fault.
MAPS, MOST_MAPS = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
MAPS_SHARE = 0.5


def kept_in() -> str | None:
    """The folder where this process keeps its compilations, if it does."""
    return jax.config.values["jax_compilation_cache_dir"]


def keep_compilations() -> None:
    """Lets JAX keep what it compiles in the user's cache folder, for the next call.

    JAX_COMPILATION_CACHE_DIR names another folder; one that cannot be written is passed over.
    """
    from platformdirs import user_cache_path  # of the `cli` extra

    if kept_in() is not None:
        return
    folder = user_cache_path("meanfield") / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)


def sharing(folder: Path | str) -> dict[str, str]:
    """The environment of processes that keep their compilations in this folder."""
    return {FOLDER: str(folder), LEAST: str(WORTH_KEEPING)}


@lru_cache
def compiled(function: Callable, *static: str) -> Callable:
    """`jax.jit` of a large function that is never called inside of another one.

    Args:
        function: The function.
        static: The names of its static arguments.
    """
    return jax.jit(function, static_argnames=static, compiler_options=_options())


@lru_cache(maxsize=1)
def _options() -> dict[str, bool] | None:
    """Those for quick compilation; None where this XLA has no such options."""
    try:
        jax.jit(lambda: 0, compiler_options=QUICKER)()
    except jax.errors.JaxRuntimeError:
        return None
    return QUICKER


@dataclass
class Clock:
    """What this process has compiled for, kept up to date.

    Attributes:
        seconds: In all.
        looked: The seconds when `make_room` last looked.
        others: Memory maps that were left when JAX had forgotten all it could.
    """

    seconds: float = 0.0
    looked: float = -1.0
    others: int = 0


@lru_cache(maxsize=1)
def compilation_clock() -> Clock:
    """The process's only one, which runs from the first call on."""
    clock = Clock()

    def listen(event: str, duration_secs: float, **_) -> None:
        if event.startswith(EVENTS):
            clock.seconds += duration_secs

    jax.monitoring.register_event_duration_secs_listener(listen)
    return clock


def make_room() -> None:
    """Lets JAX forget what it compiled in this process before there are too many memory maps.

    What is used again is compiled again, the caller's own functions included. Maps that are not
    JAX's are left out of the count once it is known how many there are.
    """
    clock = compilation_clock()
    if clock.seconds == clock.looked:
        return
    clock.looked = clock.seconds
    try:
        most = int(MOST_MAPS.read_text())
        if _maps() - clock.others > MAPS_SHARE * (most - clock.others):
            jax.clear_caches()
            clock.others = _maps()
    except (OSError, ValueError):  # not Linux, or a sandbox that hides them
        return


def _maps() -> int:
    with MAPS.open() as maps:
        return sum(1 for _ in maps)
