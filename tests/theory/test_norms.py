"""What the theory says of each norm, against its table, its Jacobian, and its own second route."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanfield.sampling.normalize import normalize
from meanfield.spec.network import Network
from meanfield.spec.norms import NORMS, SAMPLES, UNITS, Norm
from meanfield.theory.kernels import Exchangeable
from meanfield.theory.norms import chain_factor, kernels, output_chain_factor
from meanfield.theory.white_noise.recursion import Code, Numbers, solve_both

pytestmark = pytest.mark.usefixtures("x64")

BATCH_TYPE = [name for name, norm in NORMS.items() if norm.mixes_samples]
PER_SAMPLE = [name for name, norm in NORMS.items() if not norm.mixes_samples]


def exchangeable(same, gap, samples):
    return Exchangeable(*(jnp.float64(x) for x in (same, gap, samples)))


def table(name, S, K):
    """(S̄, K̄) as ((same, cross), (same, cross)), copied from theory.md section 3."""
    T, q, q_st, g = S.samples, S.same, S.cross, S.gap
    k, k_st, d = K.same, K.cross, K.gap
    r = T / ((T - 3) * g)
    return {
        "none": ((q, q_st), (k, k_st)),
        "layer-mean": ((q, q_st), (k, k_st)),
        "mean": ((g * (1 - 1 / T), -g / T), (d * (1 - 1 / T), -d / T)),
        "batch": (
            (1, -1 / (T - 1)),
            (r * d * (1 - 2 / T), -r * d * (1 - 2 / T) / (T - 1)),
        ),
        "layer": ((1, q_st / q), (k / q, k_st / q)),
        "rms": ((1, q_st / q), (k / q, k_st / q)),
    }[name]


@pytest.mark.parametrize("name", NORMS)
@given(st.floats(0.1, 5), st.floats(0.05, 1.2), st.floats(1, 50), st.floats(0.1, 1.2))
def test_kernels_are_those_of_the_table(name, q, gap, k, k_gap):
    for samples in (4, 5, 300):
        S, K = exchangeable(q, q * gap, samples), exchangeable(k, k * k_gap, samples)
        for kernel, expected in zip(kernels(NORMS[name], S, K), table(name, S, K), strict=True):
            found = kernel.same, kernel.cross
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14 * float(kernel.same) * 9)
            assert kernel.samples == samples


def test_a_combination_that_is_not_listed_has_the_row_of_its_parts():
    """Centred over samples, then divided over units: "mean", over its own q_t = g (1 − 1/T)."""
    T, g, d = 20, 0.3, 4.0
    norm, S, K = Norm("both", SAMPLES, UNITS), exchangeable(1.7, g, T), exchangeable(9.0, d, T)
    S_bar, K_bar = kernels(norm, S, K)
    np.testing.assert_allclose((S_bar.same, S_bar.cross), (1, -1 / (T - 1)), rtol=1e-14)
    np.testing.assert_allclose((K_bar.same, K_bar.cross), (d / g, -d / g / (T - 1)), rtol=1e-14)
    np.testing.assert_allclose(chain_factor(norm, S), 1 / (g * (1 - 1 / T)), rtol=1e-14)
    assert output_chain_factor(norm, S) == 1


@pytest.mark.parametrize("name", NORMS)
def test_chain_factors_are_those_of_the_table(name):
    S = exchangeable(1.7, 0.3, 20)
    expected = {"batch": 1 / 0.3, "layer": 1 / 1.7, "rms": 1 / 1.7}.get(name, 1)
    assert chain_factor(NORMS[name], S) == expected
    # With few outputs a layer norm's division is no mere factor: its chain starts before it.
    at_output = expected if name == "batch" else 1
    assert output_chain_factor(NORMS[name], S) == at_output


def correlated(rng, S, shape):
    """Gaussian fields over T samples with covariance S; the samples are the last axis but one."""
    *draws, T, units = shape
    common = rng.normal(size=(*draws, 1, units)) * np.sqrt(float(S.cross))
    return common + rng.normal(size=(*draws, T, units)) * np.sqrt(float(S.gap))


def assert_means(draws, expected, bias=0.0):
    """Draws average to `expected` within 4 standard errors plus a known relative bias."""
    draws = np.asarray(draws)
    error = draws.std(ddof=1) / np.sqrt(draws.size)
    # 1e-12: some of these are the same number in every draw
    assert abs(draws.mean() - expected) <= 4 * error + (bias + 1e-12) * abs(expected)


def jacobian_products(name, u, K, pair):
    """S̄ and K̄ between two samples of each draw, through the Jacobian of what a network does."""
    norm, (s, t) = partial(normalize, NORMS[name]), pair

    def one(u):
        J = jax.jacobian(norm)(u)  # ∂ū(s, i)/∂u(t, j)
        out = norm(u)
        product = jnp.einsum("iaj,ab,ibj->", J[s], K, J[t])
        return jnp.mean(out[s] * out[t]), product / u.shape[1]

    return jax.jit(jax.vmap(one))(u)


@pytest.mark.parametrize("name", BATCH_TYPE)
def test_batch_type_kernels_are_those_of_the_jacobian(name):
    # A norm over samples acts on each unit alone, whose field is exactly Gaussian: so the table's
    # K̄, finite T, 1/(T − 3) and 1 − 2/T included, is exact. 1/σ⁴ has a mean for T > 5.
    T = 10
    S, K = exchangeable(1.7, 1.1, T), exchangeable(9.0, 4.0, T)
    K_matrix = np.full((T, T), float(K.cross)) + np.eye(T) * float(K.gap)
    u = correlated(np.random.default_rng(0), S, (20_000, T, 1))
    S_bar, K_bar = kernels(NORMS[name], S, K)
    for pair, part in (((3, 3), "same"), ((0, 6), "cross")):
        fields, tangents = jacobian_products(name, u, K_matrix, pair)
        assert_means(fields, float(getattr(S_bar, part)))
        assert_means(tangents, float(getattr(K_bar, part)))


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_per_sample_kernels_are_those_of_the_jacobian(name):
    # Exact in the limit of many units M: E[1/σ²] and the lost dimensions change both by O(1/M),
    # 2/(M − 3) and 3/M at the most.
    M, S, K = 100, exchangeable(1.7, 1.1, 2), exchangeable(9.0, 4.0, 2)
    K_matrix = np.full((2, 2), float(K.cross)) + np.eye(2) * float(K.gap)
    u = correlated(np.random.default_rng(1), S, (400, 2, M))
    S_bar, K_bar = kernels(NORMS[name], S, K)
    for pair, part in (((0, 0), "same"), ((0, 1), "cross")):
        fields, tangents = jacobian_products(name, u, K_matrix, pair)
        assert_means(fields, float(getattr(S_bar, part)), bias=5 / M)
        assert_means(tangents, float(getattr(K_bar, part)), bias=5 / M)


def assert_two_routes_agree(network):
    """K^L = Σ_l (M_{l−1} q̂^{l−1} + 1) q̃^l: the forward tangent kernel and the chain of q̃.

    Only where no hidden norm mixes samples: there centring makes K̄ more than a sum over layers.
    """
    both = jax.jit(solve_both, static_argnames=("code", "source"))(
        Code.of(network), network.activation, Numbers.of(network, 40.0)
    )
    for solution, bias_block in zip(both, (1, 0), strict=True):
        start = output_chain_factor(network.norm_records[-1], solution.S)
        hidden = solution.layers.Q
        widths = np.array(network.widths)
        for part, at_input in (("same", 1.0), ("cross", 0.0)):
            q_hat = np.append(at_input, getattr(hidden, part))
            total = ((widths * q_hat + bias_block) * getattr(solution.backward, part)).sum()
            tangent = getattr(solution.K, part) * start
            # cross is same − gap: its rounding is that of `same`
            assert abs(total - tangent) <= 1e-12 * solution.K.same * start


NETWORKS = st.fixed_dictionaries(
    {
        "widths": st.tuples(*[st.integers(5, 900)] * 4),
        "hidden": st.tuples(*[st.sampled_from(PER_SAMPLE)] * 3),
        "weight_var": st.floats(0.3, 4),
        "bias_var": st.floats(0.01, 1),
    }
)


# In closed form, and by quadrature of smooth functions and of those with a kink.
@pytest.mark.parametrize("activation", ["relu", "tanh", "elu"])
@given(drawn=NETWORKS)
@settings(max_examples=6)
def test_forward_and_backward_routes_agree(activation, drawn):
    norms = (*drawn.pop("hidden"), "none")
    assert_two_routes_agree(Network(norms=norms, activation=activation, **drawn))


@pytest.mark.parametrize("last", ["mean", "batch", "layer", "rms", "layer-mean"])
@given(drawn=NETWORKS)
@settings(max_examples=5)
def test_forward_and_backward_routes_agree_before_any_output_norm(last, drawn):
    norms = (*drawn.pop("hidden"), last)
    assert_two_routes_agree(Network(norms=norms, activation="erf", outputs=6, **drawn))


def test_the_two_routes_part_where_a_hidden_norm_mixes_samples():
    # The guard of the test above: it must be able to fail.
    network = Network(depth=4, width=100, activation="relu", bias_var=0.1, norm="mean@2")
    with pytest.raises(AssertionError):
        assert_two_routes_agree(network)
