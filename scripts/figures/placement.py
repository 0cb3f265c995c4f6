"""One batch norm in a deep network: sharpness comes from the layers above it."""

import pandas

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.plot.charts import Dot, dots
from meanfield.reproduction.numbers import numbers
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import spec, title, variances

DEPTH = 8
WIDTH, DRAWS, SHOWN = (100, 1000), (10, 20), (["tanh"], ["tanh", "relu"])  # quick, full


def sweep(run: Run, activation: str) -> pandas.DataFrame:
    """A row per layer that the norm is in."""
    M = run.choose(*WIDTH)
    norms = ["none", *(f"batch@{layer}" for layer in range(1, DEPTH + 1))]
    net = {**spec(activation, DEPTH), "width": M, "norm": norms}
    cells = run.sweep(f"placement-{activation}", mf.Grid(**net, samples=M, **run.effort(*DRAWS)))
    return mf.summarize(cells).assign(activation=activation)


def make(run: Run) -> Made:
    names = run.choose(*SHOWN)
    size = run.choose((style.COLUMN + 0.6, 2.7), (style.PAGE, 2.7))
    figure, panels = style.pyplot().subplots(
        1, len(names), figsize=size, layout="constrained", squeeze=False, sharey=True
    )
    frames = {name: sweep(run, name) for name in names}
    for axes, (name, here) in zip(panels.flat, frames.items(), strict=True):
        rows = numbers(here, lambda row: row.norm)
        measured = f"measured, {here['draws'].max()} networks"
        dots(
            [Dot(n.what, n.theory, n.is_bound, n.measured, n.sem) for n in rows],
            axes,
            measured=measured,
        )
        axes.set_title(title(name, f"$L={DEPTH}$"))
    frame = pandas.concat(frames.values())
    run.save(figure, frame)
    return Made(
        "One batch norm in a network of eight layers",
        "λ_max falls as the only batch norm moves up: it wipes out what the layers below it built, "
        "and those above build the outlier up again. Near the top too little is above it, and what "
        "is left is the edge of the bulk.",
        {"L": DEPTH, "M = T": run.choose(*WIDTH), **variances(names)},
        numbers(frame, lambda row: f"{row.activation}, {row.norm}"),
        place=60,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "placement"])
