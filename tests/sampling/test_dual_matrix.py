"""The dual matrix from Gram matrices: exact, block by block, and as a surrogate."""

import numpy as np
import pytest
from jacobian import (
    PER_SAMPLE,
    ROUNDING,
    SUMS,
    array_sizes,
    as_measured,
    by_output,
    in_both_precisions,
    reference,
    relative_error,
    sample,
)

from meanfield import Network
from meanfield.sampling.dual_matrix import (
    STRIPS,
    BlockPlan,
    assemble,
    dual_matrix,
    factors_product,
    find_factors,
    reduce_blocks,
)
from meanfield.sampling.networks import forward

PLAN = BlockPlan(pairs=True, kept=False)
# A projection of both sides, a hundred roundings more, and the division by σ, above 0.1.
PROJECTED = {precision: 10 * rounding for precision, rounding in ROUNDING.items()}


def factors_of(network, samples, precision="float64"):
    with as_measured():
        return find_factors(network.structure, *sample(network, samples, precision), STRIPS)


def blocks(network, samples, precision):
    """The matrix as C×T×C×T."""
    factors, C = factors_of(network, samples, precision), network.outputs
    with as_measured():
        if C == 1:  # the only block, which `measure` uses too
            plan = BlockPlan(pairs=True, kept=True)
            matrix = np.asarray(reduce_blocks(network.structure, plan, factors)[2].diagonal)
        else:
            matrix = np.asarray(assemble(network.structure, factors))
    return matrix.reshape(C, samples, C, samples)


def twin(network, last):
    """The same network with another norm of the outputs."""
    return network.with_norms((*network.norms[:-1], last))


@pytest.mark.parametrize(("name", "precision"), in_both_precisions(PER_SAMPLE))
def test_the_matrix_is_that_of_the_brute_force_jacobian(name, precision):
    network, T = PER_SAMPLE[name]
    F, expected = blocks(network, T, precision), reference(network, T)
    assert F.dtype == precision
    assert relative_error(F, by_output(expected.matrix, network.outputs)) < ROUNDING[precision]


@pytest.mark.parametrize("last", ["batch", "mean"])
def test_a_last_norm_over_samples_is_the_projection_of_section_5(last, precision):
    """F*_BN,kk' = G_k F*_kk' G_k' / (σ_k σ_k'), G_k = I − 11ᵀ/T − f_k f_kᵀ/T; no f, σ for mean."""
    network, T = PER_SAMPLE["layer@hidden+batch@last-erf-C4"]
    plain, C = twin(network, "none"), network.outputs
    F = by_output(reference(plain, T).matrix, C)
    with as_measured():
        u = np.asarray(forward(plain.structure, *sample(plain, T)).outputs)
    sigma = u.std(axis=0) if last == "batch" else np.ones(C)
    f = (u - u.mean(axis=0)) / sigma if last == "batch" else np.zeros((T, C))
    G = [np.eye(T) - np.ones((T, T)) / T - np.outer(f[:, k], f[:, k]) / T for k in range(C)]
    expected = np.empty_like(F)
    for k in range(C):
        for j in range(C):
            expected[k, :, j] = G[k] @ F[k, :, j] @ G[j] / (sigma[k] * sigma[j])
    assert (
        relative_error(blocks(twin(network, last), T, precision), expected) < PROJECTED[precision]
    )


def test_layer_mean_takes_one_of_the_output_directions(precision):
    """λ_max nearly keeps: every block is projected by H = I − 11ᵀ/C (theory.md section 6)."""
    network, T = PER_SAMPLE["layer-mean@last-gelu-C4"]
    C = network.outputs
    F = by_output(reference(twin(network, "none"), T).matrix, C)
    H = np.eye(C) - 1 / C
    expected = np.einsum("ki,isjt,jm->ksmt", H, F, H)
    assert relative_error(blocks(network, T, precision), expected) < PROJECTED[precision]


@pytest.mark.parametrize("norm", ["batch@hidden", "mean@hidden", "batch@2", "batch@all"])
def test_the_surrogate_is_nearly_the_dual_matrix(norm):
    """Its squared error, over samples of relative order 1/T per entry, is a few percent at most."""
    wide = {"widths": (30, 40, 30), "outputs": 2, "activation": "tanh", "bias_var": 0.3}
    network, T = Network(**wide, norm=norm), 60
    F = by_output(reference(network, T).matrix, 2).reshape(2 * T, 2 * T)
    factors, plan = factors_of(network, T, "float64"), BlockPlan(pairs=True, kept=True)
    with as_measured():
        surrogate = dual_matrix(network.structure, plan, factors)
        matrix = np.asarray(assemble(network.structure, factors), float)
    assert ((matrix - F) ** 2).sum() < 0.02 * (F**2).sum()
    sums = SUMS["float64"]  # a surrogate's error is not rounding: one precision is enough
    assert float(surrogate.trace) == pytest.approx(np.trace(matrix), rel=sums)
    assert float(surrogate.trace_squared) == pytest.approx((matrix**2).sum(), rel=sums)
    v = np.random.default_rng(0).normal(size=2 * T)
    with as_measured():
        product = np.ravel(surrogate.product(v))
    # 120 terms of either sign cancel to a hundredth of their sum at the worst.
    np.testing.assert_allclose(product, matrix @ v, rtol=100 * sums)


# What is formed, and how large, does not depend on the precision.


@pytest.mark.parametrize("norm", ["none", "layer@hidden+batch@last"])
def test_no_jacobian_is_formed(norm):
    """P T C = 22,940 and P² = 1.3e6; the largest array is one backward signal, T C M = 400."""
    network, T = Network(depth=3, width=20, outputs=2, norm=norm), 10
    parameters, inputs = sample(network, T)
    factors, structure = factors_of(network, T), network.structure
    v = np.ones((network.outputs, T), inputs.dtype)
    sizes = array_sizes(lambda p, x: find_factors(structure, p, x), parameters, inputs)
    sizes += array_sizes(lambda f: reduce_blocks(structure, PLAN, f), factors)
    sizes += array_sizes(lambda f, v: factors_product(structure, f, v), factors, v)
    assert T * network.outputs * network.parameters > 17_000
    assert max(sizes) == T * network.outputs * 20


@pytest.mark.parametrize("norm", ["none", "batch@last"])
def test_the_blocks_of_many_outputs_are_used_one_by_one(norm):
    """(CT)² = 57,600; the largest array is one T×T block, 1,600, or a backward signal, 960."""
    network, T = Network(depth=2, width=4, outputs=6, norm=norm), 40
    factors, structure = factors_of(network, T), network.structure
    v = np.ones((network.outputs, T))
    sizes = array_sizes(lambda f: reduce_blocks(structure, PLAN, f), factors)
    sizes += array_sizes(lambda f, v: factors_product(structure, f, v), factors, v)
    assert max(sizes) == T * T
    whole = array_sizes(lambda f: assemble(structure, f), factors)
    assert max(whole) == (T * network.outputs) ** 2
