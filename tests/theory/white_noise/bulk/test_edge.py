"""The ends of the bulk: printed values, limits, invariances."""

import numpy as np
import pytest
from bulk_networks import net, solved
from problems import LINEAR, RELU, TANH

pytestmark = pytest.mark.usefixtures("x64")


def ends(network, samples=None):
    return solved(network, samples or network.width).ends


@pytest.mark.parametrize(
    ("depth", "edge"), [(3, 18.15157), (4, 28.633)]
)  # theory.md section 11; also a rational parametrization
def test_linear_networks_have_the_printed_edge(depth, edge):
    found = ends(net(LINEAR, "mean@last", depth=depth))
    assert found.edge == pytest.approx(edge, rel=3e-6)
    assert found.lower == pytest.approx(0, abs=1e-6)  # the densities' hard end
    no_bias = ends(net({**LINEAR, "bias_var": 0.0}, "mean@last", depth=depth))
    # σ_b² moves units alike, but for the bias block: 1/T of the rest
    assert no_bias.edge == pytest.approx(found.edge, rel=1e-12)


# At T = M → ∞; the largest backward weight's class depends on the width, hence 0.3 %.
PRINTED = [
    (net(TANH), 6.204),
    (net(RELU), 9.141),
    (net({**TANH, "weight_var": 1.0, "bias_var": 0.0}), 4.110),
    (net(TANH, "batch@last"), 5.471),
    (net(RELU, norm="mean@hidden", depth=4), 6.360),
]


@pytest.mark.parametrize(("network", "edge"), PRINTED, ids=str)
def test_edges_are_those_in_print(network, edge):
    assert ends(network).edge == pytest.approx(edge, rel=3e-3)


def test_batch_norm_divides_the_edge_by_the_outputs_variance():
    # ReLU batch@all in print is 7.040: that of the hidden norms over v = q^L_t − q^L_st.
    found = solved(net(RELU, norm="batch@hidden"), 1600)
    assert found.ends.edge / float(found.solution.S.gap) == pytest.approx(7.040, rel=3e-3)


def test_more_outputs_raise_the_edge_by_little():
    one, four = (ends(net(RELU, outputs=C, width=400)).edge for C in (1, 4))
    assert 1 < four / one < 1.05  # their square root grows with C from depth 4 on


def test_few_samples_leave_a_semicircle():
    # E → λ_2 + 2 √R'(0), the next term R''(0)/2R'(0) being of order λ_2 T/M.
    few = solved(net(RELU, width=10**6), 100)
    expected = few.spectrum.bulk + 2 * np.sqrt(few.ends.variance)
    assert few.ends.edge == pytest.approx(expected, rel=1e-3)
    assert few.ends.lower == pytest.approx(
        few.spectrum.bulk - 2 * np.sqrt(few.ends.variance), rel=1e-3
    )


def test_many_samples_leave_a_constant():
    found = solved(net(TANH), 1600 * 10_000)
    assert found.ends.edge == pytest.approx(3.29, rel=2e-3)
    assert found.spectrum.bulk < 1e-3


@pytest.mark.parametrize("samples", [800, 1600, 6400])
def test_the_edges_enclose_the_mean(samples):
    for setting in (RELU, TANH):
        found = solved(net(setting), samples)
        assert 0 < found.ends.lower < found.spectrum.bulk < found.ends.edge


def test_the_lower_end_is_followed_far_down():
    # 4 M samples: more than there are features, so that many eigenvalues are r.
    found = solved(net(RELU, "mean@hidden", depth=4, width=100), 400)
    rest = found.spectrum.bulk - found.ends.lower
    assert 0 < rest < found.spectrum.bulk
    linear = ends(net(LINEAR, "mean@last", depth=4, width=100), 400)
    assert linear.lower == pytest.approx(0, abs=1e-9)
    assert linear.lower >= 0


@pytest.mark.parametrize("setting", [LINEAR, RELU], ids=["linear", "relu"])
def test_the_weights_scale_all_eigenvalues_of_a_homogeneous_network(setting):
    norm = "mean@last" if setting is LINEAR else "none"
    one, doubled = (
        ends(net({**setting, "weight_var": w, "bias_var": 0.0}, norm)) for w in (1.0, 2.0)
    )
    # K has L − 1 = 2 factors of σ_w² in every term; the bias block, 1/T of them, does not.
    for field in ("edge", "scale"):
        assert getattr(doubled, field) == pytest.approx(4 * getattr(one, field), rel=2e-3)


def test_batch_norm_takes_the_scale_of_weights_out():
    one, doubled = (
        ends(net({**RELU, "weight_var": w, "bias_var": 0.0}, "batch@hidden")) for w in (1.0, 2.0)
    )
    assert doubled.edge == pytest.approx(one.edge, rel=2e-3)  # but for the bias block, 1/T
