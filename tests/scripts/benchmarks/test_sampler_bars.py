import pytest
from shared.sampler_bars import bars, product_flops

OK = {"outcome": "ok"}


def test_product_flops_match_a_count_by_hand():
    # x: 5×2, W¹: 3×2, W²: 4×3 (C = 4); a product of m×k with k×n takes 2mkn.
    forward = 2 * 5 * 2 * 3 + 2 * 5 * 3 * 4
    backward = 2 * (5 * 4) * 4 * 3
    forward_grams = (2 * 5 * 2 * 5 + 2 * 5 * 3 * 5) // 2
    backward_grams = 2 * 20 * 3 * 20 // 2
    total = forward + backward + forward_grams + backward_grams
    assert product_flops([2, 3], outputs=4, samples=5) == total


def test_product_flops_of_a_deep_square_network():
    n = 1000
    cubes = 4 + 2 + 3 + 2  # forward, backward, forward Grams, backward Grams
    assert product_flops([n] * 3, outputs=1, samples=n) == pytest.approx(cubes * n**3, rel=0.01)


def test_bars_compare_with_the_fastest_peer_that_is_right():
    contenders = {
        "meanfield": {**OK, "seconds": 0.16, "cold": 6.0, "peak_gb": 0.5},
        "meanfield, given network": {**OK, "seconds": 0.1, "peak_gb": 0.5},
        "exact": {**OK, "seconds": 0.4, "peak_gb": 0.4},
        "exact + help": {**OK, "seconds": 0.2, "peak_gb": 0.4},
        "wrong": {"outcome": "off: m_λ +9 %", "seconds": 0.01, "peak_gb": 0.1},
        "slow": {"outcome": "did not finish"},
    }
    cases = {name: {"contenders": contenders, "flops": 4e9} for name in ("1000x1", "2000x1")}
    cases |= {"500x1": {"contenders": contenders}, "500x10": {"contenders": {"meanfield": OK}}}
    seconds = {"meanfield": 1.2, "jax": 1.0}
    machine = {"gflops": {"jax": 100.0, "numpy": 200.0}}
    table = bars({"cases": cases, "machine": machine, "import_seconds": seconds})
    found = {bar.name: (bar.measured and round(bar.measured, 6), bar.verdict()) for bar in table}
    assert found["1000x1: speed-up over the fastest peer"] == (4.0, "met")
    with_sampling = found["1000x1: speed-up over the fastest peer, though we sample too"]
    assert with_sampling == (2.5, "missed by a factor of 1.20")
    assert found["500x10: speed-up over the fastest peer"] == (None, "not measured")
    products = found["2000x1: time / that of its matrix products"]
    assert products == (8.0, "missed by a factor of 4.00")
    assert found["500x1: seconds from import to first result"] == (
        6.0,
        "missed by a factor of 1.20",
    )
    assert found["2000x1: peak memory / best peer's"] == (1.25, "missed by a factor of 1.25")
    assert found["import / that of jax"] == (1.2, "met")
