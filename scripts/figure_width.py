"""Sharpness against width at T = M: only last-layer batch norm keeps λ_max from growing.

Writes figures/width.png and, beside it, the numbers: figures/width.csv.
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

PLACEMENTS = {  # label, colour (Okabe & Ito: safe for colour-blind readers), marker
    "none": ("no normalization", "#000000", "o"),
    "batch@hidden": ("batch norm, hidden layers", "#0072B2", "s"),
    "layer@hidden": ("layer norm, hidden layers", "#009E73", "^"),
    "batch@last": ("batch norm, last layer", "#D55E00", "D"),
}
COLUMNS = ["norm", "width", "theory", "kind", "measured", "sem", "draws"]


def network(norm: str, width: int) -> mf.Network:
    return mf.Network(
        depth=3, width=width, activation="relu", weight_var=2.0, bias_var=0.1, norm=norm
    )


def measure(widths: list[int], draws: int, seed: int, path: Path) -> list[dict]:
    """Every cell's row, written to `path` as soon as it is measured."""
    cells = [(norm, width) for width in widths for norm in PLACEMENTS]
    rows = []
    with path.open("w", newline="") as file, progress_bar(cells, "figure: width") as bar:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for norm, width in bar:
            result = mf.simulate(network(norm, width), width, draws=draws, seed=seed)
            theory, measured = result.theory, result.eigenvalue_max
            kind = theory.eigenvalue_max_kind
            cell = (norm, width, theory.eigenvalue_max, kind, measured.mean, measured.sem, draws)
            rows.append(dict(zip(COLUMNS, cell, strict=True)))
            writer.writerow(rows[-1])
            file.flush()
    return rows


def plot(rows: list[dict], widths: list[int], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(5.2, 3.9), layout="constrained")
    fine = np.unique(np.geomspace(widths[0], widths[-1], 30).astype(int))
    for norm, (label, colour, marker) in PLACEMENTS.items():
        here = [row for row in rows if row["norm"] == norm]
        bound = here[-1]["kind"] == "lower-bound"
        theory = [mf.predict(network(norm, int(M)), int(M)).eigenvalue_max for M in fine]
        axes.plot(fine, np.array(theory, float), color=colour, linestyle="--" if bound else "-")
        axes.errorbar(
            [row["width"] for row in here],
            [row["measured"] for row in here],
            yerr=[row["sem"] for row in here],
            color=colour,
            marker=marker,
            linestyle="none",
            markersize=4,
            capsize=3,
            label=label + (" (lower bound)" if bound else ""),
        )
    axes.set(xscale="log", yscale="log", xlabel="width $M$ = samples $T$")
    axes.set_ylabel(r"largest FIM eigenvalue $\lambda_{\max}$")
    axes.set_xticks(widths, [str(M) for M in widths], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_title("ReLU, $L=3$, $\\sigma_w^2=2$, $\\sigma_b^2=0.1$: theory (lines), networks")
    axes.set_ylim(top=4 * max(row["measured"] for row in rows))
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    figure.savefig(path, dpi=200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument("--widths", type=int, nargs="+", default=[50, 100, 200, 400, 800])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = measure(options.widths, options.draws, options.seed, options.out / "width.csv")
    plot(rows, options.widths, options.out / "width.png")


if __name__ == "__main__":
    main()
