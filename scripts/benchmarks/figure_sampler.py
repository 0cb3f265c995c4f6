"""Draws figures/benchmark_sampler.png from figures/benchmark_sampler.json: times per case."""

from pathlib import Path

import matplotlib
from matplotlib.artist import Artist
from shared.benchmarking import OURS, OURS_GIVEN, draw
from shared.sampler_bars import SPEEDUPS, floor_seconds, peers

matplotlib.use("Agg")
import matplotlib.pyplot as plt

STYLES = {  # colour (Okabe & Ito), marker; hollow: without sampling, or helped by another library
    OURS: ("#D55E00", "D", True),
    OURS_GIVEN: ("#D55E00", "D", False),
    "nngeometry": ("#0072B2", "o", True),
    "nngeometry + LOBPCG": ("#0072B2", "o", False),
    "neural-tangents": ("#009E73", "s", True),
    "neural-tangents + Lanczos": ("#009E73", "s", False),
    "curvlinops": ("#CC79A7", "^", True),
    "Jacobian in JAX": ("#000000", "v", True),
}


def plot(results: dict, path: Path) -> None:
    cases = {name: case for name, case in results["cases"].items() if len(case["contenders"]) > 1}
    figure, axes = plt.subplots(
        figsize=(7.5, 0.9 + 0.75 * max(1, len(cases))), layout="constrained"
    )
    labels: dict[str, Artist] = {}
    for row, (name, case) in enumerate(cases.items()):
        for contender, report in case["contenders"].items():
            if "seconds" not in report:
                continue
            colour, marker, filled = STYLES[contender]
            exact = report["outcome"] == "ok"
            offset = -0.22 if contender in (OURS, OURS_GIVEN) else 0.12 if filled else 0.3
            (labels[contender + ("" if exact else " (estimates)")],) = axes.plot(
                report["seconds"],
                row + offset,
                marker,
                color=colour,
                markerfacecolor=colour if filled else "none",
                linestyle="none",
            )
        at = floor_seconds(case, results["machine"]["gflops"])
        labels["matrix products alone"] = axes.vlines(at, row - 0.4, row + 0.4, "grey", "dotted")
        if name in SPEEDUPS and peers(case):
            at = min(report["seconds"] for report in peers(case).values()) / SPEEDUPS[name]
            labels["required of meanfield"] = axes.vlines(at, row - 0.4, row + 0.05, "#D55E00")
    names = [f"$M=T={case['width']}$, $C={case['outputs']}$" for case in cases.values()]
    axes.set_yticks(range(len(cases)), names)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set(xscale="log", xlabel="seconds, warm")
    axes.set_title(r"$\lambda_{\max}$, $m_\lambda$, $s_\lambda$ of a ReLU network, $L=3$, float32")
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)
    figure.legend(
        list(labels.values()), list(labels), loc="outside right upper", frameon=False, fontsize=8
    )
    figure.savefig(path, dpi=200)
    plt.close(figure)


if __name__ == "__main__":
    draw(plot, "benchmark_sampler", __doc__)
