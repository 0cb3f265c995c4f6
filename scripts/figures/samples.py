"""Sharpness against the number of samples: the 1/T law, the crossover at T ~ M, the plateau."""

from collections.abc import Iterator

import pandas
import xarray

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import exponents
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import DEPTH, spec, variances

ACTIVATIONS = "tanh", "relu"
PLACEMENTS = "none", "layer@hidden", "mean@last", "batch@last"
WIDTH, DRAWS = (100, 400), (10, 20)  # quick, full
TIMES = (0.04, 0.2, 1, 2, 8), (0.01, 0.04, 0.1, 0.25, 0.5, 1, 2, 4, 8)  # T over M; quick, full


def sweeps(run: Run, activation: str) -> Iterator[xarray.Dataset]:
    """λ_max of each placement, from T = 2, or the fewest samples that its norms take, to 8M."""
    width = run.choose(*WIDTH)
    samples = [2, *(round(times * width) for times in run.choose(*TIMES))]
    for placement in PLACEMENTS:
        net = {**spec(activation), "width": width}
        norms = mf.Network(**net, norm=placement).norm_records
        least = max(norm.min_samples for norm in norms)
        enough = [T for T in samples if least <= T]
        grid = mf.Grid(**net, samples=enough, norm=[placement], **run.effort(*DRAWS))
        yield run.sweep(f"samples-{activation}-{placement}", grid)


def make(run: Run) -> Made:
    size = {"figsize": (style.PAGE, 2.9), "layout": "constrained", "sharey": True}
    figure, panels = style.pyplot().subplots(1, len(ACTIVATIONS), **size)
    numbers, frames, width = [], [], run.choose(*WIDTH)
    for axes, activation in zip(panels, ACTIVATIONS, strict=True):
        for cells in sweeps(run, activation):
            mf.plot.along(cells, "samples", axes=axes)
            frames.append(mf.summarize(cells).assign(activation=activation))
            for where, ends in (("T ≤ M", (0, width)), ("T ≥ M", (width, None))):
                fits = mf.scaling(cells.sel(samples=slice(*ends)), along="samples")
                text = f"{activation}, {{}}, exponent of T at {where}"
                numbers += exponents(fits, lambda fit, text=text: text.format(fit.norm))
        style.mark_values(axes, frames[0]["samples"][:: run.choose(1, 2)])
        axes.axvline(width, color=style.INK, linewidth=0.8, linestyle=":")
        axes.set_title(f"{activation}, $M={width}$; dotted: $T=M$")
        axes.label_outer()
    frame = pandas.concat(frames)
    run.save(figure, frame)
    return Made(
        "λ_max against the number of samples",
        "Once the last layer is centred λ_max falls like 1/T; at T ~ M it turns to a plateau, the "
        "edge of a bulk that more samples no longer move. Otherwise it settles at a few samples "
        "already. Theory (lines) knows both ends and what is between them.",
        {
            "L": DEPTH,
            "M": width,
            "T": sorted(set(frame["samples"].tolist())),
            "C": 1,
            "networks per point": run.choose(*DRAWS),
            **variances(ACTIVATIONS),
        },
        numbers,
        place=30,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "samples"])
