"""Holding the theory against sampled networks, for every kind of placement."""

import time
from collections.abc import Callable

from meanfield.checks import random_seed
from meanfield.machine.progress import progress_bar
from meanfield.studies.validation import digits, white_noise
from meanfield.studies.validation.cases import FULL, QUICK, cases
from meanfield.studies.validation.report import ALLOWANCE, SEMS, Check, Report
from meanfield.theory.predict import predict
from meanfield.theory.white_noise.result import Prediction


def validate(
    *, quick: bool = False, seed: int = 0, predict: Callable[..., Prediction] = predict
) -> Report:
    """Compares theory and sampled networks at M = T = 400 (quick: 200), L = 3.

    The tolerance of the relative deviation is 2 standard errors + c/√M, one c for all rows. Where
    the theory's λ_max is a D-fold outlier, it must agree with the mean of the D largest
    eigenvalues, m_λ must agree too, and networks are drawn until the tolerance is 8 % (quick: 10 %)
    or the draws run out. Where λ_max is random even in wide networks, its median at this T is
    compared. Where it is the bulk's edge, λ_max/m_λ is compared, free of what all eigenvalues of a
    network share. Where it is a lower bound, m_λ must agree, λ_max must respect the bound, and must
    not grow when M = T doubles.

    The same on digits, where the theory is that of given inputs.

    Args:
        quick: Smaller networks, fewer draws, one number of outputs per placement, and on digits
            only the placements of theory.md section 7.
        seed: Of the draws.
        predict: The theory to be tested, with the signature of `meanfield.predict`.

    Raises:
        ValueError: `seed` is out of range.
    """
    started = time.perf_counter()
    seed, effort = random_seed(seed), QUICK if quick else FULL
    checks: list[Check] = []
    every = [*cases(quick), *digits.cases(quick)]
    with progress_bar(every, "validating") as bar:
        for case in bar:
            hold = digits.compare if case.inputs == digits.DIGITS else white_noise.compare
            checks.extend(hold(case, effort, seed, predict))
    seconds = time.perf_counter() - started
    return Report(tuple(checks), effort.width, ALLOWANCE, SEMS, seconds)
