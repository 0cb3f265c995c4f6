"""Digits against white noise at T = M: last-layer centring flattens λ_max on noise only."""

from functools import partial
from typing import Any

import pandas

import meanfield as mf
from meanfield.plot import style
from meanfield.reproduction import main
from meanfield.reproduction_run import Made, Run, numbers

PLACEMENTS = ["none", "mean@last", "batch@last"]
SOURCES = {"digits": "-", "white noise": ":"}
WIDTHS = [50, 100, 200], [100, 200, 400, 800, 1600]  # quick, full
DRAWS = 5, 20
SPEC: dict[str, Any] = {"depth": 3, "activation": "relu", "weight_var": 2.0, "bias_var": 0.1}


def cell(run: Run, source: str, norm: str, width: int) -> dict:
    """Theory on these inputs, or for white noise in general, and networks."""
    net = mf.Network(**SPEC, width=width, norm=norm)
    x = mf.load_data("digits", width, seed=run.seed) if source == "digits" else None
    theory = mf.predict(net, width) if x is None else mf.predict(net, inputs=x, seed=run.seed)
    draws = run.choose(*DRAWS)
    measured = mf.simulate(net, width, inputs=x, draws=draws, seed=run.seed, second_moment=False)
    return {
        "inputs": source,
        "norm": norm,
        "width": width,
        "theory_eigenvalue_max": theory.eigenvalue_max,
        "theory_eigenvalue_max_sem": getattr(theory, "eigenvalue_max_sem", None) or 0.0,
        "theory_eigenvalue_max_kind": theory.eigenvalue_max_kind,
        "eigenvalue_max": measured.eigenvalue_max.mean,
        "eigenvalue_max_sem": measured.eigenvalue_max.sem,
        "draws": draws,
    }


def draw(axes, cells: pandas.DataFrame) -> None:
    for keys, line in cells.groupby(["inputs", "norm"], sort=False):
        source, norm = map(str, keys)
        colour, marker = style.look(norm)
        axes.plot(line["width"], line["theory_eigenvalue_max"], SOURCES[source], color=colour)
        face = colour if source == "digits" else "white"
        points = {"marker": marker, "markerfacecolor": face, "linestyle": "none"}
        values = line["width"], line["eigenvalue_max"], line["eigenvalue_max_sem"]
        axes.errorbar(*values, color=colour, label=f"{norm}, {source}", **points)
    axes.set(xscale="log", yscale="log", xlabel=style.label("width"))
    axes.set_ylabel(style.label("eigenvalue_max"))
    axes.set_ylim(top=15 * cells["eigenvalue_max"].max())
    axes.set_title("ReLU, $L=3$, $T=M$; dotted, hollow: white noise")
    style.mark_values(axes, cells["width"].unique())
    axes.legend(loc="upper left", ncols=2)


def make(run: Run) -> Made:
    widths = run.choose(*WIDTHS)
    places = [(source, norm, M) for source in SOURCES for norm in PLACEMENTS for M in widths]
    cells = pandas.DataFrame(
        run.keep(f"data-{'-'.join(map(str, place))}", partial(cell, run, *place))
        for place in places
    )
    figure, axes = style.pyplot().subplots(figsize=(style.COLUMN + 0.6, 3), layout="constrained")
    draw(axes, cells)
    run.save(figure, cells)
    largest = cells[cells["width"] == widths[-1]]
    return Made(
        "Digits against white noise",
        "On white noise, centring the last layer keeps λ_max from growing with M. On digits it "
        "lowers λ_max by a factor and λ_max grows all the same: data have directions of their own. "
        "The theory on the given inputs follows both.",
        {**SPEC, "T": "M", "M": widths, "networks per point": run.choose(*DRAWS)},
        numbers(largest, lambda row: f"{row.inputs}, {row.norm}, M = {row.width}"),
    )


if __name__ == "__main__":
    main(__file__)
