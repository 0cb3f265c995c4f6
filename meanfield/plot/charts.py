"""One row per placement: dots of theory and measurement."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meanfield.plot.style import COLUMN, FACE, MEASURED, THEORY, in_style, label, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from meanfield.studies.comparison import Comparison


class Dot(NamedTuple):
    """One row: its name, theory, whether that is a lower bound, and measurement ± sem."""

    name: str
    theory: float | None
    is_bound: bool = False
    measured: float | None = None
    sem: float | None = None


@in_style
def dots(
    rows: Sequence[Dot],
    axes: "Axes | None" = None,
    *,
    xlabel: str = "eigenvalue_max",
    measured: str = "measured",
) -> "Axes":
    """Theory (circles, hollow for lower bounds) and measurement (crosses), the first row on top.

    Args:
        rows: What to draw.
        axes: To draw into.
        xlabel: A statistic's name, or the text itself.
        measured: What the legend calls the measurement.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    axes = new_axes(axes, (COLUMN + 1, 0.9 + 0.26 * len(rows)))
    for bound, text in ((False, "theory"), (True, "theory, lower bound")):
        places = [i for i, row in enumerate(rows) if row.theory and row.is_bound == bound]
        axes.plot(
            [rows[i].theory or 0.0 for i in places],
            places,
            "o",
            color=THEORY,
            markersize=6,
            markerfacecolor="none" if bound else FACE,
            label=text if places else None,
        )
    found = [(row.measured, row.sem or 0.0, i) for i, row in enumerate(rows) if row.measured]
    if found:
        axes.errorbar(
            [mean for mean, _, _ in found],
            [i for _, _, i in found],
            xerr=[sem for _, sem, _ in found],
            fmt="x",
            color=MEASURED,
            capsize=3,
            label=measured,
        )
    axes.set(xscale="log", xlabel=label(xlabel))
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.legend()
    return axes


@in_style
def compare(comparison: "Comparison", axes: "Axes | None" = None) -> "Axes":
    """λ_max of every placement, the flattest on top: theory, and measurement where there is one.

    Hollow symbols are lower bounds; the upper axis shows the learning-rate limit 2/λ_max.

    Args:
        comparison: What `meanfield.compare` returns.
        axes: To draw into.

    Raises:
        ValueError: No placement has a λ_max.
        ModuleNotFoundError: matplotlib is not installed.
    """
    rows = []
    for row in comparison.rows:
        if row.eigenvalue_max:
            bound, m = row.eigenvalue_max_kind.is_bound, row.measured
            error = (m.mean, m.sem) if m else ()
            rows.append(Dot(row.placement, row.eigenvalue_max, bound, *error))
    if not rows:
        raise ValueError("comparison must have a placement with a finite eigenvalue_max, got none")
    axes = dots(rows, axes, measured=f"measured, {comparison.draws} networks")
    limits = axes.secondary_xaxis("top", functions=(_reciprocal, _reciprocal))
    limits.set_xlabel(label("learning_rate_max"))
    return axes


def _reciprocal(x):
    """2/x, which turns λ_max into η_max and back."""

    with np.errstate(divide="ignore"):
        return 2 / np.asarray(x)
