"""Densities of eigenvalues."""

import numpy as np
import pytest

from meanfield import Network, plot, predict, simulate
from meanfield.plot.style import INK, look

NET = Network(depth=2, width=12, activation="linear", weight_var=1.0, norm="batch@last")


@pytest.fixture(scope="module")
def prediction():
    return predict(NET, 10)


@pytest.fixture(scope="module")
def simulation():
    return simulate(NET, 10, draws=2, spectrum=True, second_moment=False)


def test_densities_integrate_to_one():
    spectra = [np.array([0.5, 1.0, 2.0]), np.array([0.7, 30.0, 0.0])]
    axes = plot.density(spectra, largest=20.0, is_bound=True, mean=0.1)
    heights, edges, _ = axes.patches[0].get_data()
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
    assert [line.get_xdata()[0] for line in axes.lines] == [20.0, 0.1]
    assert [line.get_linestyle() for line in axes.lines] == ["--", ":"]
    assert axes.get_legend() is None


def test_a_prediction_is_the_curve_of_its_bulk_and_a_line(prediction):
    axes = plot.density(prediction)
    bulk, largest = axes.lines
    places, heights = bulk.get_data()
    np.testing.assert_allclose(heights, prediction.bulk.density(places))
    assert np.trapezoid(heights, places) == pytest.approx(1, abs=0.01)
    assert places[0] == pytest.approx(prediction.bulk.lower, rel=1e-3)
    assert places[-1] == pytest.approx(prediction.bulk.edge, rel=1e-3)
    assert list(largest.get_xdata()) == [prediction.eigenvalue_max] * 2
    assert bulk.get_color() == largest.get_color() == look("batch@last").colour
    assert largest.get_linestyle() == "-"
    assert not axes.patches


def test_a_simulation_is_a_histogram_of_its_networks(simulation):
    drawn = plot.density(simulation).patches
    by_hand = plot.density(simulation.eigenvalues, placement="batch@last").patches
    for one, other in zip(drawn, by_hand, strict=True):
        np.testing.assert_array_equal(one.get_data().values, other.get_data().values)
        assert one.get_edgecolor() == other.get_edgecolor()


@pytest.mark.parametrize("as_arrays", [False, True])
def test_theory_lies_over_the_histogram(prediction, simulation, as_arrays):
    measured = simulation.eigenvalues if as_arrays else [simulation]
    axes = plot.density([prediction, *measured])
    assert len(axes.patches) == 2  # its area and its outline
    assert {line.get_color() for line in axes.lines} == {INK}
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["bulk", r"$\lambda_{\max}$"]


def test_several_predictions_are_told_apart(prediction):
    other = predict(Network(depth=2, width=12, activation="linear", weight_var=1.0), 16)
    axes = plot.density([prediction, other])
    colours = [look(name).colour for name in ("batch@last", "none")]
    assert [line.get_color() for line in axes.lines] == [c for c in colours for _ in range(2)]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[::2] == ["batch@last: bulk", "none: bulk"]


def test_what_has_no_density_is_refused(prediction):
    rms = predict(Network(depth=2, width=12, outputs=3, norm="layer@last"), 16)
    unasked = simulate(NET, 10, draws=1, second_moment=False)
    for spectra, said in (
        ([], "eigenvalues must hold positive numbers, got none"),
        ([[0.0]], "eigenvalues must hold positive numbers, got none"),
        (rms, "spectra must hold predictions with a bulk, got one without: .* 'layer'"),
        ([prediction, unasked], "got one without: ask for them by spectrum=True"),
        (None, "eigenvalues must hold positive numbers, got none"),
        ("batch@last", "simulations or arrays of eigenvalues, got str"),
        ([prediction, NET], "simulations or arrays of eigenvalues, got Network"),
    ):
        with pytest.raises(ValueError, match=said):
            plot.density(spectra)
