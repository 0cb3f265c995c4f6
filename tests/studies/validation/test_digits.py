"""The theory on given inputs against networks on digits."""

from dataclasses import replace

import numpy as np
import pytest

from meanfield import load_data
from meanfield.studies.validation import digits as on_digits
from meanfield.studies.validation.cases import PLACEMENTS, Case, Effort
from meanfield.studies.validation.digits import (
    DIGITS,
    PRINTED,
    QUICK_PLACEMENTS,
    cases,
    compare,
    inputs,
)
from meanfield.theory.predict import predict

SMALL = Effort(width=100, sem=0.05, max_draws=24, output_draws=200)
CASE = Case("mean@hidden", "relu", 1, DIGITS)


def times(factor):
    def perturbed(network, **options):
        p = predict(network, **options)
        return replace(p, eigenvalue_max=factor * p.eigenvalue_max)

    return perturbed


def test_rows_pass_and_notice_a_wrong_theory():
    """Print's tolerance is 2 %, that of networks 2 · 5 % + 0.8/√500 = 13.6 % at most."""
    quantities = ["λ_max in print", "m_λ", "λ_max"]
    checks = list(compare(CASE, SMALL, 0, predict))
    assert [check.quantity for check in checks] == quantities
    assert all(check.passed for check in checks)
    assert all(check.tolerance < 0.137 for check in checks)
    off = list(compare(CASE, SMALL, 0, times(1.2)))
    assert [check.quantity for check in off if not check.passed] == [quantities[0], quantities[2]]


def test_an_output_norm_that_stays_random_is_compared_by_its_median():
    case = Case("batch@last", "relu", 1, DIGITS)
    checks = {check.quantity: check for check in compare(case, SMALL, 0, predict)}
    assert set(checks) == {"m_λ", "median λ_max"}
    assert all(check.passed for check in checks.values())
    p = predict(on_digits.network(case, 500), inputs=inputs(), output_draws=200)
    assert checks["median λ_max"].expected == p.eigenvalue_max_quantiles["50%"]


def test_the_rows_are_those_of_theory_md():
    every = load_data("digits", keep_constant=True).inputs
    chosen = np.random.default_rng(0).permutation(1797)[:300]
    np.testing.assert_array_equal(inputs(), every[chosen])


def test_every_placement_is_held_against_data():
    full, quick = cases(quick=False), cases(quick=True)
    assert {case.placement for case in full} == set(PLACEMENTS)
    assert {case.placement for case in quick} == set(QUICK_PLACEMENTS)
    assert {case.activation for case in full} == {"tanh", "relu"}
    assert set(quick) < set(full)
    assert {placement for _, placement in PRINTED} < set(QUICK_PLACEMENTS)
    assert {case.inputs for case in full} == {DIGITS}


@pytest.mark.parametrize("placement", ["layer@last", "rms@last"])
def test_norms_over_outputs_get_several(placement):
    outputs = {case.outputs for case in cases(quick=False) if case.placement == placement}
    assert outputs == {4}
