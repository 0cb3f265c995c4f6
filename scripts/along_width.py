"""What the figures along the width share: sweeps at T = M, and a panel per activation."""

import pandas
import xarray

import meanfield as mf
from meanfield.plot import style
from meanfield.reproduction.run import Number, Run, exponents, numbers

ACTIVATIONS = {"tanh": (3.0, 0.64), "relu": (2.0, 0.1), "linear": (1.0, 0.1)}  # (σ_w², σ_b²)
DEPTH, OUTPUTS = 3, 10
GROUPS = (  # placements, their outputs, and how wide at most: what takes longer stops earlier
    (["none", "layer@hidden", "mean@last", "batch@last"], 1, 3200),
    (["batch@hidden", "batch@all"], 1, 1600),
    (["layer@last"], OUTPUTS, 1600),
)
WIDTHS = [50, 100, 200], [100, 200, 400, 800, 1600, 3200]  # quick, full
DRAWS = 8, 20
TIGHT = {"ncols": 2, "fontsize": 6.3, "handlelength": 1, "columnspacing": 1}


def sweeps(run: Run, activation: str) -> list[xarray.Dataset]:
    """All placements of one activation."""
    weight_var, bias_var = ACTIVATIONS[activation]
    found = []
    for norms, outputs, widest in GROUPS:
        grid = mf.Grid(
            depth=DEPTH,
            width=[width for width in run.choose(*WIDTHS) if width <= widest],
            samples="width",
            outputs=outputs,
            activation=activation,
            weight_var=weight_var,
            bias_var=bias_var,
            norm=norms,
            draws=run.choose(*DRAWS),
            seed=run.seed,
            second_moment=False,
        )
        found.append(run.sweep(f"width-{activation}-{norms[0]}", grid))
    return found


def panels(run: Run, variable: str, prepare=lambda dataset: dataset, mark=None):
    """The figure of one statistic with fitted exponents, its numbers and its data."""
    size = {"figsize": (style.PAGE, 3.4), "layout": "constrained", "sharey": True}
    figure, row = style.pyplot().subplots(1, 3, **size)
    rows, frames = [], []
    for axes, (activation, (weight_var, bias_var)) in zip(row, ACTIVATIONS.items(), strict=True):
        for dataset in map(prepare, sweeps(run, activation)):
            fits = mf.scaling(dataset, variable)
            found = zip(fits["norm"].values, fits["exponent"].values, strict=True)
            labels = {
                str(norm): f"{norm}: $M^{{{round(exponent, 2) + 0:.2f}}}$"  # not −0.00
                for norm, exponent in found
            }
            mf.plot.along(dataset, "width", variable, axes, labels=labels)
            if mark:
                mark(axes, dataset)
            frames.append(mf.summarize(dataset).assign(activation=activation))
            rows += at_largest(frames[-1], variable)
            text = f"{activation}, {{}}: exponent of M"
            rows += exponents(fits, lambda fit, text=text: text.format(fit.norm))
        axes.set_title(f"{activation}, $\\sigma_w^2={weight_var:g}$, $\\sigma_b^2={bias_var:g}$")
        style.mark_values(axes, run.choose(*WIDTHS)[:: run.choose(1, 2)])
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), **TIGHT)
        axes.label_outer()
    return figure, row, rows, pandas.concat(frames)


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
        "(σ_w², σ_b²)": "; ".join(f"{name} {pair}" for name, pair in ACTIVATIONS.items()),
    }
