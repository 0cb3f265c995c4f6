"""What every test shares: strictness, determinism, and float64 where the theory needs it."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import jax
import pytest
from fuzzing import FUZZ, told

from meanfield.machine.compilations import make_room

# Examples are drawn from the test's own source, not from a clock or a database of past failures:
# a run that passes here passes everywhere.
hypothesis.settings.register_profile(
    "deterministic", derandomize=True, database=None, deadline=None, max_examples=30
)
# Of `make fuzz`: other examples in every run, and those that have failed once more.
hypothesis.settings.register_profile(
    "fuzz", deadline=None, print_blob=True, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("fuzz" if FUZZ else "deterministic")

CACHE = "JAX_COMPILATION_CACHE_DIR"
WORTH_KEEPING = 0.0  # seconds of compilation: reading it is quicker, however short


def pytest_configure(config):
    """One run's processes, commands and scripts included, share what they compile."""
    if CACHE not in os.environ:  # the first process of a run, whose children inherit it
        os.environ[CACHE] = tempfile.mkdtemp(prefix="meanfield-tests-")
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = str(WORTH_KEEPING)
        config.add_cleanup(lambda: shutil.rmtree(os.environ[CACHE], ignore_errors=True))
    jax.config.update("jax_numpy_rank_promotion", "raise")  # shapes are meant, or an error
    jax.config.update("jax_compilation_cache_dir", str(Path(os.environ[CACHE])))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)


def pytest_terminal_summary(terminalreporter):
    """What `make fuzz` has tried."""
    if FUZZ:
        terminalreporter.section("tried")
        for line in told():
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True, scope="module")
def _room():
    """Tests compile more than a process has memory maps for."""
    make_room()


@pytest.fixture(scope="module")
def x64():
    """Float64 for one module's tests; never a global flag, which would hide a missing scope."""
    with jax.enable_x64(True):
        yield
