"""What every test shares: strictness, determinism, and float64 where the theory needs it."""

import hypothesis
import jax
import pytest

# Examples are drawn from the test's own source, not from a clock or a database of past failures:
# a run that passes here passes everywhere.
hypothesis.settings.register_profile(
    "deterministic", derandomize=True, database=None, deadline=None, max_examples=30
)
hypothesis.settings.load_profile("deterministic")


@pytest.fixture(scope="module")
def x64():
    """Float64 for one module's tests; never a global flag, which would hide a missing scope."""
    with jax.enable_x64(True):
        yield
