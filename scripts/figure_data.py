"""Digits against white noise at T = M: last-layer centring flattens λ_max on noise only."""

from functools import partial
from typing import Any

import numpy as np
import pandas

import meanfield as mf
from meanfield.plot import style
from meanfield.reproduction.reproduce import main
from meanfield.reproduction.run import Made, Run, numbers
from meanfield.theory.kinds import Kind

PLACEMENTS = ["none", "layer@hidden", "batch@hidden", "batch@last"]
RANKED = ["none", "batch@hidden", "batch@last"]
SOURCES = ["digits", "white noise"]
WIDTHS = [50, 100, 200], [100, 200, 300, 400]  # quick, full
DRAWS = 5, 20
SPEC: dict[str, Any] = {"depth": 3, "activation": "relu", "weight_var": 2.0, "bias_var": 0.1}


def cell(run: Run, source: str, norm: str, width: int) -> dict:
    """Theory on these inputs, or for white noise in general, and networks."""
    net = mf.Network(**SPEC, width=width, norm=norm)
    x = mf.load_data("digits", width, seed=run.seed) if source == "digits" else None
    theory = mf.predict(net, width) if x is None else mf.predict(net, inputs=x, seed=run.seed)
    measured = mf.simulate(
        net,
        width,
        inputs=x,
        draws=run.choose(*DRAWS),
        seed=run.seed,
        second_moment=False,
        spectrum=x is not None,
    )
    predicted = getattr(theory, "eigenvalues", None)
    return {
        "inputs": source,
        "norm": norm,
        "width": width,
        "theory_eigenvalue_max": theory.eigenvalue_max,
        "theory_eigenvalue_max_sem": getattr(theory, "eigenvalue_max_sem", None) or 0.0,
        "theory_eigenvalue_max_kind": theory.eigenvalue_max_kind,
        "eigenvalue_max": measured.eigenvalue_max.mean,
        "eigenvalue_max_sem": measured.eigenvalue_max.sem,
        "draws": run.choose(*DRAWS),
        "theory_eigenvalues": [] if predicted is None else predicted.tolist(),
        "eigenvalues": [draw.tolist() for draw in measured.eigenvalues or ()],
    }


def draw_growth(axes, cells: pandas.DataFrame) -> None:
    """λ_max against the width."""
    for norm, line in cells.groupby("norm", sort=False):
        colour, marker = style.look(str(norm))
        bound = (line["theory_eigenvalue_max_kind"] == Kind.LOWER_BOUND).all()
        theory = line["theory_eigenvalue_max"]
        axes.plot(line["width"], theory, "--" if bound else "-", color=colour)
        values = line["width"], line["eigenvalue_max"], line["eigenvalue_max_sem"]
        face = "white" if bound else colour
        points = {"marker": marker, "linestyle": "none", "markerfacecolor": face}
        axes.errorbar(*values, color=colour, label=norm, **points)
    axes.set(xscale="log", yscale="log", xlabel=style.label("width"))
    style.mark_values(axes, cells["width"].unique())


def draw_ranks(axes, cells: pandas.DataFrame) -> None:
    """All eigenvalues in descending order: theory's line, points of the mean over networks."""
    lowest = np.inf
    for row in cells.to_dict("records"):
        colour, marker = style.look(row["norm"])
        theory, draws = np.array(row["theory_eigenvalues"]), row["eigenvalues"]
        count = min(len(theory), *map(len, draws))
        mean = np.mean([draw[:count] for draw in draws], axis=0)
        lowest = min(lowest, mean[-1])
        shown = np.unique(np.geomspace(1, count, 20).round().astype(int))
        axes.plot(np.arange(1, len(theory) + 1), theory, color=colour)
        face = {"markerfacecolor": "white", "markersize": 3.5}
        axes.plot(shown, mean[shown - 1], marker, color=colour, **face)
    axes.set(xscale="log", yscale="log", xlabel="rank", ylabel=r"FIM eigenvalue $\lambda$")
    axes.set_ylim(bottom=lowest / 2)


def make(run: Run) -> Made:
    widths = run.choose(*WIDTHS)
    places = [(source, norm, M) for source in SOURCES for norm in PLACEMENTS for M in widths]
    of = {**SPEC, "draws": run.choose(*DRAWS)}
    cells = pandas.DataFrame(
        run.keep(f"data-{'-'.join(map(str, place))}", of, partial(cell, run, *place))
        for place in places
    )
    size = {"figsize": (style.PAGE, 2.7), "layout": "constrained"}
    figure, (left, middle, right) = style.pyplot().subplots(1, 3, **size)
    middle.sharey(left)
    for axes, source in ((left, "digits"), (middle, "white noise")):
        draw_growth(axes, cells[cells["inputs"] == source])
        axes.set_title(f"{source}, $T=M$")
    left.set_ylabel(style.label("eigenvalue_max"))
    middle.legend(loc="upper left")
    middle.set_ylim(top=8 * cells["eigenvalue_max"].max())
    largest = cells[cells["width"] == widths[-1]]
    draw_ranks(right, largest[(largest["inputs"] == "digits") & largest["norm"].isin(RANKED)])
    right.set_title(f"digits, $T=M={widths[-1]}$")
    run.save(figure, cells.drop(columns=["theory_eigenvalues", "eigenvalues"]))
    return Made(
        "Digits against white noise",
        "On white noise, batch norm in the last layer keeps λ_max from growing with M. On digits "
        "it lowers λ_max by a factor, and λ_max grows all the same: data have directions of their "
        "own. The theory on the given inputs (lines) knows them, down the whole spectrum (right; "
        "points: networks). Norms in hidden layers do about the same to both.",
        {**SPEC, "T": "M", "M": widths, "networks per point": run.choose(*DRAWS)},
        numbers(largest, lambda row: f"{row.inputs}, {row.norm}, M = {row.width}"),
    )


if __name__ == "__main__":
    main(__file__)
