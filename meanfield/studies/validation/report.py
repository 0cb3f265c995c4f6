"""What came of holding the theory against networks."""

from dataclasses import dataclass

import numpy as np

from meanfield.numerics.estimates import Estimate
from meanfield.numerics.records import Record
from meanfield.studies.validation.cases import Case

# Finite-width allowance c/√M: outliers of linear networks, measured up to 5 % off at M = 200, ask
# for most.
ALLOWANCE = 0.8
SEMS = 2.0


@dataclass(frozen=True)
class Check(Record, add=("deviation",)):
    """One comparison.

    Attributes:
        case: The network.
        quantity: What is compared: `m_λ`, `λ_max`, `median λ_max`, `λ_max/m_λ` (at the edge
            of the bulk), `λ_max ≥` (a lower bound), `λ_max, M/2 to M` (growth of the measured value
            while M = T doubles) or `λ_max in print` (the wide limit's, of theory.md section 7).
        expected: The theory's value, or the value at half the width.
        measured, sem: Mean over draws and its standard error.
        tolerance: Of the relative deviation.
        passed: Whether measured and expected agree.
    """

    case: Case
    quantity: str
    expected: float
    measured: float
    sem: float
    tolerance: float
    passed: bool

    @property
    def deviation(self) -> float:
        """measured / expected − 1."""
        return self.measured / self.expected - 1


@dataclass(frozen=True)
class Report(Record, add=("passed",)):
    """All comparisons of a run.

    Attributes:
        checks: The comparisons.
        width: M = T.
        allowance: c of the finite-width allowance c/√M.
        sems: How many standard errors the tolerance adds to it.
        seconds: Wall-clock time.
    """

    checks: tuple[Check, ...]
    width: int
    allowance: float
    sems: float
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every comparison agrees."""
        return all(check.passed for check in self.checks)


def check(
    case: Case, quantity: str, expected: Estimate, measured: Estimate, width: int, side: int = 0
) -> Check:
    """Whether two estimates agree, to `SEMS` standard errors of their ratio and the allowance.

        |m/e − 1| ≤ 2 √(sem_m² + (m/e)² sem_e²)/e + c/√M

    Args:
        case, quantity: What of which network.
        expected, measured: e and m.
        width: M.
        side: 0 for agreement; +1: measured must not lie above, −1: it must not lie below.
    """
    ratio = measured.value / expected.value
    sem = float(np.hypot(measured.sem, expected.sem * ratio)) / expected.value
    tolerance = SEMS * sem + ALLOWANCE / width**0.5
    deviation = ratio - 1
    passed = (side * deviation if side else abs(deviation)) <= tolerance
    return Check(case, quantity, expected.value, *measured, tolerance, bool(passed))
