"""Digits against white noise at T = M: last-layer centring stops λ_max from growing on noise only.

Writes figures/data.png and, beside it, the numbers: figures/data.csv.
"""

import argparse
import csv
from pathlib import Path

import matplotlib
import numpy as np

import meanfield as mf
from meanfield.progress import progress_bar

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PLACEMENTS = {  # colour (Okabe & Ito: safe for colour-blind readers), marker
    "none": ("#000000", "o"),
    "mean@last": ("#E69F00", "v"),
    "batch@last": ("#D55E00", "D"),
}
SOURCES = {"digits": True, "white noise": False}  # filled symbols and solid lines, or not
COLUMNS = ["inputs", "norm", "width", "theory", "theory_sem", "kind", "measured", "sem", "draws"]


def cell(source: str, norm: str, width: int, draws: int, seed: int) -> tuple:
    """One row: theory on these inputs, or for white noise in general, and networks."""
    net = mf.Network(depth=3, width=width, activation="relu", bias_var=0.1, norm=norm)
    x = mf.load_data("digits", width, seed=seed) if source == "digits" else None
    theory = mf.predict(net, width) if x is None else mf.predict(net, inputs=x, seed=seed)
    measured = mf.simulate(net, width, inputs=x, draws=draws, seed=seed, second_moment=False)
    statistic = measured.eigenvalue_max
    error = getattr(theory, "eigenvalue_max_sem", None) or 0.0
    largest, kind = theory.eigenvalue_max, theory.eigenvalue_max_kind
    return source, norm, width, largest, error, kind, statistic.mean, statistic.sem, draws


def measure(widths: list[int], draws: int, seed: int, path: Path) -> list[dict]:
    """Every cell's row, written to `path` as soon as it is measured."""
    cells = [(source, norm, width) for width in widths for source in SOURCES for norm in PLACEMENTS]
    rows = []
    with path.open("w", newline="") as file, progress_bar(cells, "figure: data") as bar:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for source, norm, width in bar:
            values = cell(source, norm, width, draws, seed)
            rows.append(dict(zip(COLUMNS, values, strict=True)))
            writer.writerow(rows[-1])
            file.flush()
    return rows


def plot(rows: list[dict], widths: list[int], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(5.2, 4.2), layout="constrained")
    for source, filled in SOURCES.items():
        for norm, (colour, marker) in PLACEMENTS.items():
            here = [row for row in rows if (row["inputs"], row["norm"]) == (source, norm)]
            by_width = {name: np.array([row[name] for row in here]) for name in COLUMNS[2:]}
            style = "-" if filled else ":"
            axes.plot(by_width["width"], by_width["theory"], color=colour, linestyle=style)
            axes.errorbar(
                by_width["width"],
                by_width["measured"],
                yerr=by_width["sem"],
                color=colour,
                marker=marker,
                markerfacecolor=colour if filled else "white",
                linestyle="none",
                markersize=5,
                capsize=3,
                label=f"{norm}, {source}",
            )
    axes.set(xscale="log", yscale="log", xlabel="hidden width $M$ = samples $T$")
    axes.set_ylabel(r"largest FIM eigenvalue $\lambda_{\max}$")
    axes.set_xticks(widths, [str(M) for M in widths], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_title("ReLU, $L=3$: theory (lines; dotted: white noise), networks", fontsize=10)
    axes.set_ylim(top=12 * max(row["measured"] for row in rows))
    axes.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
    figure.savefig(path, dpi=200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument("--widths", type=int, nargs="+", default=[100, 200, 400, 800, 1600])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = measure(options.widths, options.draws, options.seed, options.out / "data.csv")
    plot(rows, options.widths, options.out / "data.png")


if __name__ == "__main__":
    main()
