"""λ_max at finite T with normalized outputs, against explicit matrices and its limit."""

import jax.numpy as jnp
import numpy as np
import pytest

from meanfield import Network, predict
from meanfield.theory.kernels import Exchangeable
from meanfield.theory.white_noise.finite_samples import sample_largest


def kernel(same, cross, samples):
    return Exchangeable(*(jnp.float32(x) for x in (same, same - cross, samples)))


def explicit_largest(S, K, C, n, rng):
    """The same draw from the whole (nT)×(nT) matrix."""
    T = int(S.samples)
    u = np.sqrt(float(S.cross)) * rng.standard_normal(n)
    u = u + np.sqrt(float(S.gap)) * rng.standard_normal((T, n))
    square = (u**2).sum(axis=1)
    blocks = [np.eye(n) - np.outer(v, v) / s for v, s in zip(u, square, strict=True)]
    V = np.concatenate(blocks) / np.repeat(np.sqrt(square / C), n)[:, None]
    pair = np.full((T, T), float(K.cross)) + float(K.gap) * np.eye(T)
    matrix = np.kron(pair / T, np.ones((n, n))) * (V @ V.T)
    return np.linalg.eigvalsh(matrix)[-1]


@pytest.mark.parametrize(("C", "n"), [(4, 3), (4, 4), (8, 7)])
@pytest.mark.parametrize("cross", [0.3, 0.95])
def test_secular_equation_equals_the_explicit_matrix(C, n, cross):
    S, K = kernel(1.3, 1.3 * cross, 12), kernel(5.0, 2.0, 12)
    drawn = sample_largest(S, K, C, n, draws=6, rng=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    explicit = [explicit_largest(S, K, C, n, rng) for _ in range(6)]
    np.testing.assert_allclose(drawn, explicit, rtol=1e-6)  # float32 kernels, float64 solution


def test_no_shared_direction_leaves_the_largest_single_sample():
    S, K = kernel(1.0, 0.0, 10), kernel(5.0, 0.0, 10)
    drawn = sample_largest(S, K, 4, 3, draws=3, rng=np.random.default_rng(0))
    rng = np.random.default_rng(0)
    for value in drawn:
        rng.standard_normal(3)
        square = (rng.standard_normal((10, 3)) ** 2).sum(axis=1)
        assert value == pytest.approx(5.0 / 10 * 4 / square.min(), rel=1e-6)


def test_many_samples_reach_the_limit_of_section_6():
    network = Network(depth=3, width=500, outputs=12, activation="tanh", norm="layer@last",
                      weight_var=3.0, bias_var=0.64)  # fmt: skip
    p = predict(network, 3000, output_draws=150)
    for name, limit in p.eigenvalue_max_quantiles.items():
        at_samples = p.eigenvalue_max_at_samples[name]
        # T^{2/n − 1} = 0.1 % is below the sampling error.
        assert abs(at_samples["value"] / limit - 1) < 4 * at_samples["sem"] / limit + 0.02


def test_draws_depend_on_the_seed_alone():
    network = Network(depth=2, width=50, outputs=4, norm="rms@last", bias_var=0.1)
    first, again, other = (
        predict(network, 20, output_draws=9, seed=s).eigenvalue_max_at_samples for s in (1, 1, 2)
    )
    assert first == again != other
    assert predict(network, 20).eigenvalue_max_at_samples is None
    assert predict(Network(depth=2, width=50), 20, output_draws=9).eigenvalue_max_at_samples is None


@pytest.mark.parametrize("norm", ["layer@last", "rms@last"])
def test_a_single_sample_has_no_bulk(norm):
    """All of its eigenvalues are A/σ² with σ² ~ χ²_n: what is drawn is what the theory says."""
    network = Network(depth=2, width=60, outputs=6, norm=norm, bias_var=0.1)
    prediction = predict(network, 1, output_draws=20_000)
    free = 5 if norm == "layer@last" else 6
    assert prediction.eigenvalue_max_kind == "outlier"
    assert prediction.eigenvalue_max_multiplicity == free - 1
    assert prediction.eigenvalue_mean * network.parameters == pytest.approx(
        (free - 1) * prediction.eigenvalue_max, rel=1e-12
    )
    for name, drawn in prediction.eigenvalue_max_at_samples.items():
        exact = prediction.eigenvalue_max_quantiles[name]
        assert abs(drawn["value"] - exact) < 4 * drawn["sem"]


def test_draws_scale_as_the_variances_up_to_the_ends_of_their_range():
    K = Exchangeable(*np.array([5.0, 3.0, 12.0]))

    def drawn(q):
        S = Exchangeable(*np.array([5 * q, 3 * q, 12.0]))
        return sample_largest(S, K, 4, 3, draws=3, rng=np.random.default_rng(0))

    for q in (1e307, 1e-250):
        np.testing.assert_allclose(drawn(q), drawn(1.0) / q, rtol=1e-10)
    with pytest.raises(
        ValueError, match=r"output_draws must be 0 where outputs of variance 5e-300"
    ):
        drawn(1e-300)
