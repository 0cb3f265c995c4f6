"""The statistics of a complete dual matrix."""

import numpy as np
import pytest
from jacobian import ROUNDING

from meanfield.sampling.measurement import LARGEST, Measurement, Request

EIGENVALUES = np.array([7.0, 3.0, 2.0, 0.5, 0.0, 0.0])


def matrix(precision="float64"):
    """Symmetric, with these eigenvalues in a basis of no special direction."""
    basis, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    return (basis * EIGENVALUES @ basis.T).astype(precision)


@pytest.mark.parametrize("leading", [1, 3, 6, 99])
def test_the_statistics_are_those_of_the_eigenvalues(leading, precision):
    measured = Measurement.exact(matrix(precision), Request(leading, spectrum=True))
    tolerance = ROUNDING[precision] * EIGENVALUES[0]
    assert measured.leading.dtype == measured.eigenvalues.dtype == np.float64
    np.testing.assert_allclose(measured.leading, EIGENVALUES[:leading], atol=tolerance)
    np.testing.assert_allclose(measured.eigenvalues, EIGENVALUES, atol=tolerance)
    assert measured.trace == pytest.approx(12.5, rel=ROUNDING[precision])
    assert measured.trace_squared == pytest.approx(62.25, rel=ROUNDING[precision])
    assert measured.trace_sem == measured.trace_squared_sem == 0


def test_only_what_was_asked_for_is_returned():
    measured = Measurement.exact(matrix(), LARGEST)
    assert len(measured.leading) == 1
    assert measured.eigenvalues is None
    assert Measurement.exact(matrix(), Request(second_moment=False)).trace_squared is None


def test_what_rounding_leaves_antisymmetric_is_averaged_out():
    skew = np.triu(np.full((6, 6), 0.01), 1)
    measured = Measurement.exact(matrix() + skew - skew.T, Request(spectrum=True))
    np.testing.assert_allclose(measured.eigenvalues, EIGENVALUES, atol=1e-13)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_matrix_that_is_not_finite_is_refused(value, precision):
    broken = matrix(precision)
    broken[2, 3] = value
    with pytest.raises(ArithmeticError, match="a gradient is not finite in this precision"):
        Measurement.exact(broken, LARGEST)
