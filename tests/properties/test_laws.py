"""Laws that hold exactly, of random networks: by the theory, and of sampled ones.

With σ_b = 0 and σ_w² → c σ_w² every weight matrix is √c times what it was.
"""

import jax
import numpy as np
import pytest
from fuzzing import count, some, tries
from hypothesis import given
from hypothesis import strategies as st
from jacobian import STATISTICS, as_measured, figures, reference, sample
from random_networks import FACTORS, Kind, kinds, usual_networks

from meanfield.sampling import dual, krylov
from meanfield.sampling.measurement import Request
from meanfield.spec.activations import ACTIVATIONS
from meanfield.spec.network import Network
from meanfield.spec.norms import NORMS, UNITS
from meanfield.theory.predict import predict

LINES = ("none", "mean", "layer-mean")  # linear maps of the pre-activations
DIVIDING = tuple(name for name, norm in NORMS.items() if norm.divide)
# φ(cu) = c φ(u), and E[φ(u)²]/E[u²] = E[φ'(u)²]
HOMOGENEOUS = {"linear": 1.0, "abs": 1.0, "relu": 0.5}
SAMPLES = st.integers(4, 3000)
PRECISE = 1e-8  # averages by quadrature are this good at usual variances


def changed(network, **fields):
    """The network with other values of some fields."""
    given = {name: getattr(network, name) for name in ("widths", "outputs", "activation", "norms")}
    return Network(**{**given, "weight_var": network.weight_var, **fields})


def homogeneous_kinds(number):
    chosen = [("linear", "none", 6, 3), ("relu", "none", 1, 3)]
    rng = np.random.default_rng(0)
    while len(chosen) < number:
        names, norms, outputs, depths = list(HOMOGENEOUS), LINES, (2, 3, 10), (1, 2, 4, 8)
        chosen.append(tuple(rng.choice(x).item() for x in (names, norms, outputs, depths)))
    return [Kind(ACTIVATIONS[name], *rest) for name, *rest in dict.fromkeys(chosen[:number])]


HOMOGENEOUS_KINDS = homogeneous_kinds(some(1, 16))


@pytest.mark.parametrize("kind", [k for k in HOMOGENEOUS_KINDS if k.depth > 1], ids=str)
@tries(5, 40)
@given(st.data(), FACTORS, SAMPLES)
def test_kappas_of_homogeneous_networks_scale_as_the_weights(kind, data, factor, T):
    """Every weight's share of F ∝ c^{L−1}: the leading order has no other."""
    network = data.draw(usual_networks(kind, list(LINES)))
    count("laws")
    before, after = (predict(changed(network, weight_var=c), T) for c in (1.0, factor))
    expected = np.array([before.kappa1, before.kappa2]) * factor ** (kind.depth - 1)
    np.testing.assert_allclose([after.kappa1, after.kappa2], expected, rtol=PRECISE)


@pytest.mark.parametrize("kind", [k for k in HOMOGENEOUS_KINDS if k.last == "none"], ids=str)
@tries(5, 40)
@given(st.data(), FACTORS, SAMPLES)
def test_means_of_homogeneous_networks_are_those_by_hand(kind, data, factor, T):
    """A = Σ_l (M_{l−1} c^{l−1} + 1) c^{L−l},   c = σ_w² E[φ(u)²]/E[u²]."""
    network = changed(data.draw(usual_networks(kind, ["none"])), weight_var=factor)
    count("laws")
    c, L = factor * HOMOGENEOUS[kind.activation.name], kind.depth
    # the last layer's own φ has no part in it: L − 1 activations, L weight matrices
    shares = [
        M * factor ** (L - 1) * HOMOGENEOUS[kind.activation.name] ** (L - 1) + c ** (L - 1 - i)
        for i, M in enumerate(network.widths)
    ]
    p = predict(network, T)
    assert p.diagonal == pytest.approx(sum(shares), rel=PRECISE)
    expected = kind.outputs * p.diagonal / network.parameters
    assert p.eigenvalue_mean == pytest.approx(expected, rel=PRECISE)


FEW_OUTPUTS = [k for k in kinds(some(1, 40), seed=2) if k.outputs < 10**6]


def dividing(kind):
    """The kind, and how F scales with c where every hidden layer divides: F ∝ 1/c or as before."""
    return kind, -1 if kind.last in DIVIDING else 0


SCALED = [k for k in FEW_OUTPUTS if k.depth > 1 or k.last in DIVIDING]
ALIKE = [k for k in FEW_OUTPUTS if NORMS[k.last].divide is not UNITS]


@pytest.mark.parametrize("kind", SCALED, ids=str)
@tries(5, 30)
@given(st.data(), FACTORS, SAMPLES)
def test_norms_that_divide_take_the_scale_of_the_weights_out(kind, data, factor, T):
    kind, power = dividing(kind)
    network = data.draw(usual_networks(kind, list(DIVIDING)))
    count("laws")
    before, after = (predict(changed(network, weight_var=c), T) for c in (1.0, factor))
    for name, degree in [
        ("eigenvalue_max", 1), ("eigenvalue_mean", 1), ("eigenvalue_second_moment", 2)
    ]:  # fmt: skip
        was, now = getattr(before, name), getattr(after, name)
        assert (was is None) == (now is None)
        if was is not None:
            assert now == pytest.approx(was * factor ** (degree * power), rel=1e-6), name
    assert before.eigenvalue_max_kind == after.eigenvalue_max_kind


