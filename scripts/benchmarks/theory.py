"""How long predictions and phase diagrams take, beside what they are meant to take.

    python scripts/benchmarks/theory.py [--points 256]

Writes figures/benchmark_theory.json and .png.
"""

import argparse
import json
import time
from statistics import median

import figure_theory
import numpy as np
from shared.benchmarking import RESULTS

import meanfield as mf

DEPTH, WIDTH, SAMPLES = 50, 1000, 1000
PREDICT_BAR = {"relu": 2, "erf": 2, "tanh": 20, "sigmoid": 20, "silu": 20, "elu": 20}  # ms
DIAGRAM_BAR = {"relu": 7, "erf": 5, "tanh": 150, "sigmoid": 150, "silu": 150, "elu": 150}  # µs
LARGEST_WEIGHT_VAR = {"silu": 2.0, "elu": 1.5}  # beyond, layers leave the table: far slower
COLUMNS = "{:<8}  {:>10} {:>6}  {:>10}  {:>10} {:>6}"


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def network(activation: str, weight_var: float = 1.5) -> mf.Network:
    return mf.Network(
        depth=DEPTH, width=WIDTH, activation=activation, weight_var=weight_var, bias_var=0.1
    )


def predict_ms(activation: str) -> float:
    """One warm prediction, over variances that no earlier call has seen."""
    mf.predict(network(activation), SAMPLES)
    networks = [network(activation, 1.5 + 0.01 * i) for i in range(1, 16)]
    return 1e3 * median(seconds(lambda n=n: mf.predict(n, SAMPLES)) for n in networks)


def diagram_seconds(activation: str, points: int) -> tuple[float, float]:
    """The first diagram, with table and compilation, and the faster of two later ones."""
    weight_var = np.linspace(0.5, LARGEST_WEIGHT_VAR.get(activation, 4.0), points)[:, None]
    bias_var = np.linspace(0.01, 1.0, points)
    draw = lambda: mf.diagram(network(activation), SAMPLES, weight_var, bias_var)  # noqa: E731
    return seconds(draw), min(seconds(draw) for _ in range(2))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=256, help="points along each axis")
    points = parser.parse_args().points
    results = {}
    print(COLUMNS.format("", "predict", "bar", "first", "diagram", "bar"))
    print(COLUMNS.format("", "ms", "", "s", "us/point", ""))
    for name in PREDICT_BAR:
        first, warm = diagram_seconds(name, points)
        row = {
            "predict_ms": predict_ms(name),
            "predict_bar_ms": PREDICT_BAR[name],
            "diagram_first_s": first,
            "diagram_us_per_point": 1e6 * warm / points**2,
            "diagram_bar_us_per_point": DIAGRAM_BAR[name],
        }
        results[name] = row
        print(COLUMNS.format(name, *(f"{value:.3g}" for value in row.values())), flush=True)
    setting = {"depth": DEPTH, "points": points**2, "results": results}
    path = RESULTS / "benchmark_theory.json"
    path.write_text(json.dumps(setting, indent=2) + "\n")
    figure_theory.plot(setting, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
