"""Lines along an axis of a sweep."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from meanfield import plot
from meanfield.plot import style


def test_along_draws_theory_and_means_with_their_errors(swept):
    axes = plot.along(swept, "width", labels={"none": "no norm"})
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["no norm", "batch@last"]
    for container, norm in zip(axes.containers, swept["norm"].values, strict=True):
        points, _, (bars,) = container.lines
        draws = swept["eigenvalue_max"].sel(norm=norm).values
        np.testing.assert_allclose(points.get_ydata(), np.nanmean(draws, axis=1))
        count = (~np.isnan(draws)).sum(1)
        sem = np.nanstd(draws, axis=1, ddof=1) / count**0.5
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        np.testing.assert_allclose(np.diff(ends)[:, 0], 2 * sem)
        assert points.get_marker() == style.look(norm).marker
        assert points.get_color() == style.look(norm).colour
    hollow = [c.lines[0].get_markerfacecolor() == "none" for c in axes.containers]
    assert hollow == [False, True]
    lines = [line for line in axes.lines if line.get_linestyle() in ("-", "--")]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-"]
    np.testing.assert_array_equal(lines[0].get_ydata(), [1, 2, 3])
    np.testing.assert_array_equal(lines[1].get_ydata(), [4, 5, 6])
    np.testing.assert_array_equal(lines[2].get_ydata(), [4, np.nan, np.nan])
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_along_a_single_line_of_theory(swept):
    _, axes = plt.subplots()
    assert plot.along(swept.sel(norm="none"), "width", "kappa1", axes) is axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["none"]
    assert not axes.containers


def test_along_refuses_what_it_cannot_draw(swept):
    for arguments, said in (
        (("depth",), "axis must be one of norm, width, got 'depth'"),
        (("width", "sharpness"), "variable must be one of eigenvalue_max, got 'sharpness'"),
    ):
        with pytest.raises(ValueError, match=said):
            plot.along(swept, *arguments)
    with pytest.raises(ValueError, match="dataset must have no axes but width and depth, got norm"):
        plot.along(swept, "width", by="depth")
