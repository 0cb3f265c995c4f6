import jax
import numpy as np
import pytest
from jacobian import (
    EVERY,
    array_sizes,
    by_output,
    figures,
    reference,
    sample,
)

from meanfield import Network
from meanfield.sampling import dual_matrix as layered
from meanfield.sampling import krylov
from meanfield.sampling.measurement import Request
from meanfield.sampling.networks import forward


def measure(network, samples, dtype="float64", seed=0, **request):
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        parameters, inputs = sample(network, samples, dtype)
        key = jax.random.key(seed)
        return krylov.measure(network, parameters, inputs, key, Request(**request))


LARGE = Network(
    widths=(5, 6, 4),
    outputs=2,
    activation="tanh",
    weight_var=1.8,
    bias_var=0.3,
    norm="batch@hidden",
)
SAMPLES = 25


@pytest.mark.parametrize(
    ("network", "samples"),
    [(LARGE, SAMPLES), EVERY["none-sin-C4"]],
)
def test_estimates_lie_within_their_standard_errors(network, samples):
    """λ_max by Lanczos to its tolerance; tr F and tr F² within 4 of the reported errors."""
    expected, measured = reference(network, samples), measure(network, samples)
    assert samples * network.outputs > krylov.PROBES
    largest, trace, trace_squared = expected.figures
    assert measured.leading == pytest.approx([largest], rel=1e-10)
    assert measured.trace_sem > 0
    assert measured.trace_squared_sem > 0
    assert abs(measured.trace - trace) < 4 * measured.trace_sem
    assert abs(measured.trace_squared - trace_squared) < 4 * measured.trace_squared_sem
    # The errors are small enough to say something.
    assert measured.trace_sem < 0.1 * trace
    assert measured.trace_squared_sem < 0.1 * trace_squared


def moments(matrix, basis, keys, probes=krylov.PROBES, surrogate=None):
    """Estimates and standard errors of tr F and tr F² outside the basis, one row per key."""
    results = []
    with jax.enable_x64(True):
        for key in range(keys):
            signs = krylov.random_signs(len(matrix), probes, "float64", jax.random.key(key))
            results.append(
                krylov.outside_moments(matrix.__matmul__, basis, np.asarray(signs), surrogate)
            )
    return np.array(results).transpose(1, 0, 2)


def top(matrix, count):
    return np.linalg.eigh(matrix)[1][:, ::-1][:, :count]


def outside(matrix, basis):
    projection = np.eye(len(matrix)) - basis @ basis.T
    return projection @ matrix @ projection


def probe_variance(matrix):
    """Var zᵀAz = 2 Σ_{i≠j} A_ij² for random signs z."""
    return 2 * (matrix**2).sum() - 2 * (np.diag(matrix) ** 2).sum()


def surrogate_of(network, samples):
    """The surrogate S of F*, and S as an array."""
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        factors = layered.find_factors(network.structure, *sample(network, samples))
        plan = layered.BlockPlan(pairs=True, kept=True)
        matrix = np.asarray(layered.assemble(network.structure, factors))
        return layered.dual_matrix(network.structure, plan, factors), matrix


WIDE = {"widths": (30, 40, 30), "outputs": 2, "activation": "tanh", "bias_var": 0.3}


@pytest.mark.parametrize("norm", ["batch@hidden", "mean@hidden", "batch@2", "batch@all"])
def test_the_surrogate_is_nearly_the_dual_matrix(norm):
    """Its squared error, over samples of relative order 1/T per entry, is a few percent at most."""
    network, T = Network(**WIDE, norm=norm), 60
    F = by_output(reference(network, T).matrix, 2).reshape(2 * T, 2 * T)
    with jax.enable_x64(True):
        surrogate, matrix = surrogate_of(network, T)
    assert ((matrix - F) ** 2).sum() < 0.02 * (F**2).sum()
    assert float(surrogate.trace) == pytest.approx(np.trace(matrix), rel=1e-12)
    assert float(surrogate.trace_squared) == pytest.approx((matrix**2).sum(), rel=1e-12)
    v = np.random.default_rng(0).normal(size=2 * T)
    with jax.enable_x64(True):
        np.testing.assert_allclose(np.ravel(surrogate.product(v)), matrix @ v, rtol=1e-9)


