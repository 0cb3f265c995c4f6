"""Every operation of the kernels against the explicit T×T matrix they stand for."""

import jax.numpy as jnp
import numpy as np
import pytest
from exact_averages import reference_averages
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from meanfield.spec.activations import ACTIVATIONS
from meanfield.theory.kernels import Exchangeable, Full

pytestmark = pytest.mark.usefixtures("x64")

SAMPLES = st.integers(2, 7)
NUMBER = st.floats(-10, 10)
ROUNDING = 1e-13  # numbers up to 100·T summed over T² ≤ 49 terms


@st.composite
def kernels(draw, count=1, positive=False):
    """Kernels of one sample count; `positive` ones have a variance and |cross| below it."""
    T = jnp.float64(draw(SAMPLES))
    same = st.floats(0.1, 10) if positive else NUMBER
    drawn = [(draw(same), draw(st.floats(0, 1) if positive else NUMBER)) for _ in range(count)]
    gaps = [(s, s * g if positive else g) for s, g in drawn]
    return [Exchangeable(jnp.float64(s), jnp.float64(g), T) for s, g in gaps]


def matrix(K):
    """The T×T matrix."""
    T = int(K.samples)
    return np.full((T, T), float(K.same - K.gap)) + np.eye(T) * float(K.gap)


def assert_stands_for(K, expected):
    """K has the form of `expected`, and its gap is that matrix's, not only to rounding of same."""
    scale = 1 + np.abs(expected).max()
    np.testing.assert_allclose(matrix(K), expected, rtol=0, atol=ROUNDING * scale)


@given(kernels(), NUMBER, NUMBER)
def test_affine_and_scaled(drawn, scale, shift):
    (K,) = drawn
    assert_stands_for(K.affine(scale, shift), scale * matrix(K) + shift)
    assert_stands_for(K.scaled(scale), scale * matrix(K))


@given(kernels(count=2))
def test_plus_and_hadamard(drawn):
    K, other = drawn
    assert_stands_for(K.plus(other), matrix(K) + matrix(other))
    assert_stands_for(K.hadamard(other), matrix(K) * matrix(other))


@given(kernels())
def test_centring_is_the_projection_on_both_sides(drawn):
    (K,) = drawn
    T = int(K.samples)
    G = np.eye(T) - 1 / T
    assert_stands_for(K.centred(), G @ matrix(K) @ G)
    assert_stands_for(K.centred().centred(), matrix(K.centred()))


@given(kernels(count=2, positive=True))
def test_division_by_the_diagonal(drawn):
    K, S = drawn
    root = np.sqrt(np.diag(matrix(S)))
    assert_stands_for(K.over_diagonal_of(S), matrix(K) / np.outer(root, root))
    assert abs(S.over_diagonal_of(S).same - 1) <= np.finfo(float).eps  # x · (1/x)


@given(kernels(positive=True))
def test_linear_and_relu_averages(drawn):
    (K,) = drawn
    values, slopes, error = K.averages(ACTIVATIONS["linear"])
    assert_stands_for(values, matrix(K))
    assert_stands_for(slopes, np.ones_like(matrix(K)))
    assert error == 0
    # ReLU: E[φ'φ'] is the probability of an orthant, 1/4 + arcsin(c)/2π.
    correlation = np.clip(matrix(K) / float(K.same), -1, 1)
    _, slopes, _ = K.averages(ACTIVATIONS["relu"])
    # arcsin is as steep as 1/√(2ε) at c = 1: the matrix form can only be compared to √ε
    np.testing.assert_allclose(
        matrix(slopes), 0.25 + np.arcsin(correlation) / (2 * np.pi), atol=1e-7
    )


