"""The panels of the phase diagrams: maps over both variances, and curves against depth."""

import numpy as np
import pandas

import meanfield as mf
from meanfield.plot import style
from meanfield.theory.white_noise.order_chaos import order_chaos_line

ACTIVATIONS = {"tanh": "-", "erf": "--"}
TITLES = {
    "kappa1": r"$\kappa_1$",
    "kappa2": r"$\kappa_2$",
    "sharpness": r"$\lambda_{\max}/M$",
    "ratio": r"$\lambda_{\max}^{\mathrm{last}}/\lambda_{\max}$",
}
WIDTH, DEPTH, BIAS_VAR = 1000, 10, 0.1
PHASES = {0.8: "#332288", 1.6: "#44AA99", 3.0: "#AA4499"}  # σ_w²: ordered, near the line, chaotic


def quantities(activation: str, depth: int, weight_var, bias_var) -> dict[str, np.ndarray]:
    """What the panels show, at T = M."""
    network = mf.Network(depth=depth, width=WIDTH, activation=activation, bias_var=BIAS_VAR)
    none, last = (
        mf.diagram(network.with_norms(norm), WIDTH, weight_var, bias_var)
        for norm in ("none", "batch@last")
    )
    largest = none.eigenvalue_max
    ratio = last.eigenvalue_max / largest
    values = (none.kappa1, none.kappa2, largest / WIDTH, ratio)
    return dict(zip(TITLES, map(np.asarray, values), strict=True))


def draw_planes(row, activation: str, points: int) -> pandas.DataFrame:
    """Over (σ_w², σ_b²), with the line where χ_1 = 1."""
    w, b = np.linspace(0.4, 4, points), np.linspace(0.005, 1, points)
    line = order_chaos_line(activation, np.linspace(1e-3, 4, 400))
    found = quantities(activation, DEPTH, w[:, None], b)
    for axes, (name, values) in zip(row, found.items(), strict=True):
        title = f"{activation}: {TITLES[name]}"
        mf.plot.plane(values, w, b, axes, xlabel="weight_var", ylabel="bias_var", title=title)
        axes.plot(*line, color="white", linewidth=2.2)
        axes.plot(*line, color="black", linestyle="--", linewidth=1)
        axes.set(xlim=(w[0], w[-1]), ylim=(b[0], b[-1]))
        axes.label_outer()
    thin = slice(None, None, max(points // 40, 1))
    grid = np.meshgrid(w[thin], b[thin], indexing="ij")
    columns = {"weight_var": grid[0], "bias_var": grid[1]}
    columns |= {name: values[thin, thin] for name, values in found.items()}
    frame = pandas.DataFrame({name: values.ravel() for name, values in columns.items()})
    return frame.assign(activation=activation, depth=DEPTH)


def draw_depths(row, activation: str, depths: list[int]) -> pandas.DataFrame:
    """Against depth, in each phase."""
    w = np.array(list(PHASES))
    found = [quantities(activation, depth, w, BIAS_VAR) for depth in depths]
    frames = []
    for place, (weight_var, colour) in enumerate(PHASES.items()):
        columns = {name: [values[name][place] for values in found] for name in TITLES}
        for axes, (name, values) in zip(row, columns.items(), strict=True):
            shown = np.where(np.array(values) > 0, values, np.nan)
            text = f"{activation}, $\\sigma_w^2={weight_var:g}$"
            axes.plot(depths, shown, ACTIVATIONS[activation], color=colour, label=text)
            axes.set(xscale="log", yscale="log", xlabel=style.label("depth"), title=TITLES[name])
            axes.xaxis.set_minor_formatter("")  # few depths: the minor labels would run together
        frame = pandas.DataFrame({"depth": depths, **columns})
        frames.append(frame.assign(weight_var=weight_var, bias_var=BIAS_VAR, activation=activation))
    return pandas.concat(frames)
