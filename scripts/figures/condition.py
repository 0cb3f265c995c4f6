"""Where last-layer batch norm works: sharpness over the plane of width and samples."""

import numpy as np

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import exponents, numbers
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import spec

SPEC = spec("relu")
NORMS = ["none", "batch@last"]
SIZES = [25, 50, 100, 200], [25, 50, 100, 200, 400, 800, 1600]  # quick, full
DRAWS = 8, 20
RATIOS = {4: r"$T=M/4$", 1: r"$T=M$", 0.25: r"$T=4M$"}  # ρ = M/T


def make(run: Run) -> Made:
    sizes = run.choose(*SIZES)
    grid = mf.Grid(**SPEC, width=sizes, samples=sizes, norm=NORMS, **run.effort(*DRAWS))
    cells = run.sweep("condition", grid)
    means = cells["eigenvalue_max"].mean("draw")
    size = {"figsize": (style.PAGE, 2.9), "layout": "constrained"}
    figure, panels = style.pyplot().subplots(1, len(NORMS), **size)
    for axes, norm in zip(panels, NORMS, strict=True):
        ends = float(means.min()), float(means.max())
        title = rf"$\lambda_{{\max}}$ measured, {norm}"
        here = means.sel(norm=norm).transpose("width", "samples")
        mf.plot.plane(here, axes=axes, title=title, limits=ends)
        axes.set(xscale="log", yscale="log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(sizes, list(map(str, sizes)))
            axis.set_ticks([], minor=True)
        draw_ratios(axes, sizes)
    frame, T = mf.summarize(cells), sizes[len(sizes) // 2]
    fits = mf.scaling(cells.sel(samples=T))
    diagonal = frame[frame["width"] == frame["samples"]]
    run.save(figure, frame)
    return Made(
        "Where last-layer batch norm works",
        "Without norm λ_max grows with M whatever T is. With batch norm in the last layer it is "
        "the same all along a line T = M/ρ, however wide the network; with T held fixed it grows "
        "with M all the same.",
        {**SPEC, "C": 1, "M and T": sizes, "networks per point": run.choose(*DRAWS)},
        [
            *exponents(fits, lambda fit: f"{fit.norm}, exponent of M at T = {T}"),
            *numbers(diagonal.sort_values("norm"), lambda row: f"{row.norm}, M = T = {row.width}"),
        ],
        place=40,
    )


def draw_ratios(axes, sizes: list[int]) -> None:
    """The lines T = M/ρ, as far as they are on the map."""
    widths = np.geomspace(sizes[0], sizes[-1], 100)
    for ratio, text in RATIOS.items():
        on = (sizes[0] <= widths / ratio) & (widths / ratio <= sizes[-1])
        x, y = widths[on], widths[on] / ratio
        axes.plot(x, y, color="white", linestyle="--")
        middle = len(x) // 2
        axes.annotate(text, (x[middle], y[middle]), color="white", ha="right", va="bottom")


if __name__ == "__main__":
    main(["reproduce", "--only", "condition"])
