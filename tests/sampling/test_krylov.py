"""The method `krylov`: λ_max to Lanczos' tolerance, and estimates within their errors."""

from functools import partial

import numpy as np
import pytest
from jacobian import (
    EVERY,
    LARGE,
    ROUNDING,
    SAMPLES,
    STATISTICS,
    SUMS,
    figures,
    measure_by,
    reference,
)

from meanfield import Network
from meanfield.sampling import krylov

measure = partial(measure_by, krylov)


@pytest.mark.parametrize(
    ("network", "samples"),
    [(LARGE, SAMPLES), EVERY["none-sin-C4"]],
)
def test_estimates_lie_within_their_standard_errors(network, samples, precision):
    """λ_max by Lanczos to its tolerance; tr F and tr F² within 4 of the reported errors."""
    expected, measured = reference(network, samples), measure(network, samples, precision)
    assert samples * network.outputs > krylov.PROBES
    largest, trace, trace_squared = expected.figures
    assert measured.leading == pytest.approx([largest], rel=STATISTICS[precision])
    assert measured.trace_sem > 0
    assert measured.trace_squared_sem > 0
    assert abs(measured.trace - trace) < 4 * measured.trace_sem
    assert abs(measured.trace_squared - trace_squared) < 4 * measured.trace_squared_sem
    # The errors are small enough to say something.
    assert measured.trace_sem < 0.1 * trace
    assert measured.trace_squared_sem < 0.1 * trace_squared


def test_the_estimate_is_reproducible_and_depends_on_its_key(precision):
    first, again, other = (measure(LARGE, SAMPLES, precision, seed) for seed in (0, 0, 1))
    assert figures(first) == figures(again)
    assert first[3:] == again[3:]
    assert first.trace != other.trace
    assert first.leading == pytest.approx(other.leading, rel=STATISTICS[precision])


def test_several_leading_eigenvalues():
    """As many as asked for, to Lanczos' tolerance; the estimates are deflated by all of them."""
    expected, measured = reference(LARGE, SAMPLES), measure(LARGE, SAMPLES, leading=5)
    tolerance = STATISTICS["float64"]
    np.testing.assert_allclose(measured.leading, expected.eigenvalues[:5], rtol=tolerance)
    assert measured.trace_sem < measure(LARGE, SAMPLES).trace_sem
    assert abs(measured.trace - expected.figures[1]) < 4 * measured.trace_sem
    for count in (50, 99):  # CT = 50: all there are, exactly
        every = measure(LARGE, SAMPLES, leading=count)
        assert figures(every) == pytest.approx(expected.figures, rel=SUMS["float64"])
        assert len(every.leading) == 50


def test_single_precision_agrees():
    """λ_max to float32's Lanczos tolerance; the same probes give the same estimates."""
    double, single = (measure(LARGE, SAMPLES, p) for p in ("float64", "float32"))
    np.testing.assert_allclose(figures(single), figures(double), rtol=1e-4)
    np.testing.assert_allclose(single[3:5], double[3:5], rtol=1e-3)


@pytest.mark.parametrize("name", ["batch@hidden-relu-C1", "mean@1-abs-C1"])
def test_small_systems_are_solved_exactly(name, precision):
    network, T = EVERY[name]
    measured, expected = measure(network, T, precision), reference(network, T)
    assert figures(measured) == pytest.approx(expected.figures, rel=SUMS[precision])
    assert measured.trace_sem == measured.trace_squared_sem == 0
    assert measured.eigenvalues is None


def test_the_whole_spectrum_is_exact_at_any_size(precision):
    expected = reference(LARGE, SAMPLES)
    measured = measure(LARGE, SAMPLES, precision, spectrum=True)
    tolerance = ROUNDING[precision] * expected.eigenvalues[0]
    np.testing.assert_allclose(measured.eigenvalues, expected.eigenvalues, atol=tolerance)
    assert measured.trace == pytest.approx(expected.figures[1], rel=SUMS[precision])
    assert measured.trace_sem == measured.trace_squared_sem == 0


def test_a_network_of_constant_units_has_no_fim_after_centring(precision):
    """F = 0 at T = 8 (the exact path) and T = 64 (Lanczos): means of equal numbers are exact.

    But for the rounding of a rounding: a matrix product in float32 may treat equal rows unequally.
    """
    most = {"float64": 0, "float32": ROUNDING["float32"] ** 2}[precision]
    network = Network(depth=2, width=3, weight_var=0, bias_var=1, norm="mean@last")
    for T in (8, 64):
        assert np.abs(figures(measure(network, T, precision))).max() <= most


def test_every_network_is_served():
    for norm in ("none", "batch@all", "mean@1", "layer@last"):
        assert krylov.supports(Network(depth=3, width=5, outputs=4, norm=norm))
