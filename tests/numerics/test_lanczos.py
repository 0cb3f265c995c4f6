import numpy as np
import pytest
from scipy.sparse.linalg import ArpackNoConvergence

from meanfield.numerics.lanczos import top_eigenpairs


def matrix(eigenvalues, seed=0):
    rng = np.random.default_rng(seed)
    vectors, _ = np.linalg.qr(rng.normal(size=(len(eigenvalues),) * 2))
    return vectors * eigenvalues @ vectors.T


def start(size, dtype="float64"):
    return np.random.default_rng(1).normal(size=size).astype(dtype)


def run(A, count, precision="float64"):
    A = A.astype(precision)
    return top_eigenpairs(A.__matmul__, count, precision, start(len(A), precision))


ERROR = {"float64": 1e-10, "float32": 3e-6}


# An eigenvector's residual is at most the tolerance times λ; an eigenvalue's error is about its
# square (over the distance to the next one, 0.05 λ), but for rounding.
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize("count", [1, 4])
def test_the_largest_eigenvalues_are_found(count, precision, tolerance):
    spectrum = np.linspace(-3, 2, 80)
    spectrum[-3:] = 9, 8.5, 5
    A = matrix(spectrum)
    values, vectors = run(A, count, precision)
    np.testing.assert_allclose(values, np.sort(spectrum)[::-1][:count], rtol=ERROR[precision])
    assert values.dtype == vectors.dtype == precision
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(count), atol=10 * tolerance)
    residual = np.linalg.norm(A @ vectors - vectors * values, axis=0)
    assert residual.max() < 10 * tolerance * values[0]


def test_a_multiple_outlier_is_found():
    values, _ = run(matrix(np.r_[np.linspace(0, 1, 50), [20, 20, 20]]), 3)
    np.testing.assert_allclose(values, 20, rtol=1e-10)


@pytest.mark.parametrize("size", [2, 3, 9])
def test_the_smallest_sizes_work(size):
    spectrum = 1.0 + np.arange(size)
    for count in {1, size - 1}:
        values, _ = run(matrix(spectrum), count)
        np.testing.assert_allclose(values, spectrum[::-1][:count], rtol=1e-10)


def test_a_matrix_of_low_rank_works():
    """The Krylov space is exhausted after one step: ρ = 1 is what a dead network leaves."""
    values, vectors = run(matrix(np.r_[np.zeros(40), 3.0]), 2)
    np.testing.assert_allclose(values, [3, 0], atol=1e-9)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(2), atol=1e-9)


@pytest.mark.parametrize("size", [2, 40])
def test_the_zero_matrix_has_the_eigenvalue_zero(size):
    """F = 0 happens: `mean` in the last layer over a network whose units are all constant."""
    values, vectors = run(np.zeros((size, size)), 1)
    assert values.tolist() == [0]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=0), 1, rtol=1e-9)


def test_the_same_start_gives_the_same_bits():
    A = matrix(np.random.default_rng(2).exponential(size=60))
    first, second = run(A, 2), run(A, 2)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_product_that_is_not_finite_is_an_arithmetic_error(value):
    with pytest.raises(ArithmeticError, match="a gradient is not finite in this precision"):
        top_eigenpairs(lambda v: np.full(20, value), 1, "float64", start(20))


def test_no_convergence_is_an_arithmetic_error(monkeypatch):
    def stuck(*_, **__):
        raise ArpackNoConvergence("No convergence (10 iterations)", [], [])

    monkeypatch.setattr("scipy.sparse.linalg.eigsh", stuck)
    with pytest.raises(ArithmeticError, match=r"Lanczos .*No convergence"):
        run(np.eye(20), 1)


def test_the_product_sees_vectors_of_the_precision():
    seen = set()

    def product(v):
        seen.add((v.dtype.name, v.shape))
        return 2 * v

    top_eigenpairs(product, 1, "float32", start(30))
    assert seen == {("float32", (30,))}


def test_a_close_start_takes_few_products():
    """The leading vectors known to 3 %, and an outlier: 3 products where 12 are usual."""
    spectrum = np.r_[np.linspace(0, 1, 80), 30]
    A, count = matrix(spectrum), 0
    exact = np.linalg.eigh(A)[1][:, -1]
    near = exact + 0.03 * start(81) / np.linalg.norm(start(81))

    def product(v):
        nonlocal count
        count += 1
        return A @ v

    values, _ = top_eigenpairs(product, 1, "float32", near.astype("float32"), close=True)
    assert count <= 4
    assert values == pytest.approx([30], rel=3e-6)


def test_a_rough_tolerance_saves_products():
    A, counts = matrix(np.linspace(0, 1, 200)), []
    for tolerance in (None, 1e-2):
        calls = []
        top_eigenpairs(
            lambda v, calls=calls: (calls.append(1), A @ v)[1],
            1, "float64", start(200), tolerance=tolerance,
        )  # fmt: skip
        counts.append(len(calls))
    assert counts[1] < counts[0] / 2
