import numpy as np
import pytest

from meanfield.numerics.estimates import quantile


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_quantile_and_its_standard_error_against_repeated_samples(p):
    # For a normal variable the standard error is √(p(1−p)/n)/density; over 400 repetitions the
    # spread of the estimates is known to 1/√800 = 3.5 %, so 15 % is four standard errors.
    rng = np.random.default_rng(0)
    repeats = [quantile(rng.standard_normal(400), p) for _ in range(400)]
    values, sems = np.array(repeats).T
    spread = values.std(ddof=1)
    exact = {0.1: -1.2815515655, 0.5: 0.0, 0.9: 1.2815515655}[p]
    assert abs(values.mean() - exact) < 4 * spread / 400**0.5 + 0.01  # O(1/n) bias of a quantile
    assert sems.mean() == pytest.approx(spread, rel=0.15)


def test_heavy_tails_leave_the_error_finite():
    estimate = quantile(np.random.default_rng(1).standard_cauchy(1000), 0.5)
    assert abs(estimate.value) < 4 * estimate.sem < 0.5
