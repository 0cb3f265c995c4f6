"""Digits against white noise at T = M: last-layer centring flattens λ_max on noise only."""

from functools import partial
from itertools import product

from parts.data_panels import draw_growth, draw_ranks

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import numbers
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import spec

SPEC = spec("relu")
PLACEMENTS = ["none", "layer@hidden", "batch@hidden", "batch@last"]
RANKED = ["none", "batch@hidden", "batch@last"]
DIGITS = "digits"
SOURCES = [DIGITS, "white noise"]
WIDTHS = [50, 100, 200], [100, 200, 300, 400]  # quick, full
DRAWS = 5, 20


def measure(run: Run, cell: dict) -> dict:
    """Theory on these inputs, or for white noise in general, and networks."""
    M = cell["width"]
    net = mf.Network(**SPEC, width=M, norm=cell["norm"])
    x = mf.load_data(DIGITS, M, seed=run.seed) if cell["inputs"] == DIGITS else None
    theory = mf.predict(net, M) if x is None else mf.predict(net, inputs=x, seed=run.seed)
    found = mf.simulate(net, M, inputs=x, spectrum=x is not None, **run.effort(*DRAWS))
    predicted = theory.eigenvalues if isinstance(theory, mf.GivenPrediction) else None
    return {
        "theory_eigenvalue_max": theory.eigenvalue_max,
        "theory_eigenvalue_max_sem": theory.eigenvalue_max_sem or 0.0,
        "theory_eigenvalue_max_kind": theory.eigenvalue_max_kind,
        "eigenvalue_max": found.eigenvalue_max.mean,
        "eigenvalue_max_sem": found.eigenvalue_max.sem,
        "draws": run.choose(*DRAWS),
        "theory_eigenvalues": [] if predicted is None else predicted.tolist(),
        "eigenvalues": [draw.tolist() for draw in found.eigenvalues or ()],
    }


def make(run: Run) -> Made:
    widths = run.choose(*WIDTHS)
    places = product(SOURCES, PLACEMENTS, widths)
    cells = [{"inputs": source, "norm": norm, "width": M} for source, norm, M in places]
    depends = {**SPEC, "draws": run.choose(*DRAWS)}
    found = run.table("data", cells, partial(measure, run), depends)
    size = {"figsize": (style.PAGE, 2.7), "layout": "constrained"}
    figure, (left, middle, right) = style.pyplot().subplots(1, 3, **size)
    middle.sharey(left)
    for axes, source in zip((left, middle), SOURCES, strict=True):
        draw_growth(axes, found[found["inputs"] == source])
        axes.set_title(f"{source}, $T=M$")
    left.set_ylabel(style.label("eigenvalue_max"))
    middle.legend(loc="upper left")
    middle.set_ylim(top=8 * found["eigenvalue_max"].max())
    largest = found[found["width"] == widths[-1]]
    draw_ranks(right, largest[(largest["inputs"] == DIGITS) & largest["norm"].isin(RANKED)])
    right.set_title(f"digits, $T=M={widths[-1]}$")
    run.save(figure, found.drop(columns=["theory_eigenvalues", "eigenvalues"]))
    return Made(
        "Digits against white noise",
        "On white noise, batch norm in the last layer keeps λ_max from growing with M. On digits "
        "it lowers λ_max by a factor, and λ_max grows all the same: data have directions of their "
        "own. The theory on the given inputs (lines) knows them, down the whole spectrum (right; "
        "points: networks). Norms in hidden layers do about the same to both.",
        {**SPEC, "T": "M", "M": widths, "networks per point": run.choose(*DRAWS)},
        numbers(largest, lambda row: f"{row.inputs}, {row.norm}, M = {row.width}"),
        place=90,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "data"])
