import jax
import numpy as np
import pytest
from jacobian import (
    PER_SAMPLE,
    array_sizes,
    by_output,
    figures,
    reference,
    relative_error,
    sample,
)

from meanfield import Network, simulate
from meanfield.sampling import dual
from meanfield.sampling import dual_matrix as layered
from meanfield.sampling.measurement import Request
from meanfield.sampling.networks import forward

PLAN = layered.BlockPlan(pairs=True, kept=False)


def blocks(network, samples):
    """The dual method's matrix as C×T×C×T."""
    parameters, inputs = sample(network, samples)
    C = network.outputs
    with jax.enable_x64(True):
        factors = layered.find_factors(network.structure, parameters, inputs)
        matrix = np.asarray(layered.assemble(network.structure, factors))
    return matrix.reshape(C, samples, C, samples)


def measure(network, samples, **request):
    with jax.enable_x64(True):
        key = jax.random.key(5)
        return dual.measure(network, *sample(network, samples), key, Request(**request))


def twin(network, last):
    """The same network with another norm of the outputs."""
    return Network(
        widths=network.widths,
        outputs=network.outputs,
        activation=network.activation,
        weight_var=network.weight_var,
        bias_var=network.bias_var,
        norms=(*network.norms[:-1], last),
    )


@pytest.mark.parametrize("last", ["batch", "mean"])
def test_a_last_norm_over_samples_is_the_projection_of_section_5(last):
    """F*_BN,kk' = G_k F*_kk' G_k' / (σ_k σ_k'), G_k = I − 11ᵀ/T − f_k f_kᵀ/T; no f, σ for mean."""
    network, T = PER_SAMPLE["layer@hidden+batch@last-erf-C4"]
    plain, C = twin(network, "none"), network.outputs
    F = by_output(reference(plain, T).matrix, C)
    with jax.enable_x64(True):
        u = np.asarray(forward(plain.structure, *sample(plain, T)).outputs)
    sigma = u.std(axis=0) if last == "batch" else np.ones(C)
    f = (u - u.mean(axis=0)) / sigma if last == "batch" else np.zeros((T, C))
    G = [np.eye(T) - np.ones((T, T)) / T - np.outer(f[:, k], f[:, k]) / T for k in range(C)]
    expected = np.empty_like(F)
    for k in range(C):
        for j in range(C):
            expected[k, :, j] = G[k] @ F[k, :, j] @ G[j] / (sigma[k] * sigma[j])
    # A hundred roundings of 1e-16 and the division by σ, above 0.1.
    assert relative_error(blocks(twin(network, last), T), expected) < 1e-12


def test_layer_mean_takes_one_of_the_output_directions():
    """λ_max nearly keeps: every block is projected by H = I − 11ᵀ/C (theory.md section 6)."""
    network, T = PER_SAMPLE["layer-mean@last-gelu-C4"]
    C = network.outputs
    F = by_output(reference(twin(network, "none"), T).matrix, C)
    H = np.eye(C) - 1 / C
    assert relative_error(blocks(network, T), np.einsum("ki,isjt,jm->ksmt", H, F, H)) < 1e-12


@pytest.mark.parametrize("outputs", [1, 3])
def test_one_sample_has_its_gram_matrix(outputs):
    network = Network(widths=(5, 6, 4), outputs=outputs, activation="tanh", bias_var=0.3)
    assert figures(measure(network, 1)) == pytest.approx(reference(network, 1).figures, rel=1e-10)


@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize("spectrum", [False, True])
def test_a_network_of_constant_units_has_no_fim_after_centring(outputs, spectrum):
    """σ_w² = 0 makes every hidden unit constant over samples, exactly: F = 0."""
    network = Network(depth=3, width=4, outputs=outputs, weight_var=0, bias_var=1, norm="mean@last")
    measured = measure(network, 8, spectrum=spectrum)  # 8: means of equal numbers are exact
    assert figures(measured) == (0, 0, 0)


def test_the_statistics_agree_with_the_whole_spectrum():
    network, T = PER_SAMPLE["batch@last-leaky_relu-C4"]
    without, whole = measure(network, T), measure(network, T, spectrum=True)
    assert without.eigenvalues is None
    assert whole.eigenvalues.shape == (T * network.outputs,)
    np.testing.assert_allclose(figures(without), figures(whole), rtol=1e-10)
    for measured in (whole, without):
        assert measured.trace_sem == measured.trace_squared_sem == 0


