"""What the overlap of the mean gradient with the bulk adds to an outlier: print and samples."""

import numpy as np
import pytest
from bulk_networks import net, situation, solved
from bulk_reference import sampled
from problems import LINEAR, RELU, TANH

pytestmark = pytest.mark.usefixtures("x64")

M, DRAWS, SEED = 100, 200, 7
NETWORK = net(RELU, width=M)
# theory.md section 11, T = M: z(x_1). The last is near the bulk's edge.
PRINTED = [
    (RELU, 60, "54.95"),
    (RELU, 400, "328.0"),
    (RELU, 100, "87.07"),
    (TANH, 60, "18.3"),
    (TANH, 400, "98.91"),
    (TANH, 100, "27.76"),
    ({**TANH, "bias_var": 0.02}, 300, "8.53"),
]


@pytest.mark.parametrize(("setting", "width", "place"), PRINTED)
def test_the_outlier_is_where_the_print_says(setting, width, place):
    found = solved(net(setting, width=width), width).ends
    assert found.is_outlier
    unit = 10.0 ** -len(place.partition(".")[2])
    assert found.outlier == pytest.approx(float(place), abs=0.8 * unit)  # classes of units differ


@pytest.mark.parametrize("bias_var", [1e-6, 0.1])
def test_one_linear_layer_has_the_variances_by_hand(bias_var):
    # K_st = h_s·h_t + 1 + (x_s·x_t + 1)|w|², h = W x + b: B = |b|² + 1 + |w|², a = b·W x.
    M, w = 100, 1.5
    setting = {**LINEAR, "weight_var": w, "bias_var": bias_var}
    found = situation(net(setting, depth=2, width=M), 1e6)
    assert float(found.common) == pytest.approx(M * bias_var + 1 + w, rel=1e-4)  # −1/T of a gap
    of_networks = 2 * M * bias_var**2 + 2 * w**2 / M
    assert float(found.common_varies.alone * found.common**2) == pytest.approx(
        of_networks, rel=1e-6
    )
    assert float(found.overlap) == pytest.approx(M * bias_var * w, rel=1e-6)


def test_the_largest_eigenvalue_is_that_of_sampled_networks():
    values, network = sampled(NETWORK, M, DRAWS, SEED).largest, NETWORK
    mean, sem = np.mean(values), np.std(values) / np.sqrt(DRAWS)
    # The mean of B itself has an unknown correction of 1/M: 1.5 % at M = 100 (section 11).
    assert abs(solved(network, M).ends.largest - mean) < 3 * sem + 0.02 * mean


def test_the_strength_of_the_outlier_varies_as_in_sampled_networks():
    common = sampled(NETWORK, M, DRAWS, SEED).common
    deviation = np.sqrt(situation(NETWORK, M).common_varies.alone)
    # 200 draws know a deviation to 1/√400 = 5 %
    assert np.std(common) / np.mean(common) == pytest.approx(float(deviation), rel=3 * 0.05)


def test_without_a_common_direction_nothing_overlaps():
    for network in (net({**TANH, "bias_var": 0.0}), net(TANH, "batch@last")):
        here = situation(network, 1600)
        # nothing but the bias block, 1/T of the rest, is left
        assert here.overlap < 1e-3 * here.bulk.mean**2
        assert not solved(network, 1600).ends.is_outlier
