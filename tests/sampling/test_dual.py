"""The method `dual`: exact statistics from the dual matrix."""

from functools import partial

import numpy as np
import pytest
from jacobian import (
    PER_SAMPLE,
    STATISTICS,
    figures,
    measure_by,
    reference,
)

from meanfield import Network, simulate
from meanfield.sampling import dual

measure = partial(measure_by, dual)

# One network of each kind: that each has its matrix right is `test_dual_matrix`'s.
KINDS = (
    "none-relu-C1",
    "none-relu-C4",
    "none-sin-C4",
    "batch@last-abs-C1",
    "batch@last-leaky_relu-C4",
    "layer@last-tanh-C4",
    "layer@hidden+batch@last-erf-C4",
)
SINGLE = (KINDS[0], KINDS[4])


@pytest.mark.parametrize(
    ("name", "precision"),
    [(name, "float64") for name in KINDS] + [(name, "float32") for name in SINGLE],
)
def test_the_statistics_are_those_of_the_brute_force_jacobian(name, precision):
    network, T = PER_SAMPLE[name]
    expected = pytest.approx(reference(network, T).figures, rel=STATISTICS[precision])
    assert figures(measure(network, T, precision)) == expected


@pytest.mark.parametrize("outputs", [1, 3])
def test_one_sample_has_its_gram_matrix(outputs, precision):
    network = Network(widths=(5, 6, 4), outputs=outputs, activation="tanh", bias_var=0.3)
    expected = pytest.approx(reference(network, 1).figures, rel=STATISTICS[precision])
    assert figures(measure(network, 1, precision)) == expected


@pytest.mark.parametrize(
    ("outputs", "spectrum", "precision"),
    [(1, False, "float64"), (4, True, "float64"), (4, False, "float32"), (1, True, "float32")],
)
def test_a_network_of_constant_units_has_no_fim_after_centring(outputs, spectrum, precision):
    """σ_w² = 0 makes every hidden unit constant over samples, exactly: F = 0."""
    network = Network(depth=3, width=4, outputs=outputs, weight_var=0, bias_var=1, norm="mean@last")
    # 8: means of equal numbers are exact
    assert figures(measure(network, 8, precision, spectrum=spectrum)) == (0, 0, 0)


def test_the_statistics_agree_with_the_whole_spectrum(precision):
    network, T = PER_SAMPLE["batch@last-leaky_relu-C4"]
    without, whole = (measure(network, T, precision, spectrum=s) for s in (False, True))
    assert without.eigenvalues is None
    assert whole.eigenvalues.shape == (T * network.outputs,)
    np.testing.assert_allclose(figures(without), figures(whole), rtol=STATISTICS[precision])
    for measured in (whole, without):
        assert measured.trace_sem == measured.trace_squared_sem == 0


@pytest.mark.parametrize("outputs", [1, 4])
def test_several_leading_eigenvalues(outputs, precision):
    """As many as asked for, descending, to Lanczos' tolerance; all there are where more are."""
    network, T = PER_SAMPLE[f"none-relu-C{outputs}"]
    expected = reference(network, T).eigenvalues
    tolerance = STATISTICS[precision] * expected[0]
    for count in (1, 3, T * outputs - 1, T * outputs, 99):
        leading = measure(network, T, precision, leading=count).leading
        np.testing.assert_allclose(leading, expected[:count], atol=tolerance)


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


# Exactness is the point of these two, and so float64.


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
