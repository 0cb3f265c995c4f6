"""λ_max of few eigenvalues, and of several outputs against sampled networks."""

import numpy as np
import pytest
from bulk_networks import net, solved
from problems import RELU, TANH

from meanfield.theory.outputs import largest_quantiles
from meanfield.theory.white_noise.bulk.expected import expected_edge
from meanfield.theory.white_noise.bulk.largest import Edge
from meanfield.theory.white_noise.notes import expected_error

pytestmark = pytest.mark.usefixtures("x64")

# theory.md section 11.5: C outputs, M = T. The mean over networks with its standard error, and the
# 10 and 90 % quantiles, which 40 to 60 networks know to 3 %.
SEVERAL = [
    (net({**RELU, "outputs": 10}, width=300), 277.6, 3.4, (248.4, 300.7)),
    (net({**TANH, "outputs": 10}, "mean@last", width=300), 7.315, 0.060, (6.78, 7.79)),
    (net({**TANH, "outputs": 4}, "batch@last", width=400), 6.173, 0.057, (5.73, 6.68)),
]


@pytest.mark.parametrize("count", [3, 10, 30])
def test_few_eigenvalues_have_the_mean_of_a_symmetric_gaussian_matrix(count):
    # Of the semicircle on ±2, whose σ is 1; 4000 draws know it to 0.01.
    A = np.random.default_rng(0).standard_normal((4000, count, count))
    symmetric = (A + A.transpose(0, 2, 1)) / np.sqrt(2 * count)
    expected = np.linalg.eigvalsh(symmetric)[:, -1].mean()
    found = float(expected_edge(Edge(2.0, 1.0, 0.5), 0.0, float(count)))
    assert found == pytest.approx(expected, abs=0.01 + 0.4 / count**2)


@pytest.mark.parametrize(
    ("network", "mean", "sem", "outer"), SEVERAL, ids=["none", "mean", "batch"]
)
def test_the_largest_of_several_outputs_is_that_of_networks(network, mean, sem, outer):
    found = solved(network, network.width).ends
    told = expected_error(network)  # to users
    assert abs(found.largest - mean) < 2 * sem + min(0.01, told) * mean
    low, _, high = largest_quantiles(found.largest, found.deviation, found.own_scale)
    np.testing.assert_allclose([low, high], outer, rtol=0.06)


@pytest.mark.parametrize(("deviation", "scale"), [(0.1, 0.2), (0.0, 100.0), (3.0, 1e6)])
def test_quantiles_are_ordered_and_positive_however_far_apart(deviation, scale):
    low, middle, high = largest_quantiles(2.0, deviation, scale)
    assert 0 <= low <= middle <= high
