"""Maps over two parameters, in colours that greyscale keeps in order."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from meanfield.plot.style import COLOURMAP, in_style, label, new_axes, pyplot

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

MOST_DECADES = 12  # of a logarithmic scale; what lies beyond has the colour of its end


@in_style
def plane(
    values: "xarray.DataArray | ArrayLike",
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    axes: "Axes | None" = None,
    *,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str = "",
    log: bool = True,
    limits: tuple[float, float] | None = None,
) -> "Axes":
    """A map of a quantity over two parameters, with a colour bar; no colour where it is NaN.

    Args:
        values: A two-dimensional DataArray, such as a sweep's variable after `mean("draw")`, or an
            array of shape (len(x), len(y)), such as `meanfield.diagram`'s with
            `weight_var[:, None]` and `bias_var`.
        x, y: The parameters along the first and second dimension; a DataArray's own by default.
        axes: To draw into.
        xlabel, ylabel: A field's name, such as "weight_var", or the text itself; a DataArray's
            dimensions by default.
        title: What the colours mean.
        log: Whether they are logarithmic.
        limits: The values at the ends of the colours; by default those of the map, over no more
            than twelve decades.

    Raises:
        ValueError: `values` is not two-dimensional, or x and y do not have its shape.
        ModuleNotFoundError: matplotlib is not installed.
    """
    labelled: Any = values
    dims: Any = getattr(values, "dims", ())
    if len(dims) == 2:
        x, y = (
            labelled[d] if given is None else given for d, given in zip(dims, (x, y), strict=True)
        )
        xlabel, ylabel = xlabel or dims[0], ylabel or dims[1]
    array, x, y = np.asarray(values, float), np.asarray(x), np.asarray(y)
    if array.shape != (x.size, y.size):
        raise ValueError(
            f"values must have shape (len(x), len(y)) = ({x.size}, {y.size}), got {array.shape}"
        )
    axes = new_axes(axes)
    shown = np.where(array > 0, array, np.nan) if log else array
    norm = _norm(shown, log, limits)
    mesh = axes.pcolormesh(x, y, shown.T, cmap=COLOURMAP, norm=norm, rasterized=True)
    axes.set(xlabel=label(xlabel or ""), ylabel=label(ylabel or ""), title=title)
    axes.grid(visible=False)
    axes.figure.colorbar(mesh, ax=axes, pad=0.02)
    return axes


def _norm(shown: np.ndarray, log: bool, limits: tuple[float, float] | None):
    pyplot()  # says which extra is missing
    from matplotlib.colors import LogNorm, Normalize

    finite = shown[np.isfinite(shown)]
    if limits is None and finite.size:
        low, high = float(finite.min()), float(finite.max())
        limits = max(low, high / 10**MOST_DECADES) if log else low, high
    return (LogNorm if log else Normalize)(*(limits or (1.0, 1.0)), clip=True)
