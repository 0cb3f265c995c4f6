"""Reading the FIM's spectrum off the output layer's kernels of given inputs (theory.md section 7).

With the outputs' covariance S and tangent kernel K every function returns a `GivenReadout`. Where
the last norm divides by a random variance of the outputs, the outputs are sampled.
"""

from typing import NamedTuple

import numpy as np

from meanfield.numerics.lanczos import top_eigenpairs
from meanfield.spec.network import Network
from meanfield.spec.norms import SAMPLES, UNITS
from meanfield.theory.given_inputs.batch_fields import matrix_root
from meanfield.theory.kernels import Full

BATCH_DRAWS = 1000  # networks whose λ_max is sampled, by default, under a last batch norm
PER_SAMPLE_DRAWS = 100  # the same under layer norm or rms, each a Lanczos iteration of its own
SPECTRUM_DRAWS = 8  # of which the whole spectrum is taken
LARGEST_SYSTEM = 4000  # the largest dense system that is solved for it


class GivenReadout(NamedTuple):
    """What the output layer's kernels say of the spectrum.

    Attributes:
        eigenvalues: Those per output, T of them, descending, on average over networks; None where
            they would need a dense matrix of more than `LARGEST_SYSTEM` rows.
        largest: λ_max of every sampled network, or of all of them.
        alone: The mean over networks of that of a single output.
        trace, trace_squared: tr F and tr F², the mean over networks.
        multiplicity: How many output directions share these eigenvalues.
        vectors: The leading eigenvectors over samples, T×count; the last norm's own fluctuation
            left out.
    """

    eigenvalues: np.ndarray | None
    largest: np.ndarray
    alone: float
    trace: float
    trace_squared: float
    multiplicity: int
    vectors: np.ndarray


class Asked(NamedTuple):
    """What of the spectrum is asked for.

    Attributes:
        vectors: How many leading eigenvectors over samples.
        draws: How often λ_max is sampled where it stays random; 0 for a number of our own.
        rng: The source of that randomness.
    """

    vectors: int
    draws: int
    rng: np.random.Generator


def read_outputs(network: Network, S: Full, K: Full, asked: Asked) -> GivenReadout:
    """The spectrum of a network with these kernels of its outputs, as its last norm asks for."""
    norm, C = network.norm_records[-1], network.outputs
    if norm.centre is SAMPLES:
        S, K = S.centred(), K.centred()
    if norm.divide is SAMPLES:
        return read_batch(S, K, C, asked)
    if norm.divide is UNITS:
        return read_per_sample(S, K, C, C - norm.lost_directions, asked)
    return read_kernel(K, C - norm.lost_directions, asked.vectors)


def read_kernel(K: Full, dimensions: int, vectors: int) -> GivenReadout:
    """K/T in each of `dimensions` output directions: tr F = D tr K/T, tr F² = D |K|²/T²."""
    eigenvalues, basis = _eigenpairs(K, vectors)
    return GivenReadout(
        eigenvalues=eigenvalues,
        largest=eigenvalues[:1],
        alone=float(eigenvalues[0]),
        trace=dimensions * float(eigenvalues.sum()),
        trace_squared=dimensions * float((eigenvalues**2).sum()),
        multiplicity=dimensions,
        vectors=basis,
    )


def _eigenpairs(K: Full, vectors: int) -> tuple[np.ndarray, np.ndarray]:
    """All eigenvalues of K/T, descending, and some eigenvectors."""
    from scipy.linalg import eigh  # on first use: importing takes time

    matrix, T = np.asarray(K.matrix) / K.samples, K.samples
    if not vectors:
        return eigh(matrix, eigvals_only=True, overwrite_a=True)[::-1], np.empty((T, 0))
    eigenvalues, basis = eigh(matrix, overwrite_a=True, driver="evd")
    return eigenvalues[::-1], basis[:, ::-1][:, :vectors]


def read_batch(S: Full, K: Full, outputs: int, asked: Asked) -> GivenReadout:
    """Pr K Pr/(T σ²), Pr = G − û ûᵀ/T, independently for each output û ~ N(0, S), S and K centred.

    In the eigenbasis of K = Σ_i k_i v_i v_iᵀ, with y_i = v_iᵀû/|û|, the eigenvalues are the
    roots μ of Σ_i y_i²/(k_i − μ) = 0, one between each two neighbouring k_i.         [derived]
    """
    T = S.samples
    k, basis = _eigenpairs(K, T)
    to_eigenbasis = basis.T @ matrix_root(S.matrix)
    largest, squares, inverses, spectra = [], [], [], []
    for output in range(outputs):
        u = to_eigenbasis @ asked.rng.standard_normal((T, asked.draws or BATCH_DRAWS))
        norms = (u**2).sum(axis=0)
        y_squared, inverse_variance = u**2 / norms, T / norms
        largest.append(inverse_variance * _largest_root(k, y_squared))
        along = k @ y_squared
        squares.append(inverse_variance**2 * ((k**2).sum() - 2 * k**2 @ y_squared + along**2))
        inverses.append(inverse_variance * (k.sum() - along))
        if output == 0:
            some = y_squared[:, :SPECTRUM_DRAWS].T
            spectra = [r * _roots(k, y) for r, y in zip(inverse_variance, some, strict=False)]
    eigenvalues = np.mean(spectra, axis=0)
    eigenvalues *= np.mean(inverses) / (eigenvalues.sum() or 1)
    eigenvalues[0] = np.mean(largest)
    return GivenReadout(
        eigenvalues=np.sort(eigenvalues)[::-1],
        largest=np.max(largest, axis=0),
        alone=float(np.mean(largest)),
        trace=outputs * float(np.mean(inverses)),
        trace_squared=outputs * float(np.mean(squares)),
        multiplicity=1,
        vectors=basis[:, : asked.vectors],
    )


