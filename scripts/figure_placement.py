"""One batch norm in a deep network: sharpness comes from the layers above it."""

import pandas

import meanfield as mf
from meanfield.plot import style
from meanfield.plot.charts import Dot, dots
from meanfield.reproduction.reproduce import main
from meanfield.reproduction.run import Made, Run, numbers
from meanfield.theory.kinds import Kind

DEPTH = 8
WIDTH, DRAWS, SHOWN = (100, 1000), (10, 20), (["tanh"], ["tanh", "relu"])  # quick, full
ACTIVATIONS = {"tanh": (3.0, 0.64), "relu": (2.0, 0.1)}  # (σ_w², σ_b²)
COLUMNS = ["theory_eigenvalue_max", "eigenvalue_max", "eigenvalue_max_sem"]


def sweep(run: Run, activation: str) -> pandas.DataFrame:
    """A row per layer that the norm is in."""
    weight_var, bias_var = ACTIVATIONS[activation]
    grid = mf.Grid(
        depth=DEPTH,
        width=run.choose(*WIDTH),
        samples=run.choose(*WIDTH),
        activation=activation,
        weight_var=weight_var,
        bias_var=bias_var,
        norm=["none", *(f"batch@{layer}" for layer in range(1, DEPTH + 1))],
        draws=run.choose(*DRAWS),
        seed=run.seed,
        second_moment=False,
    )
    return mf.summarize(run.sweep(f"placement-{activation}", grid)).assign(activation=activation)


def make(run: Run) -> Made:
    names = run.choose(*SHOWN)
    size = run.choose((style.COLUMN + 0.6, 2.7), (style.PAGE, 2.7))
    figure, panels = style.pyplot().subplots(
        1, len(names), figsize=size, layout="constrained", squeeze=False, sharey=True
    )
    frame = pandas.concat([sweep(run, name) for name in names])
    for axes, name in zip(panels.flat, names, strict=True):
        here = frame[frame["activation"] == name]
        rows = [
            Dot(row.norm, row.theory_eigenvalue_max, is_bound(row), row.eigenvalue_max, row.sem)
            for row in here.rename(columns={COLUMNS[2]: "sem"}).itertuples()
        ]
        dots(rows, axes, measured=f"measured, {here['draws'].max()} networks")
        weight_var, bias_var = ACTIVATIONS[name]
        axes.set_title(
            f"{name}, $L={DEPTH}$, $\\sigma_w^2={weight_var:g}$, $\\sigma_b^2={bias_var}$"
        )
    run.save(figure, frame)
    return Made(
        "One batch norm in a network of eight layers",
        "λ_max falls as the only batch norm moves up: it wipes out what the layers below it built, "
        "and those above build the outlier up again. Near the top too little is above it, and what "
        "is left is the edge of the bulk, of which theory has a lower bound (hollow).",
        {
            "L": DEPTH,
            "M = T": run.choose(*WIDTH),
            "(σ_w², σ_b²)": "; ".join(f"{name} {ACTIVATIONS[name]}" for name in names),
        },
        numbers(frame, lambda row: f"{row.activation}, {row.norm}"),
    )


def is_bound(row) -> bool:
    return row.theory_eigenvalue_max_kind == Kind.LOWER_BOUND


if __name__ == "__main__":
    main(__file__)