@pytest.mark.parametrize("outputs", [1, 4])
def test_several_leading_eigenvalues(outputs):
    """As many as asked for, descending, to Lanczos' tolerance; all there are where more are."""
    network, T = PER_SAMPLE[f"none-relu-C{outputs}"]
    expected = reference(network, T).eigenvalues
    for count in (1, 3, T * outputs - 1, T * outputs, 99):
        leading = measure(network, T, leading=count).leading
        np.testing.assert_allclose(leading, expected[:count], atol=1e-10 * expected[0])


def test_only_networks_with_independent_hidden_samples_are_served():
    for norm, served in [
        ("none", True),
        ("batch@last", True),
        ("layer@all", True),
        ("rms@hidden+mean@last", True),
        ("batch@1", False),
        ("mean@hidden", False),
        ("layer@1+mean@2", False),
    ]:
        assert dual.supports(Network(depth=3, width=5, outputs=4, norm=norm)) == served


def factors_of(network, samples):
    with jax.enable_x64(True):
        return layered.find_factors(network.structure, *sample(network, samples))


@pytest.mark.parametrize("norm", ["none", "layer@hidden+batch@last"])
def test_no_jacobian_is_formed(norm):
    """P T C = 22,940 and P² = 1.3e6; the largest array is one backward signal, T C M = 400."""
    network, T = Network(depth=3, width=20, outputs=2, norm=norm), 10
    parameters, inputs = sample(network, T)
    factors, structure = factors_of(network, T), network.structure
    v = np.ones((network.outputs, T), inputs.dtype)
    sizes = array_sizes(lambda p, x: layered.find_factors(structure, p, x), parameters, inputs)
    sizes += array_sizes(lambda f: layered.reduce_blocks(structure, PLAN, f), factors)
    sizes += array_sizes(lambda f, v: layered.factors_product(structure, f, v), factors, v)
    assert T * network.outputs * network.parameters > 17_000
    assert max(sizes) == T * network.outputs * 20


@pytest.mark.parametrize("norm", ["none", "batch@last"])
def test_the_blocks_of_many_outputs_are_used_one_by_one(norm):
    """(CT)² = 57,600; the largest array is one T×T block, 1,600, or a backward signal, 960."""
    network, T = Network(depth=2, width=4, outputs=6, norm=norm), 40
    factors, structure = factors_of(network, T), network.structure
    v = np.ones((network.outputs, T))
    sizes = array_sizes(lambda f: layered.reduce_blocks(structure, PLAN, f), factors)
    sizes += array_sizes(lambda f, v: layered.factors_product(structure, f, v), factors, v)
    assert max(sizes) == T * T
    whole = array_sizes(lambda f: layered.assemble(structure, f), factors)
    assert max(whole) == (T * network.outputs) ** 2


def test_simulate_returns_the_non_zero_spectrum():
    """CT = 14 > P = 11: three eigenvalues at least are zero, and rounding is told from them."""
    network, T = PER_SAMPLE["none-sin-C1"]
    expected = reference(network, T).eigenvalues
    result = simulate(network, T, draws=1, precision="float64", spectrum=True)
    rank = int((expected > 14 * np.finfo(float).eps * expected[0]).sum())
    assert rank <= network.parameters < T
    np.testing.assert_allclose(result.eigenvalues[0], expected[:rank], atol=1e-13 * expected[0])


def test_float64_resolves_eigenvalues_below_float32():
    """The smallest of 11 is 8e-9 λ_max: above the rounding of float64, not of float32."""
    network = Network(widths=(3, 2), activation="sin", bias_var=0.1)
    expected = reference(network, 11, seed=1).eigenvalues
    assert 7e-9 < expected[-1] / expected[0] < 9e-9
    options = {"draws": 1, "seed": 1, "spectrum": True}
    double = simulate(network, 11, precision="float64", **options).eigenvalues[0]
    np.testing.assert_allclose(double, expected, atol=1e-13 * expected[0])
    single = simulate(network, 11, precision="float32", **options).eigenvalues[0]
    assert len(single) < 11
