"""Averages over all pairs of samples, one by one and by a grid, and the samples that need care."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pair_samples import (
    EVERY,
    FEW_SAMPLES,
    STRIPPED,
    X,
    assert_close,
    assert_gaps_vanish_between_equal_samples,
    assert_positive_semi_definite,
    kernel,
)

from meanfield.gaussian.pair_grid import TOLERANCE
from meanfield.gaussian.pairs import pair_averages
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")


@pytest.fixture(scope="module")
def one_by_one():
    """Those of every activation at a few samples, where pairs are averaged one by one."""
    few = kernel(X[:FEW_SAMPLES])
    with jax.enable_x64(True):
        return {name: pair_averages(a.quadrature, *few) for name, a in EVERY.items()}


@pytest.fixture(scope="module")
def by_grid():
    """A smooth function's and a kinked one's at many samples: a grid knows no more of either."""
    with jax.enable_x64(True):
        return {name: pair_averages(a.quadrature, *kernel(X)) for name, a in STRIPPED.items()}


@pytest.mark.parametrize("name", STRIPPED)
def test_averages_are_those_of_the_closed_form(one_by_one, by_grid, name):
    exact, few = ACTIVATIONS[name].pair_averages(*kernel(X)), slice(FEW_SAMPLES)
    of_few = ACTIVATIONS[name].pair_averages(*kernel(X[few]))
    assert_close(one_by_one[name], of_few, 1e-12)
    # The stated tolerance is held at some of the pairs: 10 of it at all of them.
    assert_close(by_grid[name], exact, 10 * TOLERANCE)
    # Few pairs have not gone by the grid, which is another number.
    assert (by_grid[name].value_gap[few, few] != one_by_one[name].value_gap).any()


def test_the_reported_error_is_within_the_tolerance(one_by_one, by_grid):
    for averages, tolerance in ((one_by_one, 1e-12), (by_grid, TOLERANCE)):
        for found in averages.values():
            assert 0 < found.error <= tolerance


def test_equal_samples_have_no_gap_and_nearly_equal_ones_a_small_one(one_by_one, by_grid):
    for found in (*one_by_one.values(), *by_grid.values()):
        assert_gaps_vanish_between_equal_samples(found)


def test_the_averages_are_positive_semi_definite(one_by_one, by_grid):
    for found in (*one_by_one.values(), *by_grid.values()):
        # the grid's 1e-10 of each gap adds up to T of it at the most; measured 1e-12
        assert_positive_semi_definite(found, TOLERANCE)


def test_one_sample_and_two(one_by_one):
    many = one_by_one["tanh"]
    for T in (1, 2):
        first = (slice(6, 6 + T),) * 2
        found = EVERY["tanh"].pair_averages(*kernel(X[6 : 6 + T]))
        np.testing.assert_allclose(found.value, many.value[6 : 6 + T], rtol=1e-14)
        np.testing.assert_allclose(found.slope_gap, many.slope_gap[first], rtol=1e-13)
        np.testing.assert_allclose(found.value_gap, many.value_gap[first], rtol=1e-13)


def test_samples_without_any_variance():
    # Behind a mean over equal samples: φ(0) and φ'(0) of all of them.
    T = FEW_SAMPLES
    found = ACTIVATIONS["silu"].pair_averages(jnp.zeros(T), jnp.zeros((T, T)))
    np.testing.assert_allclose(found.value, 0, atol=1e-12)
    np.testing.assert_allclose(found.slope, 0.25, atol=1e-12)
    assert not np.any(found.value_gap)
    assert np.isfinite(found.error)
