"""Spectra under every placement: the outlier, and what a norm over samples makes of it."""

from functools import partial
from itertools import chain

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import are_bounds, numbers
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import spec

SPEC = spec("relu")
PLACEMENTS = "none", "layer@hidden", "batch@hidden", "batch@all", "mean@last", "batch@last"
OUTPUTS = {**dict.fromkeys(PLACEMENTS, 1), "layer@last": 10}
WIDTH, DRAWS = (200, 500), (5, 20)  # quick, full


def measure(run: Run, cell: dict) -> dict:
    """Theory's statistics and those of networks, and all eigenvalues of every network."""
    network = mf.Network(**SPEC, **cell)
    theory = mf.predict(network, network.width)
    found = mf.simulate(network, network.width, spectrum=True, **run.effort(*DRAWS))
    row = {"theory_eigenvalue_max_kind": theory.eigenvalue_max_kind}
    for name in ("eigenvalue_max", "eigenvalue_mean"):
        statistic = getattr(found, name)
        row |= {f"theory_{name}": getattr(theory, name)}
        row |= {name: statistic.mean, f"{name}_sem": statistic.sem}
    return {**row, "eigenvalues": [draw.tolist() for draw in found.eigenvalues or ()]}


def make(run: Run) -> Made:
    M = run.choose(*WIDTH)
    cells = [{"norm": norm, "outputs": C, "width": M} for norm, C in OUTPUTS.items()]
    depends = {**SPEC, "draws": run.choose(*DRAWS)}
    found = run.table("spectra", cells, partial(measure, run), depends)
    found = found.assign(is_bound=are_bounds(found))
    size = {"figsize": (style.PAGE, 3.6), "layout": "constrained", "sharex": True, "sharey": True}
    figure, panels = style.pyplot().subplots(2, 4, **size)
    for axes, row in zip(panels.flat, found.to_dict("records"), strict=False):
        norm, C, bound = row["norm"], row["outputs"], row["is_bound"]
        marks = {"largest": row["theory_eigenvalue_max"], "mean": row["theory_eigenvalue_mean"]}
        mf.plot.density(row["eigenvalues"], axes, placement=norm, is_bound=bound, **marks)
        axes.set_title(norm + (f", $C={C}$" if C > 1 else ""))
        axes.label_outer()
    explain(panels)
    first = found.assign(eigenvalue=found["eigenvalues"].str[0])[["norm", "eigenvalue"]]
    run.save(figure, first.explode("eigenvalue").astype({"eigenvalue": float}))
    largest = numbers(found, lambda row: f"{row.norm}: λ_max")
    means = numbers(found, lambda row: f"{row.norm}: m_λ", "eigenvalue_mean")
    return Made(
        "Eigenvalue densities",
        "Without normalization, and with layer norm, one eigenvalue lies far above all others, "
        "where theory puts it (solid line). Batch norm in the hidden layers moves it down; in the "
        "last layer, or by the mean alone, it is gone and the spectrum ends at the bulk's edge. "
        "Most of the P eigenvalues are zero, so their mean (dotted) lies far below.",
        {"T": "M", "M": M, "networks": run.choose(*DRAWS), **SPEC},
        [*chain.from_iterable(zip(largest, means, strict=True))],
        place=50,
    )


def explain(panels) -> None:
    """The legend, in the place of the last panel."""
    solid, dashed = (axes.get_legend_handles_labels() for axes in (panels[0, 0], panels[1, 1]))
    entries = dict(zip(solid[1] + dashed[1], solid[0] + dashed[0], strict=True))
    panels[-1, -1].axis("off")
    panels[-1, -1].legend(entries.values(), entries.keys(), title="theory", loc="center")
    panels[0, -1].xaxis.set_tick_params(labelbottom=True)


if __name__ == "__main__":
    main(["reproduce", "--only", "spectra"])
