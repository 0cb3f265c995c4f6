"""The density of the bulk: its moments, a closed form, and its quantiles."""

import numpy as np
import pytest
from bulk_networks import net, solved
from problems import RELU

from meanfield.theory.white_noise.bulk.spectrum import BulkSpectrum

pytestmark = pytest.mark.usefixtures("x64")


def bulk(network, samples):
    found = solved(network, samples)
    e = found.ends
    numbers = {"variance": e.variance, "edge": e.edge, "lower": e.lower, "scale": e.scale}
    numbers = {name: float(value) for name, value in numbers.items()}
    mean = float(found.spectrum.bulk)
    return BulkSpectrum(network=network, samples=samples, mean=mean, **numbers)


@pytest.fixture(scope="module")
def square():
    return bulk(net(RELU, width=100), 100)


@pytest.fixture(scope="module")
def wide():
    """Infinitely wide above the inputs: a multiple of X Xᵀ, and one of the identity."""
    return bulk(net(RELU, depth=None, width=None, widths=(100, 10**8, 10**8)), 50)


def angles_of(bulk):
    """Places whose spacing resolves the roots at both ends, and the spacing."""
    middle, half = (bulk.edge + bulk.lower) / 2, (bulk.edge - bulk.lower) / 2
    angle = (np.arange(2000) + 0.5) * np.pi / 2000
    return middle + half * np.cos(angle), half * np.sin(angle) * np.pi / 2000


@pytest.mark.parametrize("name", ["square", "wide"])
def test_moments_are_those_of_the_law(name, request):
    found = request.getfixturevalue(name)
    place, step = angles_of(found)
    density = found.density(place)
    assert (density >= 0).all()
    assert density @ step == pytest.approx(1, abs=3e-3)  # of 128 points between both ends
    assert (density * place) @ step == pytest.approx(found.mean, rel=3e-3)
    assert (density * (place - found.mean) ** 2) @ step == pytest.approx(found.variance, rel=5e-3)


def test_wide_layers_leave_the_law_of_marchenko_and_pastur(wide):
    # r + k u, u the eigenvalues of X Xᵀ/M_0 at T/M_0 = ½; k and r by the first two moments.
    y = 0.5
    k = np.sqrt(wide.variance / y)
    r = wide.mean - k
    low, high = (r + k * (1 + sign * np.sqrt(y)) ** 2 for sign in (-1, 1))
    assert wide.edge == pytest.approx(high, rel=1e-6)
    assert wide.lower == pytest.approx(low, rel=1e-6)
    place = np.linspace(low + 0.05 * (high - low), high - 0.05 * (high - low), 50)
    u = (place - r) / k
    roots = np.sqrt(((1 + np.sqrt(y)) ** 2 - u) * (u - (1 - np.sqrt(y)) ** 2))
    expected = roots / (2 * np.pi * y * u * k)
    np.testing.assert_allclose(wide.density(place), expected, rtol=1e-3)  # linear between points


def test_outside_there_is_nothing(square):
    outside = np.array([square.lower * 0.99, square.edge * 1.01])
    np.testing.assert_array_equal(square.density(outside), 0)


def test_quantiles_are_those_of_the_density(square):
    p = np.linspace(0, 1, 101)
    places = square.quantile(p)
    assert (np.diff(places) > 0).all()
    assert square.lower <= places[0] < places[-1] == pytest.approx(square.edge)
    place, step = angles_of(square)
    below = [(square.density(place) * step)[place < at].sum() for at in places]
    np.testing.assert_allclose(below, p, atol=5e-3)


@pytest.mark.parametrize("p", [2, -0.1, np.nan, [0.5, 1.5]])
def test_shares_outside_0_and_1_are_refused(square, p):
    with pytest.raises(ValueError, match="p must be between 0 and 1"):
        square.quantile(p)
