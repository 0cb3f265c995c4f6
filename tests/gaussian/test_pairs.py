"""Averages over all pairs of samples: which route they take, and the samples that need care."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pair_samples import (
    EVERY,
    FEW_SAMPLES,
    MANY,
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
def averages():
    """Those of every activation at a few samples, where pairs are averaged one by one."""
    few = kernel(X[:FEW_SAMPLES])
    with jax.enable_x64(True):
        return {name: pair_averages(a.quadrature, *few) for name, a in EVERY.items()}


@pytest.mark.parametrize("name", STRIPPED)
def test_few_pairs_are_averaged_one_by_one_many_by_a_grid(averages, name):
    # Both are held to the closed form in their own tests; here to each other.
    direct, grid = averages[name], pair_averages(STRIPPED[name].quadrature, *kernel(X[:MANY]))
    few = slice(FEW_SAMPLES)
    first = [x[few, few] if x.ndim == 2 else x[few] for x in grid[:4]]
    assert_close(direct._replace(**dict(zip(direct._fields, first, strict=False))), direct,
                 10 * TOLERANCE)  # fmt: skip
    assert (np.asarray(first[1]) != direct.value_gap).any()


def test_the_reported_error_is_within_the_tolerance(averages):
    for found in averages.values():
        assert 0 < found.error <= 1e-12


def test_equal_samples_have_no_gap_and_nearly_equal_ones_a_small_one(averages):
    for found in averages.values():
        assert_gaps_vanish_between_equal_samples(found)


def test_the_averages_are_positive_semi_definite(averages):
    for found in averages.values():
        assert_positive_semi_definite(found, TOLERANCE)


def test_one_sample_and_two(averages):
    many = averages["tanh"]
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
