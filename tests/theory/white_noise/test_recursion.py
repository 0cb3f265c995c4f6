"""The layer recursion against hand-written ones: section 2, and 60 digits where gaps vanish."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_averages import lattice_pair, reference_averages
from mpmath import mp, mpf
from problems import ANCHORS, assert_printed

from meanfield.spec.activations import ACTIVATIONS, Activation
from meanfield.spec.network import Network
from meanfield.theory.white_noise.recursion import Code, Numbers, solve, solve_both
from meanfield.theory.white_noise.spectrum import prepare_network, solve_network, spectrum

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("name", ANCHORS)
def test_kappas_are_the_anchors(name):
    anchor = ANCHORS[name]
    network = Network(depth=3, width=200, **anchor.setting)
    found = spectrum(network, 100)
    assert_printed(found.kappa1, anchor.kappa1)
    assert_printed(found.kappa2, anchor.kappa2)
    assert network.alpha == 2


def section_2(network):
    """q̂ and q̃ of theory.md section 2, one number and one line at a time, for t and for st."""
    name, w, b = network.activation.name, network.weight_var, network.bias_var
    hat, slopes = [(1.0, 0.0)], []
    for _ in range(network.depth - 1):
        q, q_st = (w * x + b for x in hat[-1])
        value, value_gap, slope, slope_gap = map(float, reference_averages(name, q, q - q_st))
        hat.append((value, value - value_gap))
        slopes.append((slope, slope - slope_gap))
    tilde = [(1.0, 1.0)]
    for slope in reversed(slopes):
        tilde.insert(0, tuple(w * x * s for x, s in zip(tilde[0], slope, strict=True)))
    return np.array(hat), np.array(tilde)


@pytest.mark.parametrize("name", ["relu", "erf", "tanh"])
def test_plain_networks_follow_section_2(name):
    network = Network(widths=[40, 70, 30], activation=name, weight_var=1.3, bias_var=0.2, outputs=6)
    hat, tilde = section_2(network)
    here = solve_network(network, 25.0).solution
    # 1e-12: a hundred roundings, and a grid that is exact to rounding at these variances
    for part, at in (("same", 0), ("cross", 1)):
        np.testing.assert_allclose(getattr(here.layers.Q, part), hat[1:, at], rtol=1e-12)
        np.testing.assert_allclose(getattr(here.backward, part), tilde[:, at], rtol=1e-12)
    widths = np.array(network.widths)[:, None]
    kappa1, kappa2 = (widths / network.width * hat * tilde).sum(0) / network.alpha
    A, B = ((widths * hat + 1) * tilde).sum(0)
    found = spectrum(network, 25.0)
    T, C, P = 25, 6, network.parameters
    outlier, bulk = (A + (T - 1) * B) / T, (A - B) / T
    expected = {
        "kappa1": kappa1,
        "kappa2": kappa2,
        "eigenvalue_mean": C * A / P,
        "bulk": bulk,
    }
    for field, value in expected.items():
        np.testing.assert_allclose(getattr(found, field), value, rtol=1e-12, err_msg=field)
    readout = solve_network(network, 25.0).readout
    np.testing.assert_allclose(readout.outlier, outlier, rtol=1e-12)
    second_moment = C * (outlier**2 + (T - 1) * bulk**2)
    np.testing.assert_allclose(readout.trace_squared, second_moment, rtol=1e-12)


def erf_pair(q, cross):
    """Williams' arcsine kernel and its derivative."""
    value = 2 / mp.pi * mp.asin(2 * cross / (1 + 2 * q))
    return value, 4 / mp.pi / mp.sqrt((1 + 2 * q) ** 2 - 4 * cross**2)


def tanh_pair(q, cross):
    """E[φφ], E[φ'φ'] of tanh: the gap is 1e-23 of q at its smallest, and needs 7 digits."""
    return lattice_pair("tanh", q, cross, digits=34)


def recursion_in_many_digits(pair, weight_var, bias_var, depth, width):
    """(S, K) of the output layer as (t, st) pairs; the gap q_t − q_st of every layer."""
    w, b = mpf(weight_var), mpf(bias_var)
    S, K, gaps = (w + b, b), (mpf(width + 1), mpf(1)), []
    for _ in range(depth - 1):
        gaps.append(S[0] - S[1])
        (value, slope), (value_st, slope_st) = pair(S[0], S[0]), pair(*S)
        K = width * value + 1 + w * slope * K[0], width * value_st + 1 + w * slope_st * K[1]
        S = w * value + b, w * value_st + b
    gaps.append(S[0] - S[1])
    return S, K, gaps


ORDERED = {  # every gap ends below 1e-20, next to a variance of O(0.1)
    "erf closed form": (ACTIVATIONS["erf"], erf_pair, 0.15),
    "erf by quadrature": (Activation("erf", ACTIVATIONS["erf"].function), erf_pair, 0.15),
    "tanh by quadrature": (ACTIVATIONS["tanh"], tanh_pair, 0.2),
}


@pytest.mark.parametrize("route", ORDERED)
def test_gaps_and_last_layer_batch_norm_survive_the_ordered_phase(route):
    activation, pair, weight_var = ORDERED[route]
    depth, width, T = 30, 200, 300
    with mp.workdps(60):
        S, K, gaps = recursion_in_many_digits(pair, weight_var, 0.05, depth, width)
        assert gaps[-1] < mpf("1e-20")
        # K̄ = r d (1 − 2/T)(1, −1/(T−1)) with r = T/((T−3) g), λ_2 = (A − B)/T: section 3
        A = T / ((T - 3) * (S[0] - S[1])) * (K[0] - K[1]) * (1 - mpf(2) / T)
        largest = float(A * (1 + mpf(1) / (T - 1)) / T)
        gaps = np.array([float(g) for g in gaps])
    network = Network(
        depth=depth,
        width=width,
        activation=activation,
        weight_var=weight_var,
        bias_var=0.05,
        norm="batch@last",
    )
    solved = prepare_network(network, float(T))
    found = np.append(solved.solution.layers.S.gap, solved.solution.S.gap)
    np.testing.assert_allclose(found, gaps, rtol=1e-6)
    np.testing.assert_allclose(solved.readout.bulk, largest, rtol=1e-6)


def traced_recursion(depth):
    """The traced program with every number in it, array sizes above all, replaced by a mark."""
    network = Network(depth=depth, width=100, activation="relu", norm="batch@hidden")
    numbers = jax.tree.map(jnp.asarray, Numbers.of(network, 50.0))

    def traced(numbers):
        return solve(Code.of(network), network.activation, numbers, jnp.ones(()))

    program = str(jax.make_jaxpr(traced)(numbers))
    return re.sub(r"\d+", "N", re.sub(r"\s+", "", program))


def test_compilation_does_not_grow_with_depth():
    assert traced_recursion(50) == traced_recursion(5)
    assert len(traced_recursion(5)) > 1000  # it is the recursion that was traced


def test_a_network_of_one_layer_has_no_hidden_records():
    network = Network(depth=1, width=30, weight_var=1.5, bias_var=0.3)
    here, leading = solve_both(Code.of(network), network.activation, Numbers.of(network, 10.0))
    assert here.layers.S.same.shape == (0,)
    assert jax.tree.leaves(here.K) == [31.0, 30.0, 10.0]  # K = M_0 Q⁰ + 1
    assert jax.tree.leaves(leading.K) == [30.0, 30.0, np.inf]
    np.testing.assert_allclose(here.S.same, 1.8, rtol=1e-15)
    assert here.error == 0
