"""Phase diagrams of sharpness: order, chaos, and what last-layer batch norm makes of them."""

import pandas
from parts import phase_panels

from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import Number
from meanfield.reproduction.run import Made, Run

POINTS = 20, 80  # quick, full; finding the edge of the bulk takes milliseconds at each
DEPTHS = [2, 10, 30], [2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 80, 100]


def make(run: Run) -> Made:
    depths, points = run.choose(*DEPTHS), run.choose(*POINTS)
    figure = style.pyplot().figure(figsize=(style.PAGE, 5.4), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[1.75, 1])
    planes, curves = upper.subplots(2, 4, sharex=True, sharey=True), lower.subplots(1, 4)
    frames = []
    for row, activation in zip(planes, phase_panels.ACTIVATIONS, strict=True):
        frames.append(phase_panels.draw_planes(row, activation, points))
        frames.append(phase_panels.draw_depths(curves, activation, depths))
    lower.legend(*curves[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    data = pandas.concat(frames)
    run.save(figure, data)
    ends = data[data["depth"].isin([depths[0], depths[-1]])]
    ends = ends[["activation", "weight_var", "depth", "ratio"]]
    return Made(
        "Phase diagrams",
        "Left of the dashed line (χ_1 = 1) differences between samples die out with depth, right "
        "of it they grow: there κ1 and λ_max explode with depth while κ2, the outlier's share, "
        "dwindles. Last column: λ_max with batch norm in the last layer, the edge of the bulk, "
        "over λ_max without. It helps most a little right of the line; hardly in a deep chaotic "
        "network or without biases, where there is no outlier to remove; and it does harm in a "
        "deep ordered one, where samples have become alike and it divides by what is left.",
        {
            "L": phase_panels.DEPTH,
            "M = T": phase_panels.WIDTH,
            "points": f"{points} × {points}",
            "σ_b² against depth": phase_panels.BIAS_VAR,
            "depths": depths,
            "κ2": "not drawn below 10⁻¹² κ1, where it is rounding",
        },
        [
            Number.of(f"{name}, σ_w² = {w:g}, L = {L}: λ_max, batch@last / none", ratio)
            for name, w, L, ratio in ends.itertuples(index=False)
        ],
        place=70,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "phase"])
