"""The bars of the sampler's benchmark: what is asked, held against what was measured."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from shared.benchmarking import OURS, OURS_GIVEN, Bar

SPEEDUPS = {"1000x1": 3.0, "2000x1": 2.5, "500x10": 8.0, "1000x10": 12.0}
FLOORS = {"2000x1": 2.0, "1000x10": 2.0}
MINUTES = 180.0  # seconds for λ_max and m_λ of the largest case


def product_flops(widths: list[int], outputs: int, samples: int) -> int:
    """Flops of the matrix products that the exact dual matrix needs, its symmetry made use of.

        forward          2 T Σ_{l=1..L} M_l M_{l−1},   M_L = C
        backward         2 T C Σ_{l=2..L} M_l M_{l−1}      δ^{l−1} from δ^l, for every output
        forward Grams    T² Σ_{l=0..L−1} M_l               h^l h^lᵀ, half of it
        backward Grams   T² C² Σ_{l=1..L−1} M_l            δ^l δ^lᵀ, (CT)×(CT), half of it

    Sampling, elementwise work and the Lanczos products are not counted; δ^L is the identity.
    """
    T, C, units = samples, outputs, [*widths, outputs]
    forward = [2 * T * n_in * n_out for n_in, n_out in pairwise(units)]
    grams = T**2 * sum(widths) + (T * C) ** 2 * sum(widths[1:])
    return sum(forward) + C * sum(forward[1:]) + grams


def floor_seconds(case: dict, gflops: dict[str, float]) -> float:
    """What the products of a case take at the faster library's rate."""
    return case["flops"] / max(gflops.values()) / 1e9


def peers(case: dict) -> dict[str, dict]:
    """The reports of the peers that finished with the right statistics, by their own means."""
    reports = case["contenders"].items()
    others = {n: r for n, r in reports if n not in (OURS, OURS_GIVEN) and "+" not in n}
    return {name: r for name, r in others.items() if r["outcome"] == "ok"}


def bars(results: dict) -> list[Bar]:
    """Every bar; what was not measured, or failed, is None."""
    cases = results["cases"]

    def ours(name: str, key: str = "seconds", contender: str = OURS) -> float:
        return cases[name]["contenders"][contender][key]

    def over_best_peer(name: str, key: str = "seconds", contender: str = OURS) -> float:
        best = min(report[key] for report in peers(cases[name]).values())
        return ours(name, key, contender) / best

    def over_floor(name: str) -> float:
        return ours(name) / floor_seconds(cases[name], results["machine"]["gflops"])

    def speed_up(name: str, contender: str) -> float:
        return 1 / over_best_peer(name, contender=contender)

    def over_plain(name: str) -> float:
        return ours(f"{name} batch@hidden") / ours(name)

    def imports() -> float:
        return results["import_seconds"][OURS] / results["import_seconds"]["jax"]

    asked: list[tuple[str, Callable[[], float], str, float]] = [
        *(
            (f"{n}: speed-up over the fastest peer{how}", partial(speed_up, n, who), ">=", required)
            for n, required in SPEEDUPS.items()
            for who, how in ((OURS_GIVEN, ""), (OURS, ", though we sample too"))
        ),
        *(
            (f"{n}: time / that of its matrix products", partial(over_floor, n), "<=", required)
            for n, required in FLOORS.items()
        ),
        ("1000x1: time with hidden batch norm / without", partial(over_plain, "1000x1"), "<=", 4.0),
        ("4000x10: seconds without s_λ", partial(ours, "4000x10 without s_λ"), "<=", MINUTES),
        ("500x1: seconds from import to first result", partial(ours, "500x1", "cold"), "<=", 5.0),
        ("import / that of jax", imports, "<=", 1.5),
        (
            "2000x1: peak memory / best peer's",
            partial(over_best_peer, "2000x1", "peak_gb"),
            "<=",
            1.0,
        ),
    ]
    return [Bar(name, _try(measured), sign, required) for name, measured, sign, required in asked]


def _try(measured: Callable[[], float]) -> float | None:
    try:
        return measured()
    except (KeyError, ValueError):  # no such case, no such number, or no peer that finished
        return None
