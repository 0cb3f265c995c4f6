"""The spectrum read off kernels of given samples, against explicit matrices of every network."""

import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.theory.given_inputs import readout as given_readout
from meanfield.theory.given_inputs.batch_fields import matrix_root
from meanfield.theory.given_inputs.readout import Asked, read_batch, read_kernel, read_per_sample
from meanfield.theory.kernels import Full

pytestmark = pytest.mark.usefixtures("x64")

T = 12
G = np.eye(T) - 1 / T


def random_kernel(seed):
    x = np.random.default_rng(seed).normal(size=(T, 8)) * np.geomspace(3, 0.1, 8)
    return x @ x.T


S, K = random_kernel(0), random_kernel(1)


def full(matrix):
    return Full.from_matrix(jnp.asarray(matrix))


def centred(matrix):
    return full(matrix).centred()


def generator():
    return np.random.default_rng(5)


def assert_eigenvectors(vectors, matrix, count):
    assert vectors.shape == (T, count)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(count), atol=1e-13)
    top = np.linalg.eigvalsh(matrix)[::-1][:count]
    np.testing.assert_allclose(matrix @ vectors, vectors * top, atol=1e-13 * top[0])


def test_a_plain_kernel_is_its_matrix():
    read = read_kernel(full(K), 3, 4)
    np.testing.assert_allclose(read.eigenvalues, np.linalg.eigvalsh(K / T)[::-1], atol=1e-14)
    assert read.largest == read.eigenvalues[:1]
    assert read.trace == pytest.approx(3 * np.trace(K) / T, rel=1e-13)
    assert read.trace_squared == pytest.approx(3 * (K**2).sum() / T**2, rel=1e-13)
    assert read.multiplicity == 3
    assert_eigenvectors(read.vectors, K, 4)
    without = read_kernel(full(K), 3, 0)
    assert without.vectors.shape == (T, 0)
    np.testing.assert_allclose(without.eigenvalues, read.eigenvalues, atol=1e-14)


def explicit_batch(u):
    """The eigenvalues of Pr K Pr/(T σ²) for fields u, T×draws, each projection a matrix."""
    spectra = []
    for field in np.transpose(u - u.mean(axis=0)):
        variance = (field**2).mean()
        projection = G - np.outer(field, field) / (T * variance)
        matrix = projection @ K @ projection / (T * variance)
        spectra.append(np.linalg.eigvalsh(matrix)[::-1])
    return np.array(spectra)


@pytest.mark.parametrize("C", [1, 3])
def test_batch_is_the_explicit_matrix_of_every_network(C):
    draws = 8
    read = read_batch(centred(S), centred(K), C, Asked(3, draws, generator()))
    rng, root = generator(), matrix_root(full(S).centred().matrix)
    spectra = [explicit_batch(root @ rng.standard_normal((T, draws))) for _ in range(C)]
    np.testing.assert_allclose(read.largest, np.max(spectra, axis=0)[:, 0], rtol=1e-9)
    # Networks with C independent outputs: their matrix is C blocks.
    assert read.trace == pytest.approx(C * np.mean(spectra, axis=(0, 1)).sum(), rel=1e-9)
    squares = np.square(spectra).sum(axis=2)
    assert read.trace_squared == pytest.approx(C * squares.mean(), rel=1e-9)
    assert read.multiplicity == 1
    assert_eigenvectors(read.vectors, G @ K @ G, 3)
    expected = np.mean(spectra[0], axis=0)
    if C == 1:  # the spectrum is that of the first output of 8 networks: here of all there are
        np.testing.assert_allclose(read.eigenvalues, expected, atol=1e-9 * expected[0])
    else:
        assert read.eigenvalues[0] == pytest.approx(np.mean(spectra, axis=(0, 1))[0], rel=1e-9)


def test_batch_has_the_distribution_of_independent_networks():
    n = 4000
    read = read_batch(centred(S), centred(K), 1, Asked(0, n, generator()))
    rng = np.random.default_rng(6)
    spectra = explicit_batch(rng.multivariate_normal(np.zeros(T), S, size=n).T)
    for found, drawn in (
        (read.largest.mean(), spectra[:, 0]),
        (read.trace, spectra.sum(axis=1)),
        (read.trace_squared, (spectra**2).sum(axis=1)),
    ):
        error = drawn.std() * (2 / n) ** 0.5  # both sides are sampled
        assert abs(found - drawn.mean()) < 4 * error
    for p in (0.1, 0.5, 0.9):  # the share below the other's quantile: binomial
        share = (read.largest < np.quantile(spectra[:, 0], p)).mean()
        assert abs(share - p) < 4 * np.sqrt(2 * p * (1 - p) / n)
    # The mean spectrum is scaled to the mean trace of all draws, its first eigenvalue is λ_max's
    # mean; 8 draws leave the rest uncertain.
    assert read.eigenvalues[0] == pytest.approx(read.largest.mean(), rel=1e-12)
    assert (np.diff(read.eigenvalues) <= 0).all()


