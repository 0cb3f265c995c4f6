"""λ_max as expected at finite sizes: limits of few and many samples, moments, kinds."""

import numpy as np
import pytest
from bulk_networks import net, solved
from bulk_reference import sampled
from problems import LINEAR, RELU, TANH

from meanfield.theory.kinds import Kind
from meanfield.theory.white_noise.spectrum import kind_places

pytestmark = pytest.mark.usefixtures("x64")

CENTRED = {**TANH, "weight_var": 1.0, "bias_var": 0.0}
BATCH, MEAN = net(TANH, "batch@last"), net(LINEAR, "mean@last")


def test_a_single_eigenvalue_is_the_mean():
    # Two centred samples leave one eigenvalue.
    found = solved(MEAN, 2)
    assert found.ends.largest == pytest.approx(found.spectrum.bulk, rel=1e-2)


@pytest.mark.parametrize("samples", [2, 3, 5, 20])
def test_the_largest_eigenvalue_is_not_below_the_mean(samples):
    for width in (10, 1600):
        found = solved(net(LINEAR, "mean@last", width=width), samples)
        assert found.spectrum.bulk <= found.ends.largest <= found.ends.edge


def test_finite_networks_end_below_the_edge():
    # E − 1.2065 σ T^{−2/3}: section 11's column for M = T = 400 and 3200
    assert solved(net(CENTRED, width=400), 400).ends.largest == pytest.approx(4.01, rel=3e-3)
    divided = solved(net(TANH, "batch@last", width=3200), 3200).ends
    assert divided.largest == pytest.approx(5.445, rel=3e-3)


def test_without_weights_the_last_layer_is_all():
    found = solved(net({**RELU, "weight_var": 0.0}, width=100), 50)
    h = 100 * 0.1 / 2 + 1  # E φ(b)² and the bias, common to all samples
    assert found.ends.largest == pytest.approx(h, rel=1e-9)
    assert found.ends.edge == pytest.approx(found.spectrum.bulk, abs=1e-9)


@pytest.mark.parametrize("network", [net(RELU), BATCH], ids=["outlier", "edge"])
def test_many_samples_have_a_limit(network):
    many, limit = (solved(network, T).ends for T in (1e9, np.inf))
    for field in ("largest", "edge", "trace_squared"):
        assert np.isfinite(getattr(limit, field))
        # the edge comes to its limit like √(M/T) = 1.3e-3
        np.testing.assert_allclose(getattr(many, field), getattr(limit, field), rtol=1.3e-3)


def test_the_second_moment_is_that_of_sampled_networks():
    M, draws = 100, 200
    network = net(RELU, width=M)
    squares = sampled(network, M, draws, 7).trace_squared
    mean, sem = np.mean(squares), np.std(squares) / np.sqrt(draws)
    found = solved(network, M).ends
    assert abs(found.trace_squared - mean) < 3 * sem + 0.02 * mean
    # Var(B) is in it, of which nothing is in E[B]²
    assert (found.deviation * found.outlier) ** 2 > 0.02 * found.trace_squared


def test_the_second_moment_of_a_bulk_is_that_of_sampled_networks():
    M, draws = 100, 200
    network = net(CENTRED, width=M)
    squares = sampled(network, M, draws, 7).trace_squared
    found, mean = solved(network, M), np.mean(squares)
    assert abs(found.ends.trace_squared - mean) < 3 * np.std(squares) / draws**0.5 + 0.02 * mean
    assert found.ends.trace_squared > 1.3 * M * found.spectrum.bulk**2  # the spread is seen


ODD = {**TANH, "activation": "erf", "bias_var": 0.0}


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        (net(RELU), "outlier"),
        (BATCH, "bulk-edge"),
        (MEAN, "bulk-edge"),
        (net(CENTRED), "bulk-edge"),
        (net(ODD, "layer@last", outputs=6), "lower-bound"),
    ],
    ids=["none", "batch", "mean", "odd", "layer"],
)
def test_what_the_largest_eigenvalue_is_is_known(network, kind):
    assert list(Kind)[int(kind_places(solved(network, 1600).spectrum))] == kind


def test_where_the_law_does_not_reach_the_ends_are_unknown():
    found = solved(net(ODD, "layer@last", outputs=6), 1600)
    assert found.ends.largest == max(found.spectrum.outlier, found.spectrum.bulk)
    assert np.isnan([found.ends.edge, found.ends.lower, found.ends.scale]).all()
