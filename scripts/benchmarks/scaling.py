"""How time and memory grow with each size alone, beside the law that the method choice rests on.

One base point; then the width M, samples T, outputs C, depth L and number of draws of `simulate`,
and the number of cells of a vmapped `spectrum`. From the base point on, predicted time grows in
proportion to the flops of `dual.cost`, or to the cells, and predicted memory by the numbers held by
`dual.cost`, on top of what imports and compiled code take.
Writes figures/benchmark_scaling.json and .png.
"""

import argparse
import json
from pathlib import Path

import matplotlib
from peers import ours
from shared.benchmarking import machine, measure, print_table

from meanfield.machine.progress import progress_bar
from meanfield.sampling.measurement import LARGEST
from meanfield.sampling.methods import BYTES, choose_method

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SAMPLER = {"width": 600, "samples": 600, "outputs": 1, "depth": 3, "draws": 1}
THEORY = {"width": 600, "samples": 600, "depth": 50, "cells": 4096}
SWEEPS = {  # size: label, values
    "width": ("width $M$", [150, 300, 600, 1200, 2400, 4800]),
    "samples": ("samples $T$", [150, 300, 600, 1200, 2400, 4800]),
    "outputs": ("outputs $C$", [1, 2, 4, 8, 16]),
    "depth": ("depth $L$", [2, 3, 6, 12, 24]),
    "draws": ("draws", [1, 2, 4, 8, 16]),
    "cells": ("cells of the theory", [64, 512, 4096, 32768]),
}


def base(size: str) -> dict:
    return THEORY if size == "cells" else SAMPLER


def law(case: dict) -> tuple[float, float]:
    """What time is proportional to, and the GB held at a time."""
    if "cells" in case:
        return case["cells"], 0.0  # a handful of numbers per cell
    network, T = ours.network(case), case["samples"]
    cost = choose_method(network, T, "dual").cost(network, T, LARGEST)
    return cost.flops * case["draws"], cost.numbers * BYTES["float32"] / 1e9


def measure_sweep(size: str, values: list[int], known: dict[str, dict], launch: str) -> list[dict]:
    """One row per value; `known` keeps the reports, so that no case runs twice."""

    def report(case: dict) -> dict:
        key = json.dumps(case)
        if key not in known:
            function = "ours:spectrum" if "cells" in case else "ours:simulate"
            known[key] = measure(function, case, launch=launch)
            if known[key]["outcome"] != "ok":
                print(f"{key} is left out: {known[key]['outcome']}", flush=True)
        return known[key]

    start = report(base(size))
    if start["outcome"] != "ok":
        return []
    base_work, base_held = law(base(size))
    rows = []
    for value in values:
        case = {**base(size), size: value}
        measured, (work, held) = report(case), law(case)
        if measured["outcome"] != "ok":
            continue
        row = {
            "value": value,
            "seconds": measured["seconds"],
            "predicted_seconds": start["seconds"] * work / base_work,
            "peak_gb": measured["peak_gb"],
            "predicted_gb": start["peak_gb"] - base_held + held,
        }
        rows.append(row)
    return rows


def growth(rows: list[dict], key: str) -> float:
    """By what factor a column grows over the last step."""
    return rows[-1][key] / rows[-2][key]


def plot(sweeps: dict[str, list[dict]], path: Path) -> None:
    figure, axes = plt.subplots(
        2,
        len(sweeps),
        figsize=(2.2 * len(sweeps), 4.6),
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    for column, (size, rows) in enumerate(sweeps.items()):
        values = [row["value"] for row in rows]
        for panel, measured, predicted, colour in (
            (axes[0, column], "seconds", "predicted_seconds", "#0072B2"),
            (axes[1, column], "peak_gb", "predicted_gb", "#D55E00"),
        ):
            panel.plot(values, [row[predicted] for row in rows], color="black", label="predicted")
            panel.plot(values, [row[measured] for row in rows], "o", color=colour, label="measured")
            panel.set(xscale="log")
            ticks = values if len(values) < 5 else values[::2]
            panel.set_xticks(ticks, [str(value) for value in ticks], minor=False)
            panel.set_xticks([], minor=True)
            panel.grid(axis="y", color="#dddddd", linewidth=0.5)
        axes[1, column].set_xlabel(SWEEPS[size][0])
    axes[0, 0].set(yscale="log", ylabel="seconds, warm")
    axes[1, 0].set(ylabel="peak memory, GB", ylim=0)
    for panel in axes[:, 0]:
        panel.legend(frameon=False, fontsize=8, loc="upper left")
    figure.suptitle(
        "ReLU; sampler in float32 around $M=T=600$, $C=1$, $L=3$, one draw; theory at $L=50$",
        fontsize=10,
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument("--sizes", nargs="+", default=list(SWEEPS), choices=SWEEPS)
    parser.add_argument("--launch", default="", help="put before every measurement: 'taskset -c 0'")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    known: dict[str, dict] = {}
    sweeps = {}
    with progress_bar(options.sizes, "benchmark: scaling") as sizes:
        for size in sizes:
            rows = measure_sweep(size, SWEEPS[size][1], known, options.launch)
            if len(rows) > 1:
                sweeps[size] = rows
    path = options.out / "benchmark_scaling.json"
    versions = next(iter(known.values()))["versions"]
    results = {"machine": machine(options.launch), "versions": versions, "sweeps": sweeps}
    path.write_text(json.dumps(results, indent=1) + "\n")
    plot(sweeps, path.with_suffix(".png"))
    columns = ["last step of", "from", "to", "time x", "predicted", "memory x", "predicted"]
    keys = ["seconds", "predicted_seconds", "peak_gb", "predicted_gb"]
    print_table(
        columns,
        [
            (size, rows[-2]["value"], rows[-1]["value"], *(growth(rows, key) for key in keys))
            for size, rows in sweeps.items()
        ],
    )


if __name__ == "__main__":
    main()
