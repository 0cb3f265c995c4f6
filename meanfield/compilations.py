"""Keeping what JAX compiles, for later calls and for other processes."""

import os
from pathlib import Path

import jax

FOLDER = "JAX_COMPILATION_CACHE_DIR"
LEAST = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
WORTH_KEEPING = 0.1  # seconds of compilation


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