def test_averages_go_to_the_right_places():
    K = Exchangeable(jnp.float64(1.3), jnp.float64(0.4), jnp.float64(5))
    values, slopes, error = K.averages(ACTIVATIONS["tanh"])
    value, value_gap, slope, slope_gap = map(float, reference_averages("tanh", 1.3, 0.4))
    expected = [(values, value, value_gap), (slopes, slope, slope_gap)]
    for kernel, same, gap in expected:  # the grid is exact to rounding at this variance
        np.testing.assert_allclose([kernel.same, kernel.gap], [same, gap], rtol=1e-12)
        assert kernel.samples == 5
    assert 0 < error <= 1e-12


def test_gaps_below_the_rounding_of_same_survive():
    # Formed by subtraction, every one of these would be 0.
    T = jnp.float64(4)
    K, other = (Exchangeable(jnp.float64(1), jnp.float64(g), T) for g in (1e-30, 3e-40))
    assert K.plus(other).gap == 1e-30 + 3e-40
    assert K.affine(2.0, 5.0).gap == 2e-30
    assert K.hadamard(other).gap == 1e-30 + 3e-40
    assert K.centred().same == 1e-30 * 0.75
    assert K.centred().gap == 1e-30


def test_infinite_sample_count_is_the_limit():
    K = Exchangeable(jnp.float64(2), jnp.float64(0.5), jnp.float64(np.inf))
    assert K.centred().same == 0.5
    assert K.centred().cross == 0


# Full kernels: the samples are vectors, and the kernel their inner products.


def vectors(seed, T=6, dimension=4):
    return np.random.default_rng(seed).normal(size=(T, dimension))


def full(seed=0, T=6):
    """A random kernel with samples 1 and 4 equal, and its matrix."""
    x = vectors(seed, T)
    x[4] = x[1]
    return Full.from_matrix(jnp.asarray(x @ x.T)), x @ x.T


def assert_full(K, expected):
    """K is `expected`; gaps and diagonal each hold on their own; equal samples stay equal."""
    scale = 1 + np.abs(expected).max()
    np.testing.assert_allclose(K.matrix, expected, rtol=0, atol=ROUNDING * scale)
    same = np.diagonal(expected)
    np.testing.assert_allclose(K.same, same, rtol=0, atol=ROUNDING * scale)
    gap = (same[:, None] + same) / 2 - expected
    np.testing.assert_allclose(K.gap, gap, rtol=0, atol=ROUNDING * scale)
    assert K.samples == len(expected)


def test_full_kernels_from_a_matrix():
    K, matrix_of_K = full()
    assert_full(K, matrix_of_K)
    assert (np.asarray(K.gap) >= 0).all()
    # A matrix that is not positive semi-definite by a rounding: its gap is cut off at 0.
    beyond = Full.from_matrix(jnp.array([[1.0, 1 + 1e-15], [1 + 1e-15, 1.0]]))
    assert beyond.gap[0, 1] == 0


def test_full_operations_are_those_of_matrices():
    K, k = full(0)
    other, o = full(1)
    G = np.eye(6) - 1 / 6
    root = np.sqrt(np.diag(o))
    assert_full(K.affine(-2.5, 0.7), -2.5 * k + 0.7)
    assert_full(K.scaled(3.1), 3.1 * k)
    assert_full(K.plus(other), k + o)
    assert_full(K.hadamard(other), k * o)
    assert_full(other.hadamard(K), k * o)
    assert_full(K.centred(), G @ k @ G)
    assert_full(K.centred().centred(), G @ k @ G)
    assert_full(K.over_diagonal_of(other), k / np.outer(root, root))
    for result in (K.hadamard(other), K.centred(), K.over_diagonal_of(other), K.affine(2, 1)):
        assert result.gap[1, 4] == 0


