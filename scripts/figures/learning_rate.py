"""Gradient descent over widths and learning rates: where 2/λ_max lies, and where it diverges."""

from collections.abc import Iterator

import pandas
from parts import tasks, training

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import Number
from meanfield.reproduction.run import Made, Run

TAKES_DATA = True


def draw(axes, rows: pandas.DataFrame, ends: tuple[float, float]) -> None:
    """The map of the loss, with 2/λ_max."""
    losses = rows.pivot(index="width", columns="learning_rate", values="loss")
    mf.plot.plane(losses.values, losses.index, losses.columns, axes, limits=ends)
    axes.set(xlabel=style.label("width"), ylabel=r"learning rate $\eta$")
    axes.set(xscale="log", yscale="log")
    style.mark_values(axes, losses.index)
    gone = rows[rows["diverged"] > 0]
    axes.plot(gone["width"], gone["learning_rate"], "x", color="#D55E00", markersize=3.5)
    limits = rows.groupby("width")[["limit", "source"]].first()
    measured = (limits["source"] == "measured").any()
    axes.plot(limits.index, limits["limit"], ":" if measured else "-", color="white", linewidth=3)
    axes.plot(limits.index, limits["limit"], "--" if measured else "-", color="black")
    axes.set_title(rows["norm"].iloc[0])


def numbers(rows: pandas.DataFrame) -> Iterator[Number]:
    """From where on the loss rises, and diverges, beside 2/λ_max."""
    for row in rows.groupby(["task", "norm", "width"], sort=False).head(1).to_dict("records"):
        for event, text in (("instability", "η from which E rises"), ("threshold", "diverges")):
            if not pandas.isna(row[event]):
                what = f"{{task}}, {{norm}}, M = {{width}}, {text}; 2/λ_max {{source}}"
                found = row["limit"], row[event], row[f"{event}_sem"]
                yield Number.of(what.format_map(row), *found)


def make(run: Run) -> Made:
    names, columns = list(tasks.sources(run)), len(training.PLACEMENTS)
    rows = pandas.concat([training.measure(run, task) for task in names])
    size = {"figsize": (style.PAGE + 1, 2.1 * len(names)), "layout": "constrained"}
    figure, panels = style.pyplot().subplots(len(names), columns, sharey="row", **size)
    for line, task in zip(panels, names, strict=True):
        here = rows[rows["task"] == task]
        highest = float(here["loss"].quantile(0.9))
        ends = max(float(here["loss"].min()), highest / 1e5), highest
        for axes, norm in zip(line, training.PLACEMENTS, strict=True):
            draw(axes, here[here["norm"] == norm], ends)
            axes.label_outer()
        line[0].set_ylabel(f"{task}\n{line[0].get_ylabel()}")
    run.save(figure, rows)
    return Made(
        "Final training loss over width and learning rate",
        "Colour: loss after full-batch gradient descent; crosses: some of the initializations "
        "diverged. The line is theory's 2/λ_max at initialization (dashed: λ_max measured, "
        "where theory on given inputs has but a lower bound). Above it the loss first rises; "
        "networks that survive move to where F is flatter, and diverge from about twice that on. "
        "With batch norm in the last layer the outputs are bounded and nothing diverges.",
        {
            **tasks.SPEC,
            "T": run.choose(*tasks.SAMPLES),
            "steps": run.choose(*training.STEPS),
            "targets": "standardized",
            "initializations": training.DRAWS,
            "M": run.choose(*training.WIDTHS),
        },
        [*numbers(rows)],
        place=80,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "learning-rate"])