def _largest_root(k: np.ndarray, y_squared: np.ndarray) -> np.ndarray:
    """The largest root of every column of weights, between k_2 and k_1."""
    from scipy.optimize.elementwise import find_root  # on first use: slow to import

    gap = k[0] - k[1] if len(k) > 1 else 0.0
    if gap <= 1e-14 * abs(k[0]):
        return np.full(y_squared.shape[1], k[1] if len(k) > 1 else 0.0)
    below = k[0] - k  # distances from the top, where the root is often close

    def excess(distance, draw):  # Σ y²/(k − μ), times (k_1 − μ)(μ − k_2) to be finite
        others = y_squared[2:, draw] * (gap - distance) / (distance - below[2:, None])
        return y_squared[0, draw] * (gap - distance) + distance * (
            others.sum(axis=0) - y_squared[1, draw]
        )

    columns = np.arange(y_squared.shape[1])
    end = gap * (1 - 1e-12)  # at k_2 itself two terms of a double eigenvalue are infinite
    root = find_root(excess, (np.zeros(len(columns)), np.full(len(columns), end)), args=(columns,))
    return k[0] - np.where(root.success, root.x, gap)


def _roots(k: np.ndarray, y_squared: np.ndarray) -> np.ndarray:
    """All T eigenvalues of the compression: one between each two k_i, and 0; by bisection."""
    high, low = k[:-1].copy(), k[1:].copy()
    for _ in range(50):
        middle = (low + high) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            total = (y_squared[:, None] / (k[:, None] - middle)).sum(axis=0)
        above = total > 0
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return np.append((low + high) / 2, 0.0)


def read_per_sample(S: Full, K: Full, outputs: int, dimensions: int, asked: Asked) -> GivenReadout:
    """K(s,t) H_s H_t/(T σ_s σ_t) with n = `dimensions` outputs û_t ~ N(0, S) per sample.

    H_t = I − û_t û_tᵀ/|û_t|², σ_t² = |û_t|²/C. The trace's mean is known,

        tr F = (1/T) Σ_t K(t,t) (n−1) C/(S(t,t) (n−2)),      n ≥ 3,

    the rest is sampled (theory.md section 6 with the covariance of the data).        [derived]
    """
    T, C, n = S.samples, outputs, dimensions
    kernel, root = np.asarray(K.matrix), matrix_root(S.matrix)
    largest, squares, spectra = [], [], []
    dense = T * n <= LARGEST_SYSTEM
    start = asked.rng.standard_normal(T * n)
    for draw in range(asked.draws or PER_SAMPLE_DRAWS):
        u = root @ asked.rng.standard_normal((T, n))
        lengths = np.linalg.norm(u, axis=1)
        direction, scale = u / lengths[:, None], np.sqrt(C) / lengths
        weighted = kernel * scale[:, None] * scale / T
        largest.append(_top(weighted, direction, start))
        squares.append((weighted**2 * (n - 2 + (direction @ direction.T) ** 2)).sum())
        if dense and draw < SPECTRUM_DRAWS:
            spectra.append(_dense_spectrum(weighted, direction))
    inverse = C / (np.asarray(S.same) * (n - 2)) if n > 2 else np.inf
    return GivenReadout(
        eigenvalues=np.mean(spectra, axis=0) if dense else None,
        largest=np.array(largest),
        alone=float(np.mean(largest)),
        trace=float(np.mean(np.asarray(K.same) * (n - 1) * inverse)),
        trace_squared=float(np.mean(squares)) if n > 4 else np.inf,
        multiplicity=n - 1,
        vectors=_leading_vectors(K.over_diagonal_of(S), asked.vectors),
    )


def _leading_vectors(K: Full, count: int) -> np.ndarray:
    return _eigenpairs(K, count)[1] if count else np.empty((K.samples, 0))


def _top(weighted: np.ndarray, direction: np.ndarray, start: np.ndarray) -> float:
    """The largest eigenvalue of the matrix of blocks w_st H_s H_t, by products with it."""

    def project(x):
        return x - direction * (direction * x).sum(axis=1, keepdims=True)

    def product(v):
        return project(weighted @ project(v.reshape(direction.shape))).ravel()

    return float(top_eigenpairs(product, 1, "float64", start, tolerance=1e-6)[0][0])


def _dense_spectrum(weighted: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Its T (n − 1) eigenvalues, averaged over each n − 1 neighbours."""
    T, n = direction.shape
    H = np.eye(n) - direction[:, :, None] * direction[:, None, :]
    blocks = np.einsum("st,sij,tjk->sitk", weighted, H, H).reshape(T * n, T * n)
    eigenvalues = np.linalg.eigvalsh(blocks)[::-1][: T * (n - 1)]
    return eigenvalues.reshape(T, n - 1).mean(axis=1)