def test_a_surrogate_leaves_the_estimates_unbiased_and_sharpens_them():
    """Over 200 sets of 2 probes, one with a surrogate that is 20 % off; errors are from above."""
    keys, T, probes = 200, 60, krylov.PROBES_ON_SURROGATE
    network = Network(**WIDE, norm="batch@hidden")
    F = by_output(reference(network, T).matrix, 2).reshape(2 * T, 2 * T)
    basis = top(F, 2)
    exact = [np.trace(outside(F, basis)), (outside(F, basis) ** 2).sum()]
    with jax.enable_x64(True):
        good, _ = surrogate_of(network, T)
        bad = layered.DualMatrix(
            1.2 * good.trace, 1.44 * good.trace_squared, lambda v: 1.2 * good.product(v)
        )
        plain, _ = moments(F, basis, keys, probes=probes)
        for surrogate, gain in ((good, 5), (bad, 1.5)):
            estimates, errors = moments(F, basis, keys, probes=probes, surrogate=surrogate)
            scatter = estimates.std(axis=0)
            assert (np.abs(estimates.mean(axis=0) - exact) < 4 * scatter / keys**0.5).all()
            # A standard deviation over 200 sets scatters by 1/√400 = 5 %, more with heavy tails.
            ratio = np.sqrt((errors**2).mean(axis=0)) / scatter
            assert (ratio > 0.8).all()
            assert (ratio < 2.0).all()
            assert (scatter < plain.std(axis=0) / gain).all()


def test_reported_standard_errors_are_true():
    """Over 200 sets of probes: no bias, errors of size one, and the variance that theory gives."""
    keys, matrix = 200, reference(LARGE, SAMPLES).matrix
    basis = top(matrix, LARGE.outputs)
    rest = outside(matrix, basis)
    estimates, errors = moments(matrix, basis, keys)
    z = (estimates - [np.trace(rest), (rest**2).sum()]) / errors
    # z has about a Student distribution with 31 degrees of freedom, variance 31/29.
    assert np.abs(z.mean(axis=0)).max() < 4 * (31 / 29 / keys) ** 0.5
    assert np.abs(z.std(axis=0) - (31 / 29) ** 0.5).max() < 4 / (2 * keys) ** 0.5
    # Each error² scatters by √(2/31) relative at least, twice that with heavy tails: 0.5/√200.
    variance = (errors[:, 0] ** 2).mean() * krylov.PROBES
    assert variance == pytest.approx(probe_variance(rest), rel=4 * 0.5 / keys**0.5)


def test_deflation_beats_the_plain_estimator():
    """Without a norm one outlier carries most of F: the ratio of errors is known beforehand."""
    matrix = reference(Network(widths=(20, 20, 20), bias_var=0.1), 40).matrix
    basis = top(matrix, 1)
    ratio = (probe_variance(outside(matrix, basis)) / probe_variance(matrix)) ** 0.5
    assert ratio < 0.4
    _, deflated = moments(matrix, basis, 20)
    _, plain = moments(matrix, np.zeros_like(basis), 20)
    measured = (deflated[:, 0].mean()) / plain[:, 0].mean()
    assert measured == pytest.approx(ratio, rel=0.3)  # a mean of 20 errors scatters by 6 % and more
    assert deflated[:, 1].mean() < 0.4 * plain[:, 1].mean()


def test_the_estimate_is_reproducible_and_depends_on_its_key():
    first, again, other = (measure(LARGE, SAMPLES, seed=seed) for seed in (0, 0, 1))
    assert figures(first) == figures(again)
    assert first[3:] == again[3:]
    assert first.trace != other.trace
    assert first.leading == pytest.approx(other.leading, rel=1e-10)


