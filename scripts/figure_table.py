"""Theory against measurement for every placement of normalization."""

import numpy as np
import pandas

import meanfield as mf
from meanfield.numerics.estimates import Estimate, median_of
from meanfield.plot import style
from meanfield.reproduction.reproduce import main
from meanfield.reproduction.run import Made, Run, numbers
from meanfield.studies.validation.cases import ACTIVATIONS, DEPTH, PLACEMENTS
from meanfield.sweeps.grid import Cell
from meanfield.theory.kinds import Kind

WIDTH, DRAWS = (100, 400), (20, 100)  # quick, full
OUTPUTS = 4  # where a norm over units in the last layer wants several
MEAN, MEDIAN = "mean", "median"  # the median where λ_max stays random, for it has heavy tails
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
        rows = mf.summarize(cells).assign(outputs=outputs, activation=activation)
        rows = rows.assign(eigenvalue_max_statistic=MEAN).set_index("norm")
        for norm, cell in zip(grid.axes["norm"], grid.cells(), strict=True):
            if cell.network.norm_records[-1].random_outputs:
                found = medians(run, cell, cells["eigenvalue_max"].sel(norm=norm).values.ravel())
                rows.loc[norm, list(found)] = list(found.values())
        frames.append(rows)
    every = pandas.concat(frames).reindex(list(PLACEMENTS)).reset_index()
    return every.assign(is_bound=every["theory_eigenvalue_max_kind"] == Kind.LOWER_BOUND)


def medians(run: Run, cell: Cell, draws: np.ndarray) -> dict[str, float | str]:
    """λ_max of a row, theory's at this number of samples; the error is that of their ratio."""
    options = {"output_draws": OUTPUT_DRAWS, "seed": run.seed}
    at_samples = mf.predict(cell.network, cell.samples, **options).eigenvalue_max_at_samples
    assert at_samples is not None  # the last norm can sample it
    theory, found = Estimate(**at_samples["50%"]), median_of(draws[np.isfinite(draws)])
    sem = np.hypot(found.sem, theory.relative * found.value)
    return {
        "theory_eigenvalue_max": theory.value,
        "eigenvalue_max": found.value,
        "eigenvalue_max_sem": sem,
        "eigenvalue_max_statistic": MEDIAN,
    }


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
    is_median = row.eigenvalue_max_statistic == MEDIAN
    return f"{named(row)}, {'median ' if is_median else ''}λ_max"


def make(run: Run) -> Made:
    size = {"figsize": (style.PAGE, 3.4), "layout": "constrained"}
    figure, panels = style.pyplot().subplots(1, len(ACTIVATIONS), sharex=True, sharey=True, **size)
    rows = {activation: table(run, activation) for activation in ACTIVATIONS}
    for axes, (activation, here) in zip(panels, rows.items(), strict=True):
        draw(axes, here)
        axes.set_title(activation)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    every = pandas.concat(rows.values())
    random = every.loc[every["eigenvalue_max_statistic"] == MEDIAN, "norm"].unique()
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
            "medians, for λ_max stays random in wide networks": ", ".join(random),
        },
        [
            *numbers(every, named_largest),
            *numbers(every, lambda row: f"{named(row)}, m_λ", "eigenvalue_mean"),
        ],
    )


if __name__ == "__main__":
    main(__file__)
