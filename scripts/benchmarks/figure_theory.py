"""Draws figures/benchmark_theory.png from figures/benchmark_theory.json: times per activation."""

from pathlib import Path

import matplotlib
from shared.benchmarking import draw

matplotlib.use("Agg")
import matplotlib.pyplot as plt

MEASURED, REQUIRED = "#D55E00", "#000000"  # Okabe & Ito
PANELS = {  # measured: required, title, ticks
    "predict_ms": ("predict_bar_ms", "one prediction, ms", (1, 2, 5, 10, 20)),
    "diagram_us_per_point": (
        "diagram_bar_us_per_point",
        "one point of a diagram, µs",
        (2, 5, 10, 20, 50, 100, 200),
    ),
}


def plot(report: dict, path: Path) -> None:
    results = report["results"]
    figure, panels = plt.subplots(1, 2, figsize=(7, 2.6), sharey=True, layout="constrained")
    rows = range(len(results))
    for axes, (measured, panel) in zip(panels, PANELS.items(), strict=True):
        required, title, ticks = panel
        axes.plot([r[measured] for r in results.values()], rows, "D", color=MEASURED, label="warm")
        at_most = [r[required] for r in results.values()]
        axes.plot(at_most, rows, "|", color=REQUIRED, markersize=14, label="at most")
        axes.set(xscale="log", xlabel=title)
        axes.set_xticks(ticks, map(str, ticks))
        axes.set_xticks([], minor=True)
        axes.grid(axis="x", color="#dddddd", linewidth=0.5)
        axes.set_axisbelow(True)
    panels[0].set_yticks(rows, results)
    panels[0].invert_yaxis()
    panels[1].legend(frameon=False, fontsize=8, loc="upper right")
    points = report["points"]
    figure.suptitle(f"theory, $L={report['depth']}$, float64, {points} points", fontsize=10)
    figure.savefig(path, dpi=200)
    plt.close(figure)


if __name__ == "__main__":
    draw(plot, "benchmark_theory", __doc__)
