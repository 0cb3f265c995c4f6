"""Interpolation between pairs of samples: its own word on its error, and where it is narrow."""

import jax.numpy as jnp
import numpy as np
import pytest
from pair_samples import STRIPPED, X, kernel, largest_error

from meanfield.gaussian import pair_grid
from meanfield.gaussian.pair_grid import TOLERANCE
from meanfield.gaussian.pairs import pair_averages
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")


def test_samples_of_one_variance():
    # As layer norm leaves them: the grid's range of variances is a point.
    q, gap = kernel(X / np.linalg.norm(X, axis=1, keepdims=True))
    found = STRIPPED["sin"].pair_averages(jnp.ones_like(q), gap)
    assert found.error <= TOLERANCE
    for s, t in [(6, 7), (2, 3), (10, 70)]:
        exact = ACTIVATIONS["sin"].averages(jnp.float64(1), gap[s, t])
        both = [found.value_gap[s, t], found.slope_gap[s, t]]
        assert largest_error(both[0], exact.value_gap, exact.value) <= 10 * TOLERANCE
        assert largest_error(both[1], exact.slope_gap, exact.slope) <= 10 * TOLERANCE


def test_a_coarse_grid_is_told_by_its_error(monkeypatch):
    # The error is measured, not promised: with the first grid alone it is larger, and no smaller
    # than a tenth of the largest one over all pairs.
    monkeypatch.setattr(pair_grid, "SIZES", ((4, 6),))
    found = pair_averages(STRIPPED["sin"].quadrature, *kernel(X))
    exact = ACTIVATIONS["sin"].pair_averages(*kernel(X))
    off = max(
        largest_error(found.value_gap, exact.value_gap, exact.value),
        largest_error(found.slope_gap, exact.slope_gap, exact.slope),
    )
    assert off > 1e-4
    assert off / 10 <= found.error <= off * (1 + 1e-6)


def test_the_power_of_the_angle_is_that_of_the_jumps():
    # φ' of a kinked function jumps: its gap is of the order of ϑ; a jump of φ itself too.
    q = np.array([0.5, 2.0])
    powers = [tuple(pair_grid._powers(a.quadrature, q)) for a in STRIPPED.values()]
    assert powers == [(2, 2), (2, 1)]
