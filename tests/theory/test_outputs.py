"""The largest eigenvalue of the random matrices that tell outputs apart, against drawn ones."""

import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.theory.outputs import Deviations, largest_of_outputs

pytestmark = pytest.mark.usefixtures("x64")

DRAWS = 4000


def drawn(outputs, own):
    """The largest eigenvalues of GOE matrices with independent numbers on their diagonals."""
    rng = np.random.default_rng(outputs)
    A = rng.standard_normal((DRAWS, outputs, outputs))
    symmetric = (A + A.transpose(0, 2, 1)) / np.sqrt(2)
    diagonal = own * rng.standard_normal((DRAWS, outputs))
    return np.linalg.eigvalsh(symmetric + np.eye(outputs) * diagonal[:, None])[:, -1]


@pytest.mark.parametrize("outputs", [2, 4, 10, 30])
def test_a_gaussian_matrix_has_ma_s_largest_eigenvalue(outputs):
    values, found = drawn(outputs, 0.0), largest_of_outputs(outputs)
    # 4000 draws: the mean to 0.016 σ, the variance to 2.2 %; the law itself to 1 %
    assert found.matrix_mean == pytest.approx(values.mean(), abs=0.05 + 0.005 * values.mean())
    assert found.matrix_variance == pytest.approx(values.var(), rel=0.08)


@pytest.mark.parametrize("outputs", [2, 4, 10, 30])
def test_independent_numbers_have_the_largest_of_normal_ones(outputs):
    values = np.random.default_rng(0).standard_normal((100_000, outputs)).max(axis=1)
    found = largest_of_outputs(outputs)
    assert found.own_mean == pytest.approx(values.mean(), abs=0.01)
    assert found.own_variance == pytest.approx(values.var(), rel=0.03)


def test_a_single_output_is_what_it_is():
    found = Deviations(*map(jnp.asarray, (0.3, 0.2, 0.1, 0.4))).largest(largest_of_outputs(1))
    np.testing.assert_allclose(found, (0, 0.3 + 2 * 0.2 + 0.1), atol=1e-12)


@pytest.mark.parametrize("own", [1.0, 3.0])
def test_both_kinds_of_numbers_add_like_independent_ones(own):
    C, values = 6, drawn(6, own)
    of = largest_of_outputs(C)
    mean, variance = Deviations(*map(jnp.asarray, (0.0, 1.0, own**2, 0.0))).largest(of)
    assert mean == pytest.approx(values.mean(), rel=0.03)
    assert variance == pytest.approx(values.var(), rel=0.25)  # an interpolation
