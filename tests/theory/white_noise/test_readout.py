"""The spectrum read off two numbers, against explicit matrices and sampled outputs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln
from scipy.stats import chi2

from meanfield.theory.kernels import Exchangeable
from meanfield.theory.white_noise.readout import (
    QUANTILES,
    _response,
    read_normalized_outputs,
    read_outputs,
)

pytestmark = pytest.mark.usefixtures("x64")

K = (5.0, 2.0)  # tangent kernel (same, gap) of the output layer, where its size is no matter
DIMENSIONS = range(3, 11)


def exchangeable(same, gap, samples=7):
    return Exchangeable(*(jnp.float64(x) for x in (same, gap, samples)))


@given(st.integers(2, 8), st.floats(0.1, 9), st.floats(0.05, 1), st.integers(1, 4))
def test_eigenvalues_are_those_of_the_matrix(T, same, ratio, outputs):
    # A positive semi-definite kernel: −same/(T−1) ≤ cross ≤ same.
    gap = same * ratio * T / (T - 1)
    read = read_outputs(exchangeable(same, gap, T), outputs)
    matrix = (np.full((T, T), same - gap) + np.eye(T) * gap) / T
    F = np.sort(np.linalg.eigvalsh(np.kron(matrix, np.eye(outputs))))
    said = np.repeat(
        [read.outlier, read.bulk],
        [int(read.outlier_multiplicity), int(read.bulk_multiplicity)],
    )
    rounding = 1e-14 * T * same
    np.testing.assert_allclose(np.sort(said), F, atol=rounding)
    np.testing.assert_allclose(read.trace, F.sum(), atol=rounding * F.size)
    np.testing.assert_allclose(read.trace_squared, (F**2).sum(), rtol=1e-12)
    assert read.diagonal == same
    assert read.off_diagonal == same - gap
    assert read.outlier_quantiles is None


def test_a_centred_kernel_has_no_outlier():
    # 0 and not a rounding error of either sign
    for T in (2, 3, 7, 100, 12345):
        read = read_outputs(exchangeable(3.1, 0.7, T).centred(), 1)
        assert 0 <= read.outlier <= 1e-16
        assert read.bulk == 0.7 / T


def response(common, own, n, radius_squared, nodes=160):
    """a⊥ and a∥ for C = 1 by quadrature over the plane of ζ and û (theory.md section 6).

    û = √common ζ + √own z: x along ζ is N(√common |ζ|, own), y across is √own χ_{n−1}. In polar
    coordinates the singularity of 1/|û|² is cancelled by the volume ρ^{n−1} for every n ≥ 3.
    """
    centre = np.sqrt(common * radius_squared)
    reach = 9 * np.sqrt(own)  # beyond: e^{−40}
    t, t_weight = np.polynomial.legendre.leggauss(nodes)
    low, high = max(0.0, centre - reach), centre + reach
    ρ = low + (high - low) * (t + 1) / 2
    widest = np.pi if low == 0 else min(np.pi, 2 * reach / low)
    θ = widest * (t[:, None] + 1) / 2
    x, y = ρ * np.cos(θ), ρ * np.sin(θ)
    log_density = (
        -((x - centre) ** 2 + y**2) / (2 * own)
        - np.log(2 * np.pi * own) / 2
        + (n - 2) * np.log(y / np.sqrt(own))
        - np.log(own) / 2
        - (n - 3) / 2 * np.log(2)
        - gammaln((n - 1) / 2)
    )
    weight = ρ * np.exp(log_density) * (high - low) * widest / 4 * t_weight * t_weight[:, None]
    sine_squared = np.sin(θ) ** 2
    across = (weight / ρ**2 * (1 - sine_squared / (n - 1))).sum()
    return across, (weight / ρ**2 * sine_squared).sum()


@pytest.mark.parametrize("n", DIMENSIONS)
def test_responses_are_the_averages_that_define_them(n):
    for common in (0.01, 0.7, 30.0):
        S = exchangeable(common + 0.4, 0.4)
        for radius_squared in (0.1, float(n), 4.0 * n):
            found = _response(S, 5, n, jnp.array([radius_squared]))
            exact = response(common, 0.4, n, radius_squared)
            # 1e-11: cross = same − gap has lost two digits at common = 0.01
            np.testing.assert_allclose(np.squeeze(found), 5 * np.array(exact), rtol=1e-11)


@pytest.mark.parametrize("n", DIMENSIONS)
def test_uncorrelated_outputs_respond_alike_in_every_direction(n):
    # q_st ≤ 0: û is isotropic, a⊥ = a∥ = E[1/σ²] (n−1)/n whatever ζ is, so quantiles coincide.
    for gap in (1.3, 1.5):
        S, tangent = exchangeable(1.3, gap), exchangeable(*K)
        read = read_normalized_outputs(S, tangent, 6, n)
        plain = read_outputs(tangent, 1)
        expected = 6 / (1.3 * (n - 2)) * (n - 1) / n
        np.testing.assert_allclose(read.outlier, expected * plain.outlier, rtol=1e-12)
        np.testing.assert_allclose(read.outlier_quantiles, expected * plain.outlier, rtol=1e-12)
        across, along = _response(S, 6, n, jnp.array([float(n)]))
        np.testing.assert_allclose([across, along], expected, rtol=1e-12)


@pytest.mark.parametrize("n", DIMENSIONS)
def test_nearly_equal_outputs_respond_as_one_network(n):
    # g → 0: û = √q_st ζ for every sample, a⊥ = C/(q_st |ζ|²), a∥ = (n−1) g C/(q_st |ζ|²)², each
    # to relative order n g/(q_st |ζ|²) = 1e-11.
    S = exchangeable(2.0, 2e-12)
    across, along = _response(S, 6, n, jnp.array([float(n)]))
    np.testing.assert_allclose(across, 6 / (2 * n), rtol=1e-10)
    np.testing.assert_allclose(along, 6 * (n - 1) * 2e-12 / (2 * n) ** 2, rtol=1e-10)


def test_responses_and_their_gradients_stay_finite_at_every_ratio():
    @jax.jit
    def largest(gap):
        read = read_normalized_outputs(
            Exchangeable(jnp.float64(1), gap, jnp.float64(50)), exchangeable(*K, 50), 5, 4
        )
        return read.outlier

    for cross in (-0.02, 0.0, 1e-300, 1e-15, 1e-6, 0.1, 0.9, 1 - 1e-6, 1 - 1e-15):
        value, slope = jax.value_and_grad(largest)(1 - cross)
        assert np.isfinite(value), cross
        assert np.isfinite(slope), cross
    # g → 0 leaves û = ζ: a mean of C/χ²_n, n = 4
    for gap in (1e-15, 1e-30, 1e-100, 1e-280):
        np.testing.assert_allclose(largest(gap), 5 / 2 * (5 - 2 * 0.98), rtol=1e-12)
    assert np.isfinite(jax.grad(largest)(1e-100))
    # and q_st passes through zero without a jump
    ends = largest(1 - 1e-9), largest(1.0), largest(1 + 1e-9)
    np.testing.assert_allclose(ends, ends[1], rtol=1e-8)


def sampled_outputs(rng, S, n, shape):
    """û of `shape` samples that share ζ along the first axis."""
    zeta = rng.normal(size=(shape[0], 1, n))
    own = rng.normal(size=(*shape, n))
    return np.sqrt(float(S.cross)) * zeta + np.sqrt(float(S.gap)) * own


def responses_of(û, outputs):
    """H/σ per sample: H = I − û ûᵀ/|û|², σ² = |û|²/C."""
    size = np.linalg.norm(û, axis=-1, keepdims=True)
    unit = û / size
    H = np.eye(û.shape[-1]) - unit[..., :, None] * unit[..., None, :]
    return H / (size[..., None] / np.sqrt(outputs))


def dual_matrices(û, outputs, T):
    """F* of one network per draw: K(s,t)/T · H_s H_t/(σ_s σ_t) between samples s and t."""
    R = responses_of(û, outputs)
    kernel = (np.full((T, T), K[0] - K[1]) + np.eye(T) * K[1]) / T
    return np.einsum("st,nsab,ntbc->nsatc", kernel, R, R)


def assert_mean(draws, expected):
    error = draws.std(ddof=1) / np.sqrt(draws.size)
    assert abs(draws.mean() - expected) < 4 * error


def test_traces_are_those_of_sampled_dual_matrices():
    # n = 10: E[1/|û|⁸] is finite, so tr F² has a standard error.
    n, C, T = 10, 11, 3
    S = exchangeable(1.7, 0.6, T)
    û = sampled_outputs(np.random.default_rng(0), S, n, (20_000, T))
    F = dual_matrices(û, C, T)
    read = read_normalized_outputs(S, exchangeable(*K, T), C, n)
    assert_mean(np.einsum("nsasa->n", F), float(read.trace))
    assert_mean((F**2).sum(axis=(1, 2, 3, 4)), float(read.trace_squared))


def test_mean_response_is_that_of_sampled_outputs():
    # E[a⊥] is E[(C/|û|²)(1 − sin²/(n−1))] over networks too; n = 6: finite variance.
    n, C = 6, 7
    S = exchangeable(1.7, 0.6)
    rng = np.random.default_rng(1)
    zeta, z = rng.normal(size=(2, 400_000, n))
    û = np.sqrt(1.1) * zeta + np.sqrt(0.6) * z
    size = (û**2).sum(-1)
    cosine_squared = (û * zeta).sum(-1) ** 2 / (size * (zeta**2).sum(-1))
    read, plain = read_normalized_outputs(S, exchangeable(*K), C, n), exchangeable(*K)
    draws = C / size * (1 - (1 - cosine_squared) / (n - 1))
    assert_mean(draws * float(read_outputs(plain, 1).outlier), float(read.outlier))


@pytest.mark.parametrize("n", DIMENSIONS)
def test_no_response_is_lost_between_across_and_along(n):
    # Over networks (n−1) E[a⊥] + E[a∥] is the trace of E[H/σ²], (n−1) E[1/σ²].
    S, C, T = exchangeable(1.7, 0.6), n + 1, 7
    read, plain = read_normalized_outputs(S, exchangeable(*K, T), C, n), exchangeable(*K, T)
    radii = chi2.ppf((np.arange(20_000) + 0.5) / 20_000, n)
    along = np.asarray(_response(S, C, n, jnp.array(radii))[1]).mean()
    total = (n - 1) * read.outlier / read_outputs(plain, 1).outlier + along
    # Where a∥ varies most, at n = 3, the midpoint rule over 20,000 quantiles errs by 1e-6.
    np.testing.assert_allclose(total, (n - 1) * C / (1.7 * (n - 2)), rtol=1e-5)


def test_quantiles_are_those_of_sampled_networks():
    n, C, count = 4, 5, 1000
    S = exchangeable(1.7, 0.6)
    read = read_normalized_outputs(S, exchangeable(*K), C, n)
    plain = float(read_outputs(exchangeable(*K), 1).outlier)
    radii = chi2.rvs(n, size=count, random_state=2)
    largest = np.array([C * response(1.1, 0.6, n, r, nodes=60)[0] * plain for r in radii])
    for p, value in zip(QUANTILES, read.outlier_quantiles, strict=True):
        below = (largest < float(value)).mean()
        assert abs(below - p) < 4 * np.sqrt(p * (1 - p) / count)


def test_the_spectrum_of_one_large_network_has_the_eigenvalues_named():
    # One ζ, T samples: n − 1 eigenvalues a⊥ λ_1 and one a∥ λ_1. A sample mean of T responses
    # fluctuates by O(1/√T) of its own spread, which is about its mean: 4 of them, with T n ≫ n.
    n, C, T = 5, 6, 160
    S, tangent = exchangeable(1.7, 0.6, T), exchangeable(*K, T)
    rng = np.random.default_rng(3)
    û = sampled_outputs(rng, S, n, (1, T))
    zeta_squared = (np.random.default_rng(3).normal(size=(1, 1, n)) ** 2).sum()
    found = np.linalg.eigvalsh(dual_matrices(û, C, T).reshape(T * n, T * n))[::-1]
    across, along = (float(a[0]) for a in _response(S, C, n, jnp.array([zeta_squared])))
    plain = float(read_outputs(tangent, 1).outlier)
    tolerance = 4 / np.sqrt(T)
    assert abs(found[: n - 1].mean() / (across * plain) - 1) < tolerance / np.sqrt(n - 1)
    assert abs(found[n - 1] / (along * plain) - 1) < tolerance
    assert found[n] < 0.5 * found[n - 1]  # the bulk lies clearly below


@pytest.mark.parametrize("n", [3, 6])
def test_samples_that_share_all_they_have_are_one(n):
    """Without a gap û = √q ζ: across ζ stands C/(q |ζ|²), along it nothing."""
    across, along = _response(exchangeable(1.7, 0.0), n, n, jnp.array([0.5, 3.0]))
    np.testing.assert_allclose(across, n / (1.7 * np.array([0.5, 3.0])), rtol=1e-10)
    np.testing.assert_allclose(along, 0, atol=1e-10 * across.max())
