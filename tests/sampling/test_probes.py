"""The probes' estimates of tr F and tr F² outside a basis, and their standard errors."""

import jax
import numpy as np
import pytest
from jacobian import LARGE, SAMPLES, SUMS, as_measured, by_output, reference, sample

from meanfield import Network
from meanfield.sampling.dual_matrix import BlockPlan, DualMatrix, dual_matrix, find_factors
from meanfield.sampling.krylov import PROBES, PROBES_ON_SURROGATE
from meanfield.sampling.probes import outside_moments, random_signs


def moments(matrix, basis, keys, probes=PROBES, surrogate=None, precision="float64"):
    """Estimates and standard errors of tr F and tr F² outside the basis, one row per key."""
    matrix, basis = matrix.astype(precision), basis.astype(precision)
    results = []
    with as_measured():
        for key in range(keys):
            signs = np.asarray(random_signs(len(matrix), probes, precision, jax.random.key(key)))
            results.append(outside_moments(matrix.__matmul__, basis, signs, surrogate))
    return np.array(results).transpose(1, 0, 2)


def top(matrix, count):
    return np.linalg.eigh(matrix)[1][:, ::-1][:, :count]


def outside(matrix, basis):
    projection = np.eye(len(matrix)) - basis @ basis.T
    return projection @ matrix @ projection


def probe_variance(matrix):
    """Var zᵀAz = 2 Σ_{i≠j} A_ij² for random signs z."""
    return 2 * (matrix**2).sum() - 2 * (np.diag(matrix) ** 2).sum()


def test_signs_are_signs_and_the_same_in_both_precisions():
    with as_measured():
        double, single, other = (
            np.asarray(random_signs(50, 32, dtype, jax.random.key(seed)))
            for dtype, seed in (("float64", 0), ("float32", 0), ("float64", 1))
        )
    assert (double.dtype, single.dtype) == ("float64", "float32")
    assert double.shape == (32, 50)  # one probe per row
    assert set(double.ravel()) == {-1, 1}
    np.testing.assert_array_equal(double, single)
    assert not np.array_equal(double, other)


def test_the_estimates_are_the_same_in_both_precisions():
    """From the same signs, with and without a surrogate, here F itself but for its scale."""
    matrix = reference(LARGE, SAMPLES).matrix
    basis, found = top(matrix, LARGE.outputs), {}
    for precision in ("float64", "float32"):
        S = (1.2 * matrix).astype(precision)
        surrogate = DualMatrix(np.trace(S), (S.astype(float) ** 2).sum(), S.__matmul__)
        found[precision] = [
            moments(matrix, basis, 1, surrogate=s, precision=precision) for s in (None, surrogate)
        ]
    np.testing.assert_allclose(found["float32"], found["float64"], rtol=SUMS["float32"])


# The rest is statistics over many sets of probes, in which rounding does not show: float64 alone.


def test_a_surrogate_leaves_the_estimates_unbiased_and_sharpens_them():
    """Over 200 sets of 2 probes, one with a surrogate that is 20 % off; errors are from above."""
    keys, T, probes = 200, 60, PROBES_ON_SURROGATE
    wide = {"widths": (30, 40, 30), "outputs": 2, "activation": "tanh", "bias_var": 0.3}
    network = Network(**wide, norm="batch@hidden")
    F = by_output(reference(network, T).matrix, 2).reshape(2 * T, 2 * T)
    basis = top(F, 2)
    exact = [np.trace(outside(F, basis)), (outside(F, basis) ** 2).sum()]
    with as_measured():
        factors = find_factors(network.structure, *sample(network, T))
        good = dual_matrix(network.structure, BlockPlan(pairs=True, kept=True), factors)
        bad = DualMatrix(
            1.2 * good.trace, 1.44 * good.trace_squared, lambda v: 1.2 * good.product(v)
        )
        plain, _ = moments(F, basis, keys, probes=probes)
        for surrogate, gain in ((good, 5), (bad, 1.5)):
            estimates, errors = moments(F, basis, keys, probes=probes, surrogate=surrogate)
            scatter = estimates.std(axis=0)
            assert (np.abs(estimates.mean(axis=0) - exact) < 4 * scatter / keys**0.5).all()
            # A standard deviation over 200 sets scatters by 1/√400 = 5 %, more with heavy tails.
            ratio = np.sqrt((errors**2).mean(axis=0)) / scatter
            assert (ratio > 0.8).all()
            assert (ratio < 2.0).all()
            assert (scatter < plain.std(axis=0) / gain).all()


def test_reported_standard_errors_are_true():
    """Over 200 sets of probes: no bias, errors of size one, and the variance that theory gives."""
    keys, matrix = 200, reference(LARGE, SAMPLES).matrix
    basis = top(matrix, LARGE.outputs)
    rest = outside(matrix, basis)
    estimates, errors = moments(matrix, basis, keys)
    z = (estimates - [np.trace(rest), (rest**2).sum()]) / errors
    # z has about a Student distribution with 31 degrees of freedom, variance 31/29.
    assert np.abs(z.mean(axis=0)).max() < 4 * (31 / 29 / keys) ** 0.5
    assert np.abs(z.std(axis=0) - (31 / 29) ** 0.5).max() < 4 / (2 * keys) ** 0.5
    # Each error² scatters by √(2/31) relative at least, twice that with heavy tails: 0.5/√200.
    variance = (errors[:, 0] ** 2).mean() * PROBES
    assert variance == pytest.approx(probe_variance(rest), rel=4 * 0.5 / keys**0.5)


def test_deflation_beats_the_plain_estimator():
    """Without a norm one outlier carries most of F: the ratio of errors is known beforehand."""
    matrix = reference(Network(widths=(20, 20, 20), bias_var=0.1), 40).matrix
    basis = top(matrix, 1)
    ratio = (probe_variance(outside(matrix, basis)) / probe_variance(matrix)) ** 0.5
    assert ratio < 0.4
    _, deflated = moments(matrix, basis, 20)
    _, plain = moments(matrix, np.zeros_like(basis), 20)
    measured = (deflated[:, 0].mean()) / plain[:, 0].mean()
    assert measured == pytest.approx(ratio, rel=0.3)  # a mean of 20 errors scatters by 6 % and more
    assert deflated[:, 1].mean() < 0.4 * plain[:, 1].mean()
