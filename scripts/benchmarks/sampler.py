"""Speed and memory of `meanfield.simulate` beside its peers, and the bars it is held to.

λ_max, m_λ and s_λ of one L = 3 ReLU network (σ_w² = 2, σ_b² = 0.1, biases trained, float32) with
width M = samples T and C outputs. Every measurement is a process of its own, the contenders take
turns, and their results are compared before their times are. A time is the median of warm runs in
the faster of two rounds. The peers are given the parameters and inputs, and so are we once; our
other times include sampling them. Writes figures/benchmark_sampler.json and .png.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import figure_sampler
from shared.benchmarking import (
    BENCHMARKS,
    OURS,
    OURS_GIVEN,
    machine,
    measure,
    print_table,
)
from shared.sampler_bars import bars, floor_seconds, product_flops

CONTENDERS = {  # module and function, environment
    OURS: ("ours:simulate", ""),
    OURS_GIVEN: ("ours:measure", ""),
    "nngeometry": ("nngeometry_gram:dense", "nngeometry"),
    "neural-tangents": ("neural_tangents_ntk:dense", "neural-tangents"),
    "curvlinops": ("curvlinops_estimates:estimates", "curvlinops"),
    "Jacobian in JAX": ("jax_jacobian:dense", ""),
    # Beyond what these libraries offer: λ_max of their matrix by another library's iteration.
    "nngeometry + LOBPCG": ("nngeometry_gram:lobpcg", "nngeometry"),
    "neural-tangents + Lanczos": ("neural_tangents_ntk:lanczos", "neural-tangents"),
}
CASES = ["500x1", "1000x1", "2000x1", "500x10", "1000x10"]  # M = T x C
OURS_ALONE = {  # label: M = T x C, and what else the case asks for
    "1000x1 batch@hidden": ("1000x1", {"norm": "batch@hidden"}),
    "4000x10 without s_λ": ("4000x10", {"second_moment": False, "limit": 300}),
}
AGREEMENT = 1e-3  # of the statistics, relative
DISTURBED = 0.2  # cores kept busy by others from which on a time is not to be trusted
IMPORTS = {"jax": "import jax", OURS: "import meanfield as m; [getattr(m, n) for n in m.__all__]"}


def measure_case(size: str, contenders: list[str], options: argparse.Namespace, **spec) -> dict:
    """The contenders' reports on one case."""
    M, C = map(int, size.split("x"))
    case = {"depth": 3, "width": M, "samples": M, "outputs": C, **spec}
    reports: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        problem = {**case, "problem": f"{folder}/problem.npz"}
        if contenders != [OURS]:
            draw = [sys.executable, "-m", "peers.draw", json.dumps(problem)]
            subprocess.run(draw, cwd=BENCHMARKS, check=True)
        for turn in range(options.rounds):
            for contender in contenders:
                if turn and reports[contender]["outcome"] != "ok":
                    continue
                what, where = CONTENDERS[contender]
                limit = spec.get("limit", options.limit)
                report = measure(what, problem, limit, where, options.launch)
                reports[contender] = pool(reports.get(contender), report)
    for report in reports.values():
        report["outcome"] = compare(report, reports[OURS])
    return {**case, "flops": product_flops([M] * 3, C, M), "contenders": reports}


def pool(old: dict | None, new: dict) -> dict:
    """The faster of two rounds, with the faster cold start and the higher peak of both."""
    if old is None or new["outcome"] != "ok":
        return new
    cold, peak = min(old["cold"], new["cold"]), max(old["peak_gb"], new["peak_gb"])
    return {**min(old, new, key=lambda r: r["seconds"]), "cold": cold, "peak_gb": peak}


def compare(report: dict, ours: dict) -> str:
    """The report's outcome: not ok where its statistics are not ours."""
    if report["outcome"] != "ok" or ours["outcome"] != "ok":
        return report["outcome"]
    pairs = zip(("λ_max", "m_λ", "s_λ"), report["results"], ours["results"], strict=True)
    errors = {name: its / our - 1 for name, its, our in pairs if our is not None}
    off = [f"{name} {100 * e:+.2g} %" for name, e in errors.items() if abs(e) > AGREEMENT]
    return f"off: {', '.join(off)}" if off else "ok"


def import_seconds(rounds: int = 5) -> dict[str, float]:
    """Seconds that importing jax takes, and importing all public names of meanfield."""
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, statement in IMPORTS.items():
            code = (
                f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
            )
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
            times[name].append(float(done.stdout))
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def versions(cases: dict[str, dict]) -> dict[str, dict]:
    """The versions of the packages that every contender ran with."""
    reports = [item for case in cases.values() for item in case["contenders"].items()]
    return {name: report.pop("versions") for name, report in reports if "versions" in report}


def disturbance(cases: dict[str, dict]) -> float:
    """How many cores others kept busy during the measurement that suffered most."""
    reports = [report for case in cases.values() for report in case["contenders"].values()]
    return max((report.get("others_cores", 0.0) for report in reports), default=0.0)


def show(label: str, case: dict, gflops: dict[str, float]) -> None:
    rows = [
        [name, *map(report.get, ("seconds", "cold", "peak_gb", "others_cores", "outcome"))]
        for name, report in case["contenders"].items()
    ]
    if "norm" not in case and "second_moment" not in case:
        rows.append(["(matrix products alone)", floor_seconds(case, gflops), None, None, None, ""])
    print_table([label, "warm s", "cold s", "peak GB", "others' cores", "outcome"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument("--cases", nargs="*", default=CASES, help="M = T and C, such as 500x10")
    parser.add_argument("--contenders", nargs="+", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--limit", type=int, default=90, help="seconds a run may take")
    parser.add_argument("--launch", default="", help="put before every measurement: 'taskset -c 0'")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    results: dict = {"machine": machine(options.launch), "import_seconds": import_seconds()}
    results["cases"] = {}
    asked: dict = {label: (label, options.contenders, {}) for label in options.cases}
    asked |= {label: (size, [OURS], spec) for label, (size, spec) in OURS_ALONE.items()}
    path = options.out / "benchmark_sampler.json"
    for label, (size, contenders, spec) in asked.items():
        results["cases"][label] = measure_case(size, contenders, options, **spec)
        show(label, results["cases"][label], results["machine"]["gflops"])
        path.write_text(json.dumps(results, indent=1) + "\n")
    results["versions"] = versions(results["cases"])
    table = bars(results)
    results["bars"] = [{**bar._asdict(), "verdict": bar.verdict()} for bar in table]
    path.write_text(json.dumps(results, indent=1) + "\n")
    figure_sampler.plot(results, path.with_suffix(".png"))
    print_table(["bar", "measured", "", "required", ""], [(*bar, bar.verdict()) for bar in table])
    if (cores := disturbance(results["cases"])) > DISTURBED:
        print(f"Others kept up to {cores:.1f} cores busy: run this again on an idle machine.")


if __name__ == "__main__":
    main()
