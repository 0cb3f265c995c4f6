"""When two numbers agree: the tolerance by hand."""

from dataclasses import replace

import pytest

from meanfield.numerics.estimates import Estimate
from meanfield.studies.validation.cases import Case
from meanfield.studies.validation.report import ALLOWANCE, SEMS, Report, check

CASE = Case("none", "tanh", 1)
M = 400  # 0.8/√400 = 0.04
EXACTLY = Estimate(10.0, 0.0)


def held(measured, side=0, expected=EXACTLY, width=M):
    return check(CASE, "m_λ", expected, measured, width, side)


def test_the_constants_are_those_of_the_hand_calculations():
    assert (SEMS, ALLOWANCE) == (2, 0.8)


def test_the_tolerance_is_two_standard_errors_and_the_allowance():
    found = held(Estimate(11.0, 0.3))
    assert found.tolerance == pytest.approx(2 * 0.03 + 0.04, rel=1e-14)
    assert (found.expected, found.measured, found.sem) == (10, 11, 0.3)
    assert (found.case, found.quantity) == (CASE, "m_λ")
    assert found.deviation == pytest.approx(0.1, rel=1e-14)
    assert held(Estimate(11.0, 0.3), width=100).tolerance == pytest.approx(0.14, rel=1e-14)


def test_the_error_of_the_expected_value_counts_by_the_ratio():
    # Of m/e = 1.5: √(0.4² + (1.5 · 0.2)²)/10 = 0.05.
    found = held(Estimate(15.0, 0.4), expected=Estimate(10.0, 0.2))
    assert found.tolerance == pytest.approx(2 * 0.05 + 0.04, rel=1e-14)
    assert found.sem == 0.4


@pytest.mark.parametrize(
    ("measured", "passed"),  # of side 0, +1 and −1; the tolerance is 0.04
    [
        (10.0, (True, True, True)),
        (10.39, (True, True, True)),
        (9.61, (True, True, True)),
        (10.41, (False, False, True)),
        (9.59, (False, True, False)),
        (99.0, (False, False, True)),
        (0.0, (False, True, False)),
    ],
)
def test_each_side_allows_its_own_deviation(measured, passed):
    found = [held(Estimate(measured, 0.0), side) for side in (0, +1, -1)]
    assert tuple(check.passed for check in found) == passed
    assert all(type(check.passed) is bool for check in found)
    assert {check.tolerance for check in found} == {0.04}


def test_a_mean_that_is_no_number_does_not_pass():
    assert not any(held(Estimate(float("nan"), 0.0), side).passed for side in (0, +1, -1))


def test_a_report_passes_if_all_of_it_does():
    good, bad = held(Estimate(10.0, 0.1)), held(Estimate(20.0, 0.1))
    report = Report((good, good), M, ALLOWANCE, SEMS, 1.5)
    assert report.passed
    assert not replace(report, checks=(good, bad, good)).passed
    flat = replace(report, checks=(bad,)).to_dict()
    assert flat["passed"] is flat["checks"][0]["passed"] is False
    assert flat["checks"][0]["deviation"] == 1
    assert flat["checks"][0]["case"]["placement"] == "none"
    assert (flat["width"], flat["allowance"], flat["sems"], flat["seconds"]) == (400, 0.8, 2, 1.5)
