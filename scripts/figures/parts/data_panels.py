"""The panels of digits against white noise: growth with the width, and whole spectra."""

import numpy as np
import pandas

from meanfield.plot import style
from meanfield.reproduction.numbers import are_bounds


def draw_growth(axes, cells: pandas.DataFrame) -> None:
    """λ_max against the width."""
    for norm, line in cells.groupby("norm", sort=False):
        colour, marker = style.look(str(norm))
        is_bound = are_bounds(line).all()
        theory = line["theory_eigenvalue_max"]
        axes.plot(line["width"], theory, "--" if is_bound else "-", color=colour)
        values = line["width"], line["eigenvalue_max"], line["eigenvalue_max_sem"]
        face = "white" if is_bound else colour
        points = {"marker": marker, "linestyle": "none", "markerfacecolor": face}
        axes.errorbar(*values, color=colour, label=norm, **points)
    axes.set(xscale="log", yscale="log", xlabel=style.label("width"))
    style.mark_values(axes, cells["width"].unique())


def draw_ranks(axes, cells: pandas.DataFrame) -> None:
    """All eigenvalues in descending order: theory's line, points of the mean over networks."""
    lowest = np.inf
    for row in cells.to_dict("records"):
        colour, marker = style.look(row["norm"])
        theory, draws = np.array(row["theory_eigenvalues"]), row["eigenvalues"]
        count = min(len(theory), *map(len, draws))
        mean = np.mean([draw[:count] for draw in draws], axis=0)
        lowest = min(lowest, mean[-1])
        shown = np.unique(np.geomspace(1, count, 20).round().astype(int))
        axes.plot(np.arange(1, len(theory) + 1), theory, color=colour)
        face = {"markerfacecolor": "white", "markersize": 3.5}
        axes.plot(shown, mean[shown - 1], marker, color=colour, **face)
    axes.set(xscale="log", yscale="log", xlabel="rank", ylabel=r"FIM eigenvalue $\lambda$")
    axes.set_ylim(bottom=lowest / 2)
