"""The classes of backward weights: what of χ²_C they keep, and that they end with one unit."""

import numpy as np
import pytest
from scipy.stats import chi2

from meanfield.theory.white_noise.backward_weights import backward_weights, even_weights

CASES = [(1, 50.0), (1, 1e4), (4, 300.0), (10, 1e9)]


@pytest.mark.parametrize(("C", "width"), CASES)
def test_the_moments_are_those_of_the_chi_square_law(C, width):
    values, probability = backward_weights(C, width)
    assert (values >= 0).all()
    assert probability.sum() == pytest.approx(1, rel=1e-12)
    assert probability @ values == pytest.approx(C, rel=1e-12)
    # Of the variance only the spread within the last class is lost: that of one unit beyond x.
    x = chi2.isf(1 / width, C)
    tail = [chi2.expect(lambda u, k=k: u**k, (C,), lb=x) * width for k in (1, 2)]
    lost = (tail[1] - tail[0] ** 2) / width
    variance = probability @ values**2 - C**2
    assert variance == pytest.approx(2 * C - lost, rel=1e-6)  # of the tail's quadrature


@pytest.mark.parametrize(("C", "width"), CASES)
def test_the_last_class_is_the_largest_unit(C, width):
    values, probability = backward_weights(C, width)
    assert probability[-1] == pytest.approx(1 / width, rel=1e-9)
    assert values.argmax() == len(values) - 1
    x = chi2.isf(1 / width, C)
    assert values[-1] == pytest.approx(chi2.expect(None, (C,), lb=x) * width, rel=1e-6)


@pytest.mark.parametrize("C", [1, 4])
def test_means_of_smooth_functions_need_few_bins(C):
    few, many = backward_weights(C, 1e3), backward_weights(C, 1e3, bins=400)
    for strength in (0.1, 1.0):  # the law's functions of γ² are such fractions
        means = [p @ (x / (1 + strength * x)) for x, p in (few, many)]
        assert means[0] == pytest.approx(means[1], rel=2e-3)


@pytest.mark.parametrize("width", [1.0, 2.0])
def test_layers_of_one_or_two_units_have_classes_too(width):
    values, probability = backward_weights(1, width)
    assert (probability > 0).all()
    assert probability @ values == pytest.approx(1, rel=1e-12)


def test_even_weights_have_the_mean_of_all_and_no_large_ones():
    for C in (1, 10):
        ((values, shares),) = even_weights(C, 1)
        assert shares.sum() == pytest.approx(1, rel=1e-12)
        assert values @ shares == pytest.approx(C, rel=1e-12)
        assert values.max() < C + 2.5 * np.sqrt(2 * C) / 2**0.5
