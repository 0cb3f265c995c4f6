"""How far the bulk reaches: its edge over its mean, at any ratio of samples to width."""

import numpy as np
import pandas

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import numbers
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import DEPTH, VARIANCES, spec, variances
from meanfield.theory.white_noise.many import theory

NORM = "mean@last"
WIDTH, DRAWS = (100, 400), (8, 20)  # quick, full
TIMES = (0.1, 0.5, 2), (0.05, 0.1, 0.25, 0.5, 1, 2, 4)  # T over M; quick, full
ENDS, POINTS = (0.03, 8), 40  # of the lines
LOOKS = {"tanh": ("#0072B2", "o"), "relu": ("#D55E00", "s"), "linear": ("#117733", "^")}


def means(samples, eigenvalue_mean, parameters: int):
    """λ_2: without an outlier the T − 1 eigenvalues of the bulk are all there is."""
    return eigenvalue_mean * parameters / (samples - 1)


def measure(run: Run, activation: str) -> pandas.DataFrame:
    """A row per number of samples, λ_max over λ_2."""
    M = run.choose(*WIDTH)
    T = [round(times * M) for times in run.choose(*TIMES)]
    net = {**spec(activation), "width": M, "norm": NORM}
    cells = run.sweep(f"bulk-{activation}", mf.Grid(**net, samples=T, **run.effort(*DRAWS)))
    rows = mf.summarize(cells).assign(activation=activation)
    P = mf.Network(**net).parameters
    means_here = means(rows["samples"], rows["theory_eigenvalue_mean"], P)
    names = ["theory_eigenvalue_max", "eigenvalue_max", "eigenvalue_max_sem"]
    rows[names] = rows[names].div(means_here, axis=0)
    return rows


def draw(axes, rows: pandas.DataFrame, M: int) -> None:
    """The line of wide networks, and those measured."""
    activation = rows["activation"].iloc[0]
    colour, marker = LOOKS[activation]
    net = mf.Network(**spec(activation), width=M, norm=NORM)
    T = np.unique((np.geomspace(*ENDS, POINTS) * M).round().astype(int))
    found = theory([net] * len(T), T.tolist())
    mean = means(T, found.eigenvalue_mean, net.parameters)
    axes.plot(T / M, found.bulk_edge / mean, color=colour, label=activation)
    axes.plot(T / M, found.eigenvalue_max / mean, ":", color=colour, linewidth=1)
    values = rows["samples"] / M, rows["eigenvalue_max"], rows["eigenvalue_max_sem"]
    axes.errorbar(*values, fmt=marker, color=colour, markerfacecolor="white")


def make(run: Run) -> Made:
    figure, axes = style.pyplot().subplots(figsize=(style.COLUMN, 2.9), layout="constrained")
    M = run.choose(*WIDTH)
    frames = [measure(run, activation) for activation in VARIANCES]
    for rows in frames:
        draw(axes, rows, M)
    axes.set(xscale="log", yscale="log", xlabel="samples over width, $T/M$")
    axes.set_ylabel(r"edge over mean of the bulk, $E/\lambda_2$")
    style.mark_values(axes, (0.05, 0.1, 0.2, 0.5, 1, 2, 5))
    axes.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    axes.legend()
    frame = pandas.concat(frames)
    run.save(figure, frame)
    return Made(
        "How far the bulk reaches",
        "Once the last layer is centred λ_max is the edge E of the bulk. With few samples all its "
        "eigenvalues are about λ_2, their mean; with many it spreads. Solid: E in wide networks; "
        f"dotted: the largest eigenvalue expected at M = {M}, which the points are measured at.",
        {"L": DEPTH, "norm": NORM, "M": M, "networks": run.choose(*DRAWS), **variances()},
        numbers(frame, lambda row: f"{row.activation}, T = {row.samples}: λ_max/λ_2"),
        place=35,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "bulk"])
