"""Single pairs of samples against plain double sums, and by hand."""

import numpy as np
import pytest
from exact_averages import trapezoid_gaps
from pair_samples import EVERY, FEW_SAMPLES, STRIPPED, X, kernel

from meanfield.gaussian.angles import split_gap
from meanfield.gaussian.exact_pairs import drops, exact_gaps, radial_factor
from meanfield.spec.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("x64")

SILU = lambda u: (u / (1 + np.exp(-u)), (1 + u / (1 + np.exp(u))) / (1 + np.exp(-u)))  # noqa: E731
TANH = lambda u: (np.tanh(u), 1 - np.tanh(u) ** 2)  # noqa: E731


@pytest.mark.parametrize(("name", "function"), [("tanh", TANH), ("silu", SILU)])
def test_smooth_functions_agree_with_a_plain_double_sum(name, function):
    q, gap = (np.asarray(part) for part in kernel(X[:FEW_SAMPLES]))
    s, t = np.array([(0, 5), (6, 7), (2, 4)]).T
    excess = np.asarray(split_gap(q, gap)[1])[s, t]
    found = exact_gaps(EVERY[name].quadrature, q, s, t, excess)
    for both, *place in zip(found.T, q[s], q[t], gap[s, t], strict=True):
        np.testing.assert_allclose(both, trapezoid_gaps(function, *map(float, place)), rtol=1e-12)


def test_a_gap_is_the_share_of_the_radius_and_the_drop_by_angle():
    # Homogeneous functions: ρ = E[φ(z)²], the drop √(q_s q_t) times the gap at q = 1.
    rule, q = STRIPPED["leaky_relu"].quadrature, np.array([0.5, 4.0, 0.51])
    s, t, excess = np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([0.3, 1.7, 1e-9])
    same = (1 + 0.01**2) / 2
    # φ' differs nowhere along a ray
    np.testing.assert_allclose(radial_factor(rule, q[s], q[t]), [[same] * 3, [0] * 3], atol=1e-13)
    unit = [ACTIVATIONS["leaky_relu"].averages(1.0, e) for e in excess]
    values = [np.sqrt(q[i] * q[j]) * one.value_gap for i, j, one in zip(s, t, unit, strict=True)]
    exact = np.array([values, [one.slope_gap for one in unit]])
    np.testing.assert_allclose(drops(rule, q, s, t, excess), exact, rtol=1e-12)
    across = (np.sqrt(q[s]) - np.sqrt(q[t])) ** 2 / 2
    gaps = exact_gaps(rule, q, s, t, excess)
    np.testing.assert_allclose(gaps, np.add(exact, [across * same, 0 * across]), rtol=1e-12)
