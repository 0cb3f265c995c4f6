"""How figures look: one colour and marker per placement, sizes, labels, and reproducible files.

The colours are close to those of Okabe & Ito, which colour-blind readers tell apart; in greyscale
markers and the lightness of lines do. Nothing here changes matplotlib's global settings.
"""

import inspect
import zlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, ParamSpec

from meanfield.spec.quantities import QUANTITIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")

THEORY, MEASURED = "#444444", "#AA3377"  # where colours tell no placements apart
FACE = "#bbbbbb"  # of theory, where measurement lies on it
GRID, INK = "#dddddd", "#000000"
COLUMN, PAGE = 3.4, 7.0  # inches: the width of one column of a paper, and of both
DPI = 150
LARGE = 150_000  # bytes of a picture
COLOURMAP = "cividis"  # its lightness grows along with the value


class Look(NamedTuple):
    """A colour and a marker."""

    colour: str
    marker: str


LOOKS = {
    "none": Look("#000000", "o"),
    "mean@last": Look("#E69F00", "v"),
    "batch@last": Look("#D55E00", "D"),
    "batch@hidden": Look("#0072B2", "s"),
    "batch@all": Look("#CC79A7", "P"),
    "layer@hidden": Look("#009E73", "^"),
    "layer@last": Look("#7CCBF2", "X"),
    "layer@all": Look("#117733", "<"),
    "mean@hidden": Look("#882255", ">"),
    "rms@hidden": Look("#999933", "h"),
}
OTHERS = tuple(
    Look(colour, marker)
    for colour in ("#332288", "#AA4499", "#661100", "#6699CC", "#777777", "#44AA99")
    for marker in ("p", "*", "d", "H", "8")
)

RC = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.6,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "errorbar.capsize": 2,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "pdf.fonttype": 42,  # letters stay letters
}


def look(placement: str) -> Look:
    """The colour and marker of a placement, the same in every figure."""
    if placement in LOOKS:
        return LOOKS[placement]
    return OTHERS[zlib.crc32(placement.encode()) % len(OTHERS)]


def label(name: str) -> str:
    """What to write on the axis of a field or statistic: its name, symbol and unit."""
    return QUANTITIES[name].label if name in QUANTITIES else name


def pyplot():
    """matplotlib.pyplot, imported on first use: no other part of the package needs it.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("plots need matplotlib: pip install 'meanfield[plot]'") from error
    return plt


def context() -> AbstractContextManager:
    """The settings of a figure for print, for the duration of a `with` block."""
    return pyplot().rc_context(RC)


def in_style(draw: "Callable[Arguments, Axes]") -> "Callable[Arguments, Axes]":
    """Has a function draw in this style, unless it is given Axes, which have a style already."""
    signature = inspect.signature(draw)

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> "Axes":
        if signature.bind(*args, **kwargs).arguments.get("axes") is not None:
            return draw(*args, **kwargs)
        with context():
            return draw(*args, **kwargs)

    return drawn


def new_axes(axes: "Axes | None", size: tuple[float, float] = (COLUMN, 2.7)) -> "Axes":
    """The Axes given, or new ones of that size in inches."""
    return axes or pyplot().subplots(figsize=size, layout="constrained")[1]


def mark_values(axes: "Axes", values: Iterable[float]) -> None:
    """Marks the values themselves on a logarithmic x axis, where there are few."""
    places = [float(value) for value in values]
    axes.set_xticks(places, [f"{value:g}" for value in places])
    axes.set_xticks([], minor=True)


def mark_decades(axes: "Axes") -> None:
    """Marks 1, 2 and 5 of every decade of a logarithmic x axis."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def save(figure: "Figure", stem: Path) -> None:
    """Writes STEM.png and STEM.pdf; the same figure gives the same bytes on any day."""
    picture = stem.with_suffix(".png")
    figure.savefig(picture, dpi=DPI, metadata={"Software": None})
    if picture.stat().st_size > LARGE:
        _reduce(picture)
    figure.savefig(stem.with_suffix(".pdf"), dpi=DPI, metadata={"CreationDate": None})


def _reduce(picture: Path) -> None:
    """To 256 colours, which are enough for maps."""
    from PIL import Image

    with Image.open(picture) as image:
        reduced = image.convert("RGB").quantize(256)
    reduced.save(picture, optimize=True)
