"""Spectra under every placement: the outlier, and what a norm over samples makes of it."""

from functools import partial
from itertools import chain

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import numbers
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import spec

SPEC = spec("relu")
PLACEMENTS = "none", "layer@hidden", "batch@hidden", "batch@all", "mean@last", "batch@last"
OUTPUTS = {**dict.fromkeys(PLACEMENTS, 1), "layer@last": 10}
WIDTH, DRAWS = (200, 500), (5, 20)  # quick, full
STATISTICS = "eigenvalue_max", "eigenvalue_mean"


def measure(run: Run, cell: dict) -> dict:
    """Statistics of networks, and all eigenvalues of every one."""
    network = mf.Network(**SPEC, **cell)
    found = mf.simulate(network, network.width, spectrum=True, **run.effort(*DRAWS))
    row: dict = {"eigenvalues": [draw.tolist() for draw in found.eigenvalues or ()]}
    for name in STATISTICS:
        statistic = getattr(found, name)
        row |= {name: statistic.mean, f"{name}_sem": statistic.sem}
    return row


def draw(axes, row: dict, p: mf.Prediction) -> None:
    """The eigenvalues of a placement's networks, and where theory puts them."""
    marks = {"placement": row["norm"], "mean": p.eigenvalue_mean}
    if p.bulk:
        mf.plot.density([p, *row["eigenvalues"]], axes, **marks)
        axes.get_legend().remove()  # it has a panel of its own
    else:
        mf.plot.density(row["eigenvalues"], axes, largest=p.eigenvalue_max, **marks)
    axes.set_title(row["norm"] + (f", $C={row['outputs']}$" if row["outputs"] > 1 else ""))
    axes.label_outer()


def make(run: Run) -> Made:
    M = run.choose(*WIDTH)
    cells = [{"norm": norm, "outputs": C, "width": M} for norm, C in OUTPUTS.items()]
    depends = {**SPEC, "draws": run.choose(*DRAWS)}
    found = run.table("spectra", cells, partial(measure, run), depends)
    theory = [mf.predict(mf.Network(**SPEC, **cell), M) for cell in cells]
    for name in (*STATISTICS, "eigenvalue_max_kind"):
        found[f"theory_{name}"] = [getattr(p, name) for p in theory]
    size = {"figsize": (style.PAGE, 3.6), "layout": "constrained", "sharex": True, "sharey": True}
    figure, panels = style.pyplot().subplots(2, 4, **size)
    for axes, row, p in zip(panels.flat, found.to_dict("records"), theory, strict=False):
        draw(axes, row, p)
    explain(panels)
    first = found.assign(eigenvalue=found["eigenvalues"].str[0])[["norm", "eigenvalue"]]
    run.save(figure, first.explode("eigenvalue").astype({"eigenvalue": float}))
    largest = numbers(found, lambda row: f"{row.norm}: λ_max")
    means = numbers(found, lambda row: f"{row.norm}: m_λ", "eigenvalue_mean")
    return Made(
        "Eigenvalue densities",
        "Without normalization, and with layer norm, one eigenvalue lies far above all others, "
        "where theory puts it (line). Batch norm in the hidden layers moves it down; in the last "
        "layer, or by the mean alone, it is gone. Curve: the bulk's density, which theory has but "
        "for layer@last. Most of the eigenvalues are zero, so their mean (dotted) is far below.",
        {"T": "M", "M": M, "networks": run.choose(*DRAWS), **SPEC},
        [*chain.from_iterable(zip(largest, means, strict=True))],
        place=50,
    )


def explain(panels) -> None:
    """The legend, in the place of the last panel."""
    panels[-1, -1].axis("off")
    panels[-1, -1].legend(*panels[0, 0].get_legend_handles_labels(), title="theory", loc="center")
    panels[0, -1].xaxis.set_tick_params(labelbottom=True)


if __name__ == "__main__":
    main(["reproduce", "--only", "spectra"])
