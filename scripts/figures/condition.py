"""Where last-layer batch norm works: sharpness over the plane of width and samples."""

import numpy as np

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import exponents, numbers
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import spec
from meanfield.theory.white_noise.many import theory

SPEC = spec("relu")
NORMS = ["none", "batch@last"]
SIZES = [25, 50, 100, 200], [25, 50, 100, 200, 400, 800, 1600]  # quick, full
DRAWS = 8, 20
LEVELS, POINTS = [5, 10, 20, 50, 100, 200, 500, 1000], 13  # of the contours


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
        draw_theory(axes, norm, sizes)
    frame, T = mf.summarize(cells), sizes[len(sizes) // 2]
    fits = mf.scaling(cells.sel(samples=T))
    diagonal = frame[frame["width"] == frame["samples"]]
    run.save(figure, frame)
    return Made(
        "Where last-layer batch norm works",
        "Without norm λ_max grows with M whatever T is. With batch norm in the last layer it is "
        "the same all along a line T = M/ρ, however wide the network; with T held fixed it grows "
        "with M all the same. Colour: networks; contours: theory.",
        {**SPEC, "C": 1, "M and T": sizes, "networks per point": run.choose(*DRAWS)},
        [
            *exponents(fits, lambda fit: f"{fit.norm}, exponent of M at T = {T}"),
            *numbers(diagonal.sort_values("norm"), lambda row: f"{row.norm}, M = T = {row.width}"),
        ],
        place=40,
    )


def draw_theory(axes, norm: str, sizes: list[int]) -> None:
    """Theory's contours, on the map and in the colours' scale."""
    fine = np.geomspace(sizes[0], sizes[-1], POINTS).round().astype(int)
    places = [(int(M), int(T)) for M in fine for T in fine]
    networks = [mf.Network(**SPEC, width=M, norm=norm) for M, _ in places]
    found = theory(networks, [T for _, T in places]).eigenvalue_max.reshape(POINTS, POINTS)
    lines = axes.contour(fine, fine, found.T, LEVELS, colors="white", linewidths=1)
    axes.clabel(lines, fmt="%g", fontsize=6)
    axes.collections[0].colorbar.add_lines(lines)


if __name__ == "__main__":
    main(["reproduce", "--only", "condition"])
