"""What the figures along the width share: sweeps at T = M, and a panel per activation."""

from collections.abc import Iterator

import pandas
import xarray

import meanfield as mf
from meanfield.plot import style
from meanfield.reproduction.numbers import Number, exponents, limits, numbers
from meanfield.reproduction.run import Run
from meanfield.reproduction.settings import DEPTH, VARIANCES, spec, title, variances

OUTPUTS = 10
GROUPS = (  # placements, their outputs, and how wide at most: what takes longer stops earlier
    (["none", "layer@hidden", "mean@last", "batch@last"], 1, 3200),
    (["batch@hidden", "batch@all"], 1, 1600),
    (["layer@last"], OUTPUTS, 1600),
)
WIDTHS = [50, 100, 200], [100, 200, 400, 800, 1600, 3200]  # quick, full
DRAWS = 8, 20
TIGHT = {"ncols": 2, "fontsize": 6.3, "handlelength": 1, "columnspacing": 1}


def sweeps(run: Run, activation: str) -> Iterator[xarray.Dataset]:
    """All placements of one activation."""
    for norms, outputs, widest in GROUPS:
        widths = [width for width in run.choose(*WIDTHS) if width <= widest]
        net = {**spec(activation), "width": widths, "outputs": outputs, "norm": norms}
        grid = mf.Grid(**net, samples="width", **run.effort(*DRAWS))
        yield run.sweep(f"width-{activation}-{norms[0]}", grid)


def panels(run: Run, variable: str, prepare=lambda dataset: dataset, mark=None):
    """The figure of one statistic with fitted exponents, its numbers and its data."""
    size = {"figsize": (style.PAGE, 3.4), "layout": "constrained", "sharey": True}
    figure, row = style.pyplot().subplots(1, len(VARIANCES), **size)
    rows, frames = [], []
    for axes, activation in zip(row, VARIANCES, strict=True):
        for dataset in map(prepare, sweeps(run, activation)):
            fits = mf.scaling(dataset, variable)
            mf.plot.along(dataset, "width", variable, axes, labels=powers(fits))
            if mark:
                mark(axes, dataset)
            frames.append(mf.summarize(dataset).assign(activation=activation))
            rows += at_largest(frames[-1], variable)
            rows += exponents(fits, f"{activation}, {{0.norm}}: exponent of M".format)
            rows += limits(fits, f"{activation}, {{0.norm}}: λ_max as M → ∞".format)
        axes.set_title(title(activation))
        style.mark_values(axes, run.choose(*WIDTHS)[:: run.choose(1, 2)])
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), **TIGHT)
        axes.label_outer()
    return figure, row, rows, pandas.concat(frames)


def powers(fits: xarray.Dataset) -> dict[str, str]:
    """What the legend says of each placement: its power of M."""
    found = zip(fits["norm"].values, fits["exponent"].values, strict=True)
    return {  # + 0: not −0.00
        str(norm): f"{norm}: $M^{{{round(power, 2) + 0:.2f}}}$" for norm, power in found
    }


def at_largest(data: pandas.DataFrame, variable: str) -> list[Number]:
    largest = data[data["width"] == data["width"].max()]
    return numbers(largest, lambda row: f"{row.activation}, {row.norm}, M = {row.width}", variable)


def parameters(data: pandas.DataFrame) -> dict:
    widest = data.groupby("norm", sort=False)["width"].max()
    shorter = widest[widest < widest.max()]
    return {
        "L": DEPTH,
        "T": "M",
        "M": ", ".join(map(str, sorted(set(data["width"])))),
        **{f"M of {norm}": f"to {width}" for norm, width in shorter.items()},
        "C": f"1; {OUTPUTS} for layer@last",
        "networks per point": int(data["draws"].max()),
        **variances(),
    }