def test_full_and_exchangeable_kernels_agree():
    T = 5
    K, other = (Exchangeable(jnp.float64(s), jnp.float64(g), jnp.float64(T))
                for s, g in ((1.3, 0.4), (2.0, 1.7)))  # fmt: skip

    def spread(K):
        return Full(jnp.full(T, K.same), K.gap * (1 - jnp.eye(T)))

    for operation in (
        lambda K, other: K.affine(2.0, 5.0),
        lambda K, other: K.plus(other),
        lambda K, other: K.hadamard(other),
        lambda K, other: K.centred(),
        lambda K, other: K.over_diagonal_of(other),
        lambda K, other: K.averages(ACTIVATIONS["relu"])[0],
        lambda K, other: K.averages(ACTIVATIONS["erf"])[1],
    ):
        expected = spread(operation(K, other))
        found = operation(spread(K), spread(other))
        np.testing.assert_allclose(found.same, expected.same, rtol=1e-15 * T)
        np.testing.assert_allclose(found.gap, expected.gap, rtol=1e-14)


def nearly_equal(seed):
    """Samples 3e-7 apart, as exact numbers, and their kernel: its gaps are about 1e-13."""
    base = [mpf(b) for b in (1.25, -0.5, 2.0)]
    moves = vectors(seed, T=4, dimension=3)
    x = [[b + mpf(float(m)) * mpf(3e-7) for b, m in zip(base, row, strict=True)] for row in moves]
    return x, Full(*(jnp.asarray(part, dtype=jnp.float64) for part in exact_parts(x)))


def exact_parts(x):
    """Diagonal and gaps of the kernel of exact vectors, rounded once at the end."""
    same = [float(sum(c * c for c in v)) for v in x]
    gap = [[float(sum((a - b) ** 2 for a, b in zip(v, w, strict=True)) / 2) for w in x] for v in x]
    return np.array(same), np.array(gap)


def test_gaps_of_given_samples_below_the_rounding_of_the_kernel_survive():
    with mp.workdps(50):
        (x, K), (y, other) = nearly_equal(0), nearly_equal(1)
        assert 1e-15 < K.gap[0, 1] < 1e-12
        products = [
            [a * b for a in v for b in w] for v, w in zip(x, y, strict=True)
        ]  # their kernel is the elementwise product
        mean = [sum(column) / len(x) for column in zip(*x, strict=True)]
        centred = [[c - m for c, m in zip(v, mean, strict=True)] for v in x]
        roots = [mp.sqrt(sum(c * c for c in w)) for w in y]
        divided = [[c / r for c in v] for v, r in zip(x, roots, strict=True)]
        expected = [exact_parts(v) for v in (products, centred, divided)]
    found = K.hadamard(other), K.centred(), K.over_diagonal_of(other)
    # Diagonal entries 1e-6 apart are told apart to 1e-16/1e-6; centring uses the gaps alone.
    for kernel, (same, gap), tolerance in zip(found, expected, (1e-8, 1e-14, 1e-8), strict=True):
        np.testing.assert_allclose(kernel.gap, gap, rtol=tolerance)
        np.testing.assert_allclose(kernel.same, same, rtol=1e-14)


def test_a_sample_in_the_middle_of_the_others_has_no_variance_left():
    # Rounding must not make it negative, which has no root.
    for seed in range(20):
        x = vectors(seed, T=4)
        x = np.concatenate([x, -x, np.zeros((1, 4))]) * 10.0**seed
        apart = ((x[:, None] - x) ** 2).sum(axis=-1) / 2
        K = Full(jnp.asarray((x**2).sum(axis=1)), jnp.asarray(apart))
        assert 0 <= K.centred().same[-1] <= 1e-15 * K.same.max()


def test_full_averages_go_to_the_right_places():
    K = Full(jnp.array([1.3, 1.3]), jnp.array([[0, 0.4], [0.4, 0]]))
    values, slopes, error = K.averages(ACTIVATIONS["tanh"])
    value, value_gap, slope, slope_gap = map(float, reference_averages("tanh", 1.3, 0.4))
    for kernel, same, gap in [(values, value, value_gap), (slopes, slope, slope_gap)]:
        np.testing.assert_allclose(kernel.same, same, rtol=1e-12)
        np.testing.assert_allclose(kernel.gap, [[0, gap], [gap, 0]], rtol=1e-12)
    assert 0 < error <= 1e-12
