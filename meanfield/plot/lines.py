"""Lines along one axis of a sweep, theory beside measurement."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from meanfield.checks import shown
from meanfield.plot.style import in_style, label, look, mark_decades, mark_values, new_axes
from meanfield.sweeps.tables import over_draws
from meanfield.sweeps.words import DRAW, KIND, THEORY
from meanfield.theory.kinds import Kind

if TYPE_CHECKING:
    import xarray
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.container import Container

FEW = 8  # values along an axis that are marked one by one
ON_LARGEST = ("eigenvalue_max", "learning_rate_max")  # what a bound on λ_max bounds


@in_style
def along(
    dataset: "xarray.Dataset",
    axis: str,
    variable: str = "eigenvalue_max",
    axes: "Axes | None" = None,
    *,
    by: str = "norm",
    labels: Mapping[str, str] | None = None,
) -> "Axes":
    """A statistic along one axis of a sweep, both logarithmic: one colour per placement.

    Lines are theory and points means over the draws, with their standard error. Where theory has
    but a lower bound of λ_max lines are dashed and points hollow.

    Args:
        dataset: Of `meanfield.sweep`, or a selection of it that leaves no axes but `axis` and `by`.
        axis: The axis of the sweep to draw along, e.g. "width".
        variable: The statistic; where there is no measurement of it, only theory is drawn.
        axes: To draw into.
        by: The axis that tells the lines apart.
        labels: What the legend says of each line in place of its name.

    Raises:
        ValueError: The dataset has other axes, or no such variable.
        ModuleNotFoundError: matplotlib is not installed.
    """
    _check(dataset, axis, variable, by)
    axes = new_axes(axes)
    for name, line in _lines(dataset, by):
        _draw(axes, line.squeeze(), axis, variable, look(name), (labels or {}).get(name, name))
    axes.set(xscale="log", yscale="log", xlabel=label(axis), ylabel=label(variable))
    if dataset.sizes[axis] <= FEW:
        mark_values(axes, dataset[axis].values)
    else:
        mark_decades(axes)
    axes.legend()
    return axes


def _check(dataset: "xarray.Dataset", axis: str, variable: str, by: str) -> None:
    sizes = {str(name): size for name, size in dataset.sizes.items() if name != DRAW}
    if axis not in sizes:
        raise ValueError(f"axis must be one of {', '.join(sizes)}, got {shown(axis)}")
    if others := [name for name, size in sizes.items() if size > 1 and name not in (axis, by)]:
        raise ValueError(f"dataset must have no axes but {axis} and {by}, got {', '.join(others)}")
    if variable not in dataset and THEORY + variable not in dataset:
        accepted = ", ".join(str(name) for name in dataset if not str(name).startswith(THEORY))
        raise ValueError(f"variable must be one of {accepted}, got {shown(variable)}")


def _lines(dataset: "xarray.Dataset", by: str):
    """The name of each line, and its part of the dataset."""
    if by in dataset.dims:
        return [(str(name), dataset.sel({by: name})) for name in dataset[by].values]
    return [(str(dataset[by].values) if by in dataset.coords else "none", dataset)]


def _draw(axes: "Axes", line: "xarray.Dataset", axis: str, variable: str, look, text: str) -> None:
    x, colour = line[axis].values, look.colour
    bounds = (line[KIND].values == Kind.LOWER_BOUND) & (variable in ON_LARGEST)
    drawn: list[Artist | Container] = []
    if variable in line:
        mean, sem = over_draws(line[variable])
        error = sem.fillna(0).values  # none of a single draw
        face = "none" if bounds.any() else colour
        points = axes.errorbar(x, mean.values, yerr=error, color=colour, linestyle="none")
        points.lines[0].set(marker=look.marker, markerfacecolor=face)
        drawn.append(points)
    if THEORY + variable in line:
        theory = line[THEORY + variable].values
        if bounds.any():
            drawn += axes.plot(x, theory, "--", color=colour)
        if not bounds.all():
            drawn += axes.plot(x, np.where(bounds, np.nan, theory), color=colour)
    drawn[0].set_label(text)  # once in the legend
