"""Spectra under every placement: the outlier, and what a norm over samples makes of it."""

from typing import Any

import pandas

import meanfield as mf
from meanfield.plot import style
from meanfield.reproduction.reproduce import main
from meanfield.reproduction.run import Made, Number, Run
from meanfield.theory.kinds import Kind

PLACEMENTS = {  # outputs
    "none": 1,
    "layer@hidden": 1,
    "batch@hidden": 1,
    "batch@all": 1,
    "mean@last": 1,
    "batch@last": 1,
    "layer@last": 10,
}
WIDTH, DRAWS = (200, 500), (5, 20)  # quick, full
SPEC: dict[str, Any] = {"depth": 3, "activation": "relu", "weight_var": 2.0, "bias_var": 0.1}


def measure(run: Run, placement: str) -> tuple[mf.Prediction, dict]:
    """Theory, and the eigenvalues of every sampled network."""
    width = run.choose(*WIDTH)
    network = mf.Network(**SPEC, width=width, norm=placement, outputs=PLACEMENTS[placement])

    draws = run.choose(*DRAWS)

    def compute() -> dict:
        options: dict[str, Any] = {"draws": draws, "seed": run.seed, "second_moment": False}
        found = mf.simulate(network, width, spectrum=True, **options)
        statistics = {"λ_max": found.eigenvalue_max, "m_λ": found.eigenvalue_mean}
        rows = {name: (statistic.mean, statistic.sem) for name, statistic in statistics.items()}
        return {"eigenvalues": [e.tolist() for e in found.eigenvalues or ()], **rows}

    kept = run.keep(f"spectra-{placement}", {"network": network.to_dict(), "draws": draws}, compute)
    return mf.predict(network, width), kept


def make(run: Run) -> Made:
    size = {"figsize": (style.PAGE, 3.6), "layout": "constrained", "sharex": True, "sharey": True}
    figure, panels = style.pyplot().subplots(2, 4, **size)
    numbers, frames = [], []
    for axes, placement in zip(panels.flat, PLACEMENTS, strict=False):
        theory, found = measure(run, placement)
        bound = theory.eigenvalue_max_kind == Kind.LOWER_BOUND
        expected = theory.eigenvalue_max, theory.eigenvalue_mean
        marks: dict[str, Any] = {"largest": expected[0], "is_bound": bound, "mean": expected[1]}
        mf.plot.density(found["eigenvalues"], axes, placement=placement, **marks)
        axes.set_title(placement + (f", $C={C}$" if (C := PLACEMENTS[placement]) > 1 else ""))
        axes.label_outer()
        for name, value in zip(("λ_max", "m_λ"), expected, strict=True):
            is_bound = bound and name == "λ_max"
            numbers.append(
                Number.of(f"{placement}: {name}", value, *found[name], is_bound=is_bound)
            )
        frames.append(pandas.DataFrame({"norm": placement, "eigenvalue": found["eigenvalues"][0]}))
    explain(panels)
    run.save(figure, pandas.concat(frames))
    parameters = {"T": "M", "M": run.choose(*WIDTH), "networks": run.choose(*DRAWS), **SPEC}
    return Made(
        "Eigenvalue densities",
        "Without normalization, and with layer norm, one eigenvalue lies far above all others, "
        "where theory puts it (solid line). Batch norm in the hidden layers moves it down; in the "
        "last layer, or by the mean alone, it is gone and the spectrum ends at the bulk's edge. "
        "Most of the P eigenvalues are zero, so their mean (dotted) lies far below.",
        parameters,
        numbers,
    )


def explain(panels) -> None:
    """The legend, in the place of the last panel."""
    solid, dashed = (axes.get_legend_handles_labels() for axes in (panels[0, 0], panels[1, 1]))
    entries = dict(zip(solid[1] + dashed[1], solid[0] + dashed[0], strict=True))
    panels[-1, -1].axis("off")
    panels[-1, -1].legend(entries.values(), entries.keys(), title="theory", loc="center")
    panels[0, -1].xaxis.set_tick_params(labelbottom=True)


if __name__ == "__main__":
    main(__file__)