def test_several_leading_eigenvalues():
    """As many as asked for, to Lanczos' tolerance; the estimates are deflated by all of them."""
    expected, measured = reference(LARGE, SAMPLES), measure(LARGE, SAMPLES, leading=5)
    np.testing.assert_allclose(measured.leading, expected.eigenvalues[:5], rtol=1e-10)
    assert measured.trace_sem < measure(LARGE, SAMPLES).trace_sem
    assert abs(measured.trace - expected.figures[1]) < 4 * measured.trace_sem
    for count in (50, 99):  # CT = 50: all there are, exactly
        every = measure(LARGE, SAMPLES, leading=count)
        assert figures(every) == pytest.approx(expected.figures, rel=1e-12)
        assert len(every.leading) == 50


def test_single_precision_agrees():
    """λ_max to float32's Lanczos tolerance; the same probes give the same estimates."""
    double, single = (measure(LARGE, SAMPLES, dtype=d) for d in ("float64", "float32"))
    np.testing.assert_allclose(figures(single), figures(double), rtol=1e-4)
    np.testing.assert_allclose(single[3:5], double[3:5], rtol=1e-3)


@pytest.mark.parametrize("name", ["batch@hidden-relu-C1", "mean@1-abs-C1"])
def test_small_systems_are_solved_exactly(name):
    network, T = EVERY[name]
    measured, expected = measure(network, T), reference(network, T)
    assert figures(measured) == pytest.approx(expected.figures, rel=1e-12)
    assert measured.trace_sem == measured.trace_squared_sem == 0
    assert measured.eigenvalues is None


def test_the_whole_spectrum_is_exact_at_any_size():
    measured, expected = measure(LARGE, SAMPLES, spectrum=True), reference(LARGE, SAMPLES)
    scale = expected.eigenvalues[0]
    np.testing.assert_allclose(measured.eigenvalues, expected.eigenvalues, atol=1e-13 * scale)
    assert measured.trace == pytest.approx(expected.figures[1], rel=1e-12)
    assert measured.trace_sem == measured.trace_squared_sem == 0


def test_a_network_of_constant_units_has_no_fim_after_centring():
    """F = 0 at T = 8 (the exact path) and T = 64 (Lanczos): means of equal numbers are exact."""
    network = Network(depth=2, width=3, weight_var=0, bias_var=1, norm="mean@last")
    for T in (8, 64):
        assert figures(measure(network, T)) == (0, 0, 0)


def test_every_network_is_served():
    for norm in ("none", "batch@all", "mean@1", "layer@last"):
        assert krylov.supports(Network(depth=3, width=5, outputs=4, norm=norm))


@pytest.mark.parametrize("norm", ["none", "batch@all"])
def test_no_jacobian_is_formed(norm):
    """P T C = 17,640 and P² = 777,924; the largest arrays are weights, 400, and here (CT)², 400."""
    network, T = Network(depth=3, width=20, outputs=2, norm=norm), 10
    parameters, inputs = sample(network, T)
    structure, v = network.structure, np.ones((network.outputs, T))

    def product(parameters, inputs, v):
        return krylov.apply(krylov.linearize(structure, parameters, inputs), v)

    sizes = array_sizes(product, parameters, inputs, v)
    sizes += array_sizes(lambda *a: krylov.materialize(structure, *a), parameters, inputs)
    assert network.parameters * T * network.outputs == 17_640
    assert max(sizes) == 400


def test_the_count_of_arrays_would_see_a_jacobian():
    """The control of the test above."""
    network, T = Network(depth=3, width=20, outputs=2), 10
    parameters, inputs = sample(network, T)

    def jacobian(parameters, inputs):
        return jax.jacrev(lambda p: forward(network.structure, p, inputs).outputs)(parameters)

    assert max(array_sizes(jacobian, parameters, inputs)) >= T * network.outputs * 400
