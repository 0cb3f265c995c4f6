"""Dots of theory and measurement, one row per placement."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from meanfield import Network, plot
from meanfield.numerics.estimates import Statistic
from meanfield.plot.charts import Dot
from meanfield.studies.comparison import Comparison, Row
from meanfield.theory.kinds import Kind

NET = Network(depth=3, width=20, activation="relu", bias_var=0.1)


def row(placement, largest, kind, draws):
    measured = Statistic(np.mean(draws), np.std(draws, ddof=1) / 2**0.5, draws)
    return Row(placement, largest, None, kind, None, 2 / largest, 0.1, measured, measured)


@pytest.fixture
def comparison():
    """As `meanfield.compare` returns it, with made-up numbers."""
    rows = (
        row("layer@last", 1.5, Kind.LOWER_BOUND, (3.0, 3.4)),
        row("layer@hidden", 5.5, Kind.OUTLIER, (5.0, 6.0)),
        row("none", 9.0, Kind.OUTLIER, (8.0, 9.5)),
    )
    return Comparison(rows, NET, 24, 2, "", ())


def test_comparison_shows_every_placement_in_order(comparison):
    axes = plot.compare(comparison)
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        row.placement for row in comparison.rows
    ]
    theory, bounds = axes.lines[:2]
    drawn = dict(zip(theory.get_ydata(), theory.get_xdata(), strict=True))
    drawn |= dict(zip(bounds.get_ydata(), bounds.get_xdata(), strict=True))
    assert [drawn[i] for i in range(3)] == [row.eigenvalue_max for row in comparison.rows]
    assert [comparison.rows[i].placement for i in bounds.get_ydata()] == ["layer@last"]
    (measured,) = axes.containers
    assert list(measured.lines[0].get_xdata()) == [row.measured.mean for row in comparison.rows]


def test_comparison_draws_into_given_axes(comparison):
    _, axes = plt.subplots()
    assert plot.compare(comparison, axes) is axes


def test_the_upper_axis_is_the_learning_rate(comparison):
    axes = plot.compare(comparison)
    axes.figure.canvas.draw()
    (limits,) = axes.child_axes
    low, high = axes.get_xlim()
    np.testing.assert_allclose(sorted(limits.get_xlim()), [2 / high, 2 / low], rtol=1e-6)


def test_comparison_without_numbers_is_refused(comparison):
    empty = Comparison((), comparison.network, 24, 0, "", ())
    with pytest.raises(ValueError, match="comparison must have a placement"):
        plot.compare(empty)


def test_the_extra_is_named(comparison, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ModuleNotFoundError, match=r"meanfield\[plot\]"):
        plot.compare(comparison)


def test_dots_without_theory_or_measurement():
    axes = plot.dots([Dot("a", 1.0), Dot("b", None, measured=2.0)], measured="networks")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["theory", "networks"]
