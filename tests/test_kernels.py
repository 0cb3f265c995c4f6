"""Every operation of the two-number kernel against the explicit T×T matrix it stands for."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import reference_averages

from meanfield.activations import ACTIVATIONS
from meanfield.kernels import Exchangeable

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
