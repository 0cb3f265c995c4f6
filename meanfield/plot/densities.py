"""Densities of eigenvalues."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from meanfield.plot.style import INK, in_style, look, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS_PER_DECADE = 8


@in_style
def density(
    eigenvalues: Sequence[ArrayLike],
    axes: "Axes | None" = None,
    *,
    placement: str = "none",
    largest: float | None = None,
    is_bound: bool = False,
    mean: float | None = None,
) -> "Axes":
    """The density of non-zero eigenvalues, both axes logarithmic, and where theory puts them.

    Args:
        eigenvalues: Those of every network, such as `meanfield.Simulation.eigenvalues`.
        axes: To draw into.
        placement: Whose colour to use.
        largest: Theory's λ_max, a line: dashed if `is_bound`.
        is_bound: Whether that is a lower bound.
        mean: Theory's mean over all P eigenvalues, zeros included: a dotted line.

    Raises:
        ValueError: There are no positive eigenvalues.
        ModuleNotFoundError: matplotlib is not installed.
    """
    values = np.concatenate([np.zeros(0), *(np.ravel(e) for e in eigenvalues)])
    values = values[values > 0]
    if not values.size:
        raise ValueError("eigenvalues must hold positive numbers, got none")
    axes = new_axes(axes)
    heights, edges = np.histogram(values, _edges(values), density=True)
    colour = look(placement).colour
    axes.stairs(heights, edges, fill=True, color=colour, alpha=0.4)
    axes.stairs(heights, edges, color=colour)
    if largest is not None:
        style, kind = ("--", ", lower bound") if is_bound else ("-", "")
        axes.axvline(largest, color=INK, linestyle=style, label=rf"$\lambda_{{\max}}${kind}")
    if mean is not None:
        axes.axvline(mean, color=INK, linestyle=":", label=r"$m_\lambda$")
    axes.set(xscale="log", yscale="log", xlabel=r"eigenvalue $\lambda$")
    axes.set_ylabel(r"density $p(\lambda)$, $\lambda > 0$")
    return axes


def _edges(values: np.ndarray) -> np.ndarray:
    """Of bins of equal ratios, the extremes inside."""
    low, high = np.log10(values.min()) - 1e-9, np.log10(values.max()) + 1e-9
    return np.logspace(low, high, max(2, round((high - low) * BINS_PER_DECADE)) + 1)
