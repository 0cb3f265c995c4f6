"""Figures: what is drawn where. How they look is for eyes."""

import sys

import matplotlib
import numpy as np
import pytest
import xarray

from meanfield import Network, compare, plot
from meanfield.plot import style
from meanfield.plot.charts import Dot
from meanfield.studies.comparison import Comparison

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb

NET = Network(depth=3, width=20, activation="relu", bias_var=0.1)
WIDTHS = [10, 20, 40]


@pytest.fixture(scope="module")
def comparison():
    return compare(NET, 24, placements=["batch@last", "layer@hidden"], draws=2)


@pytest.fixture(autouse=True)
def closed():
    before = dict(plt.rcParams)
    yield
    plt.close("all")
    assert dict(plt.rcParams) == before


@pytest.fixture
def swept():
    """A sweep as `meanfield.load` reads it: two placements, four draws, one of which failed."""
    rng = np.random.default_rng(0)
    measured = rng.uniform(1, 2, (2, 3, 4))
    measured[1, 2, 3] = np.nan
    theory = np.arange(1.0, 7.0).reshape(2, 3)
    kinds = np.array([["outlier"] * 3, ["outlier"] + ["lower-bound"] * 2])
    lines = ("norm", "width")
    return xarray.Dataset(
        {
            "eigenvalue_max": ((*lines, "draw"), measured),
            "theory_eigenvalue_max": (lines, theory),
            "theory_eigenvalue_max_kind": (lines, kinds),
            "theory_kappa1": (lines, theory),
        },
        {"norm": ["none", "batch@last"], "width": WIDTHS, "draw": np.arange(4)},
    )


def test_comparison_shows_every_placement_in_order(comparison):
    axes = plot.compare(comparison)
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        row.placement for row in comparison.rows
    ]
    theory, bounds = axes.lines[:2]
    drawn = dict(zip(theory.get_ydata(), theory.get_xdata(), strict=True))
    drawn |= dict(zip(bounds.get_ydata(), bounds.get_xdata(), strict=True))
    assert [drawn[i] for i in range(3)] == [row.eigenvalue_max for row in comparison.rows]
    assert len(bounds.get_xdata()) == 1  # batch@last
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


def test_planes_have_their_axes_and_scale(swept):
    values = np.array([[1.0, 10.0, 0.0], [100.0, 1e3, np.nan]])
    axes = plot.plane(values, [1.0, 2.0], WIDTHS, xlabel="weight_var", ylabel="width", title="map")
    (mesh,) = axes.collections
    assert (mesh.norm.vmin, mesh.norm.vmax) == (1, 1e3)
    assert np.ma.getmaskarray(mesh.get_array()).sum() == 2
    assert axes.get_xlabel() == style.label("weight_var")
    named = plot.plane(swept["theory_kappa1"], log=False, limits=(0, 9))
    assert named.get_ylabel() == style.label("width")
    assert (named.collections[0].norm.vmin, named.collections[0].norm.vmax) == (0, 9)
    with pytest.raises(ValueError, match=r"\(len\(x\), len\(y\)\) = \(3, 2\), got \(2, 3\)"):
        plot.plane(values, WIDTHS, [1.0, 2.0])


def test_densities_integrate_to_one():
    spectra = [np.array([0.5, 1.0, 2.0]), np.array([0.7, 30.0, 0.0])]
    axes = plot.density(spectra, largest=20.0, is_bound=True, mean=0.1)
    heights, edges, _ = axes.patches[0].get_data()
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
    assert [line.get_xdata()[0] for line in axes.lines] == [20.0, 0.1]
    with pytest.raises(ValueError, match="eigenvalues must hold positive numbers"):
        plot.density([])


def test_dots_without_theory_or_measurement():
    axes = plot.dots([Dot("a", 1.0), Dot("b", None, measured=2.0)], measured="networks")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["theory", "networks"]


def test_placements_are_told_apart_in_colour_and_in_grey():
    looks = list(style.LOOKS.values())
    assert len({look.colour for look in looks}) == len({look.marker for look in looks})
    assert style.look("batch@3") == style.look("batch@3")
    assert style.look("batch@3") in style.OTHERS
    shown = [to_rgb(look.colour) for look in looks[:7]]  # those of one figure
    lightness = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in shown)
    assert min(np.diff(lightness)) > 0.03


def test_files_are_the_same_on_every_day(tmp_path):
    def draw(name):
        _, axes = plt.subplots()
        plot.density([[1.0, 2.0, 5.0]], axes)
        style.save(axes.figure, tmp_path / name)
        return [(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("png", "pdf")]

    assert draw("one") == draw("two")
    assert b"CreationDate" not in draw("one")[1]


def test_large_pictures_are_reduced(tmp_path, monkeypatch):
    _, axes = plt.subplots()
    axes.imshow(np.random.default_rng(0).uniform(size=(200, 200)))
    style.save(axes.figure, tmp_path / "small")
    monkeypatch.setattr(style, "LARGE", 10**9)
    style.save(axes.figure, tmp_path / "large")
    small, large = ((tmp_path / f"{name}.png").stat().st_size for name in ("small", "large"))
    assert small < large