def test_batch_of_degenerate_kernels():
    v = np.random.default_rng(7).normal(size=T)
    v_centred = v - v.mean()
    root = matrix_root(full(S).centred().matrix)
    u = root @ generator().standard_normal((T, 6))
    u_hat_over_sigma = u / (u**2).mean(axis=0)  # û/σ
    variance = (u**2).mean(axis=0)
    # K = I: every direction but two has 1/(T σ²).
    read = read_batch(centred(S), centred(np.eye(T)), 1, Asked(1, 6, generator()))
    np.testing.assert_allclose(read.largest, 1 / (T * variance), rtol=1e-9)
    assert read.trace == pytest.approx((T - 2) * read.largest.mean(), rel=1e-9)
    np.testing.assert_allclose(read.eigenvalues[:-2], read.largest.mean(), rtol=1e-9)
    np.testing.assert_allclose(read.eigenvalues[-2:], 0, atol=1e-12)
    # K = v vᵀ: one eigenvalue, |Pr v|²/(T σ²).
    read = read_batch(centred(S), centred(np.outer(v, v)), 1, Asked(1, 6, generator()))
    along = (v_centred @ u_hat_over_sigma) ** 2 / T
    expected = (v_centred @ v_centred - along * variance) / (T * variance)
    np.testing.assert_allclose(read.largest, expected, rtol=1e-9)
    assert read.trace == pytest.approx(expected.mean(), rel=1e-9)
    np.testing.assert_allclose(read.eigenvalues[1:], 0, atol=1e-12 * expected.max())
    # K = 0, and a constant one, which centring makes 0: nothing, and no division by it.
    for constant in (0.0, 1.0):
        read = read_batch(
            centred(S), centred(np.full((T, T), constant)), 1, Asked(1, 6, generator())
        )
        np.testing.assert_array_equal(read.eigenvalues, 0)
        assert (read.trace, read.trace_squared, read.largest.max()) == (0, 0, 0)


def explicit_per_sample(u, C):
    """The eigenvalues of the matrix of blocks K(s,t) H_s H_t/(T σ_s σ_t), (Tn)×(Tn)."""
    n = u.shape[1]
    square = (u**2).sum(axis=1)
    H = [np.eye(n) - np.outer(v, v) / q for v, q in zip(u, square, strict=True)]
    sigma = np.sqrt(square / C)
    rows = [[K[s, t] / (T * sigma[s] * sigma[t]) * H[s] @ H[t] for t in range(T)] for s in range(T)]
    return np.linalg.eigvalsh(np.block(rows))[::-1]


@pytest.mark.parametrize(("C", "n"), [(4, 3), (6, 6)])
def test_per_sample_is_the_explicit_matrix_of_every_network(C, n):
    read = read_per_sample(full(S), full(K), C, n, Asked(2, 5, generator()))
    rng, root = generator(), matrix_root(full(S).matrix)
    rng.standard_normal(T * n)  # where the Lanczos iteration starts
    spectra = np.array(
        [explicit_per_sample(root @ rng.standard_normal((T, n)), C) for _ in range(5)]
    )
    # Lanczos' residual is 1e-6, an eigenvalue's error at an isolated one its square.
    np.testing.assert_allclose(read.largest, spectra[:, 0], rtol=1e-9)
    by_output = spectra[:, : T * (n - 1)].reshape(5, T, n - 1).mean(axis=(0, 2))
    np.testing.assert_allclose(read.eigenvalues, by_output, atol=1e-9 * by_output[0])
    assert read.multiplicity == n - 1
    if n > 4:
        squares = (spectra**2).sum(axis=1).mean()
        assert read.trace_squared == pytest.approx(squares, rel=1e-9)
    else:
        assert read.trace_squared == np.inf  # its mean over networks
    scale = np.sqrt(np.diagonal(S))
    assert_eigenvectors(read.vectors, K / np.outer(scale, scale), 2)


def test_per_sample_trace_is_the_mean_over_networks():
    # It is known: 1/|û|² has a variance for n > 4.
    n = 6
    rng, root = np.random.default_rng(8), matrix_root(full(S).matrix)
    u = np.einsum("st,dti->dsi", root, rng.standard_normal((20_000, T, n)))
    traces = (np.diagonal(K) / T * (n - 1) * n / (u**2).sum(axis=2)).sum(axis=1)
    read = read_per_sample(full(S), full(K), n, n, Asked(0, 2, generator()))
    assert abs(read.trace - traces.mean()) < 4 * traces.std() / 20_000**0.5
    assert read.vectors.shape == (T, 0)
    two = read_per_sample(full(S), full(K), 3, 2, Asked(0, 2, generator()))
    assert two.trace == two.trace_squared == np.inf


def test_too_large_a_matrix_is_not_solved(monkeypatch):
    monkeypatch.setattr(given_readout, "LARGEST_SYSTEM", 3 * T - 1)
    read = read_per_sample(full(S), full(K), 4, 3, Asked(0, 3, generator()))
    assert read.eigenvalues is None
    monkeypatch.undo()
    dense = read_per_sample(full(S), full(K), 4, 3, Asked(0, 3, generator()))
    np.testing.assert_array_equal(read.largest, dense.largest)
