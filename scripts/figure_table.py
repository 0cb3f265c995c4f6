"""Theory against measurement for every placement of normalization."""

import numpy as np
import pandas

import meanfield as mf
from meanfield.grids import Cell
from meanfield.plot import style
from meanfield.reproduction import main
from meanfield.reproduction_run import Made, Run, numbers
from meanfield.validation import ACTIVATIONS, DEPTH, PLACEMENTS, Estimate, median_of

WIDTH, DRAWS = (100, 400), (20, 100)  # quick, full
OUTPUTS = 4  # where a norm over units in the last layer wants several
RANDOM = ("layer@last", "rms@last")  # λ_max stays random and has heavy tails: medians
OUTPUT_DRAWS = 2000  # of theory's median
SERIES = (  # statistic, its name, whether where theory has but a bound of λ_max, colour, marker
    ("eigenvalue_mean", r"$m_\lambda$", (False, True), "#009E73", "s"),
    ("eigenvalue_max", r"$\lambda_{\max}$", (False,), "#0072B2", "o"),
    ("eigenvalue_max", r"$\lambda_{\max}$ over its bound", (True,), "#D55E00", "o"),
)


def table(run: Run, activation: str) -> pandas.DataFrame:
    """A row per placement."""
    weight_var, bias_var = ACTIVATIONS[activation]
    frames = []
    for outputs in (1, OUTPUTS):
        grid = mf.Grid(
            depth=DEPTH,
            width=run.choose(*WIDTH),
            samples=run.choose(*WIDTH),
            outputs=outputs,
            norm=[norm for norm, tried in PLACEMENTS.items() if (1 in tried) == (outputs == 1)],
            activation=activation,
            weight_var=weight_var,
            bias_var=bias_var,
            draws=run.choose(*DRAWS),
            seed=run.seed,
            second_moment=False,
        )
        cells = run.sweep(f"table-{activation}-{outputs}", grid)
        frames.append(mf.summarize(cells).assign(outputs=outputs, activation=activation))
        frames[-1] = frames[-1].set_index("norm")
        for norm, cell in zip(grid.axes["norm"], grid.cells(), strict=True):
            if norm in RANDOM:
                found = medians(run, cell, cells["eigenvalue_max"].sel(norm=norm).values.ravel())
                frames[-1].loc[norm, list(found)] = list(found.values())
    every = pandas.concat(frames).reindex(list(PLACEMENTS)).reset_index()
    statistic = ["median" if norm in RANDOM else "mean" for norm in every["norm"]]
    bound = every["theory_eigenvalue_max_kind"] == "lower-bound"
    return every.assign(is_bound=bound, eigenvalue_max_statistic=statistic)


def medians(run: Run, cell: Cell, draws: np.ndarray) -> dict[str, float]:
    """λ_max of a row, theory's at this number of samples; the error is that of their ratio."""
    options = {"output_draws": OUTPUT_DRAWS, "seed": run.seed}
    at_samples = mf.predict(cell.network, cell.samples, **options).eigenvalue_max_at_samples
    assert at_samples is not None  # it is where the last norm is one of RANDOM
    theory, found = Estimate(**at_samples["50%"]), median_of(draws[np.isfinite(draws)])
    sem = np.hypot(found.sem, theory.relative * found.value)
    names = ("theory_eigenvalue_max", "eigenvalue_max", "eigenvalue_max_sem")
    return dict(zip(names, (theory.value, found.value, sem), strict=True))


def draw(axes, rows: pandas.DataFrame) -> None:
    """Measured over theory, with its standard error."""
    for name, text, bounds, colour, marker in SERIES:
        here = rows[rows["is_bound"].isin(bounds)]
        theory = here[f"theory_{name}"]
        axes.errorbar(
            here[name] / theory,
            here.index,
            xerr=here[f"{name}_sem"] / theory,
            fmt=marker,
            color=colour,
            markerfacecolor="white" if bounds == (True,) else colour,
            label=text,
        )
    axes.axvline(1, color=style.INK, linewidth=0.8)
    axes.set(xscale="log", xlabel="measured / theory", ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(rows.index, rows["norm"])
    style.mark_values(axes, (1, 2, 4, 8))


def named(row) -> str:
    return f"{row.activation}, {row.norm}, C = {row.outputs}"


def named_largest(row) -> str:
    return f"{named(row)}, {'median ' if row.norm in RANDOM else ''}λ_max"


def make(run: Run) -> Made:
    size = {"figsize": (style.PAGE, 3.4), "layout": "constrained"}
    figure, panels = style.pyplot().subplots(1, len(ACTIVATIONS), sharex=True, sharey=True, **size)
    rows = {activation: table(run, activation) for activation in ACTIVATIONS}
    for axes, (activation, here) in zip(panels, rows.items(), strict=True):
        draw(axes, here)
        axes.set_title(activation)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    every = pandas.concat(rows.values())
    run.save(figure, every)
    return Made(
        "Theory against measurement, every placement",
        "m_λ and λ_max agree with theory, up to their errors and what finite width adds: most "
        "under layer and rms norm in the last layer, and where the outlier is hardly above the "
        "bulk (linear, mean@1 and batch@1). Where theory has a lower bound only (hollow) λ_max is "
        "several times larger.",
        {
            "L": DEPTH,
            "M = T": run.choose(*WIDTH),
            "networks per row": run.choose(*DRAWS),
            "(σ_w², σ_b²)": "; ".join(f"{name} {pair}" for name, pair in ACTIVATIONS.items()),
            "medians, for λ_max stays random in wide networks": ", ".join(RANDOM),
        },
        [
            *numbers(every, named_largest),
            *numbers(every, lambda row: f"{named(row)}, m_λ", "eigenvalue_mean"),
        ],
    )


if __name__ == "__main__":
    main(__file__)
