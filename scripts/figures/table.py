"""Theory against measurement for every placement of normalization."""

import pandas
from parts.placements import DRAWS, MEDIAN, WIDTH, table

from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import numbers
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import DEPTH, VARIANCES, variances
from meanfield.theory.kinds import Kind

SERIES = (  # statistic, its name, of which kinds of λ_max, colour, marker
    ("eigenvalue_mean", r"$m_\lambda$", tuple(Kind), "#009E73", "s"),
    ("eigenvalue_max", r"$\lambda_{\max}$, outlier", (Kind.OUTLIER,), "#0072B2", "o"),
    ("eigenvalue_max", r"$\lambda_{\max}$, edge of the bulk", (Kind.BULK_EDGE,), "#D55E00", "D"),
)


def draw(axes, rows: pandas.DataFrame) -> None:
    """Measured over theory, with its standard error."""
    for name, text, kinds, colour, marker in SERIES:
        here = rows[rows["theory_eigenvalue_max_kind"].isin(kinds)]
        theory = here[f"theory_{name}"]
        points = {"color": colour, "fmt": marker, "label": text}
        axes.errorbar(here[name] / theory, here.index, xerr=here[f"{name}_sem"] / theory, **points)
    axes.axvline(1, color=style.INK, linewidth=0.8)
    axes.set(xscale="log", xlabel="measured / theory", ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(rows.index, rows["norm"])
    style.mark_values(axes, (0.8, 0.9, 1, 1.1, 1.2))


def named(row) -> str:
    return f"{row.activation}, {row.norm}, C = {row.outputs}"


def named_largest(row) -> str:
    is_median = row.eigenvalue_max_statistic == MEDIAN
    return f"{named(row)}, {'median ' if is_median else ''}λ_max"


def make(run: Run) -> Made:
    size = {"figsize": (style.PAGE, 3.4), "layout": "constrained"}
    figure, panels = style.pyplot().subplots(1, len(VARIANCES), sharex=True, sharey=True, **size)
    rows = {activation: table(run, activation) for activation in VARIANCES}
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
        "under layer and rms norm in the last layer. Where no outlier is left λ_max is the bulk's "
        "edge (diamonds), and predicted just as well.",
        {
            "L": DEPTH,
            "M = T": run.choose(*WIDTH),
            "networks per row": run.choose(*DRAWS),
            **variances(),
            "medians, for λ_max stays random in wide networks": ", ".join(random),
        },
        [
            *numbers(every, named_largest),
            *numbers(every, lambda row: f"{named(row)}, m_λ", "eigenvalue_mean"),
        ],
        place=100,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "table"])