@pytest.mark.parametrize("kind", ALIKE, ids=str)
@tries(5, 30)
@given(st.data(), SAMPLES)
def test_the_trace_is_that_of_every_output(kind, data, T):
    """C directions, or one less, carry A each; A and B are those of any number of outputs."""
    network = data.draw(usual_networks(kind, list(NORMS), bias_var=0.3))
    count("laws")
    p, more = predict(network, T), predict(changed(network, outputs=7, bias_var=0.3), T)
    for q in (p, more):
        free = q.network.outputs - NORMS[kind.last].lost_directions
        assert q.eigenvalue_mean * q.parameters == pytest.approx(free * q.diagonal, rel=PRECISE)
    assert (p.diagonal, p.off_diagonal) == pytest.approx((more.diagonal, more.off_diagonal))


# Given inputs: every T is compiled, so that there are few.
def inputs(samples, dimension):
    seeds = st.integers(0, 2**32 - 1)
    return seeds.map(lambda s: np.random.default_rng(s).normal(size=(samples, dimension)))


GIVEN_KINDS = [
    Kind(ACTIVATIONS[name], last, C, depth)
    for name, last, C, depth in [
        ("erf", "mean", 6, 3), ("relu", "none", 1, 2), ("tanh", "layer-mean", 3, 4),
        ("sin", "none", 2, 1), ("relu", "mean", 2, 3), ("linear", "layer-mean", 4, 3),
    ]
]  # fmt: skip


@pytest.mark.parametrize("kind", GIVEN_KINDS[: some(1, 6)], ids=str)
@tries(3, 40)
@given(st.data(), inputs(4, 3), st.permutations(range(4)))
def test_permuted_and_duplicated_samples_have_the_same_spectrum(kind, data, x, order):
    """Permuted: the same eigenvalues; every sample twice: the same ones, and as many zeros."""
    network = data.draw(usual_networks(kind, list(NORMS), bias_var=0.3))
    network = changed(network, widths=[3, *network.widths[1:]], bias_var=0.3)
    count("laws")
    options = {"batch_statistics": "self-averaging"}  # not sampled, the law is exact
    expected, permuted = (predict(network, inputs=i, **options) for i in (x, x[order]))
    largest = expected.eigenvalues[0]
    np.testing.assert_allclose(
        permuted.eigenvalues, expected.eigenvalues, atol=PRECISE * largest, rtol=0
    )
    if any(norm.divide for norm in network.norm_records if norm.mixes_samples):
        return  # the law of a finite batch, 1 − 2/T, is not that of the double one
    twice = predict(network, inputs=np.repeat(x, 2, axis=0), **options).eigenvalues
    np.testing.assert_allclose(twice[:4], expected.eigenvalues, atol=PRECISE * largest, rtol=0)
    np.testing.assert_allclose(twice[4:], 0, atol=PRECISE * largest)


# Sampled networks: every structure and size is compiled.
SAMPLED = [
    (Kind(ACTIVATIONS[name], last, C, 3), hidden)
    for name, last, C, hidden in [
        ("tanh", "none", 2, ["none", "none"]), ("relu", "batch", 2, ["layer", "none"]),
        ("erf", "mean", 4, ["batch", "rms"]), ("silu", "layer", 4, ["none", "layer"]),
        ("softplus", "rms", 3, ["mean", "none"]), ("leaky_relu", "none", 1, ["batch", "batch"]),
        ("sin", "layer-mean", 3, ["layer-mean", "none"]), ("linear", "none", 3, ["none", "rms"]),
    ]
]  # fmt: skip


@pytest.mark.parametrize(("kind", "hidden"), SAMPLED[: some(1, 8)], ids=str)
@tries(1, 25)
@given(st.floats(0.3, 3), st.floats(0, 1), st.integers(0, 2**32))
def test_every_method_measures_the_brute_force_spectrum(kind, hidden, weight_var, bias_var, seed):
    network = Network(
        activation=kind.activation,
        widths=(5, 6, 4),
        outputs=kind.outputs,
        norms=[*hidden, kind.last],
        weight_var=weight_var,
        bias_var=bias_var,
    )
    T = 7
    expected = reference(network, T, seed).figures
    count("sampled networks")
    for method in (dual, krylov):
        if method.supports(network):
            for precision, tolerance in STATISTICS.items():
                measured = measured_by(method, network, T, precision, seed)
                assert measured == pytest.approx(expected, rel=10 * tolerance)


def measured_by(method, network, samples, precision, seed):
    with as_measured():
        drawn = sample(network, samples, precision, seed)
        return figures(method.measure(network, *drawn, jax.random.key(seed), Request()))
