"""Figures of results. Every function takes the Axes to draw into, or makes them, and returns them.

Needs the `plot` extra.
"""

from typing import TYPE_CHECKING

import numpy as np

from meanfield.readout import LOWER_BOUND

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from meanfield.comparison import Comparison

THEORY, MEASURED = "#0072B2", "#D55E00"  # Okabe & Ito: safe for colour-blind readers


def _axes(axes: "Axes | None", size: tuple[float, float]) -> "Axes":
    """The Axes given, or new ones of that size in inches."""
    if axes is not None:
        return axes
    try:
        import matplotlib.pyplot as plt  # on first use: no other part of the package needs it
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("plots need matplotlib: pip install 'meanfield[plot]'") from error
    return plt.subplots(figsize=size, layout="constrained")[1]


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
    rows = [row for row in comparison.rows if row.eigenvalue_max]
    if not rows:
        raise ValueError("comparison must have a placement with a finite eigenvalue_max, got none")
    axes = _axes(axes, (5.2, 0.9 + 0.32 * len(rows)))
    for bound, label in ((False, "theory"), (True, "theory, lower bound")):
        places = [i for i, row in enumerate(rows) if bound == _is_bound(row)]
        axes.plot(
            [rows[i].eigenvalue_max or 0.0 for i in places],
            places,
            "o",
            color=THEORY,
            markerfacecolor="none" if bound else THEORY,
            label=label if places else None,
        )
    measured = [(row.measured, i) for i, row in enumerate(rows) if row.measured]
    if measured:
        axes.errorbar(
            [statistic.mean for statistic, _ in measured],
            [i for _, i in measured],
            xerr=[statistic.sem or 0.0 for statistic, _ in measured],
            fmt="x",
            color=MEASURED,
            capsize=3,
            label=f"measured, {comparison.draws} networks",
        )
    axes.set(xscale="log", xlabel=r"largest FIM eigenvalue $\lambda_{\max}$")
    axes.set_yticks(range(len(rows)), [row.placement for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)
    limits = axes.secondary_xaxis("top", functions=(_reciprocal, _reciprocal))
    limits.set_xlabel(r"learning-rate limit $2/\lambda_{\max}$")
    axes.legend(frameon=False, fontsize=8)
    return axes


def _is_bound(row) -> bool:
    return row.eigenvalue_max_kind == LOWER_BOUND


def _reciprocal(x):
    """2/x, which turns λ_max into η_max and back."""

    with np.errstate(divide="ignore"):
        return 2 / np.asarray(x)
