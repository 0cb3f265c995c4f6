"""Holding the theory against sampled networks, for every kind of placement."""

import time
from collections.abc import Callable
from pathlib import Path

from meanfield.checks import random_seed
from meanfield.machine.progress import progress_bar
from meanfield.studies.validation import digits, white_noise
from meanfield.studies.validation.cases import FULL, QUICK, Case, cases
from meanfield.studies.validation.kept import Kept
from meanfield.studies.validation.report import ALLOWANCE, SEMS, Check, Report
from meanfield.theory.predict import predict
from meanfield.theory.white_noise.result import Prediction
from meanfield.version import __version__


def validate(
    *,
    quick: bool = False,
    seed: int = 0,
    store: Path | str | None = None,
    predict: Callable[..., Prediction] = predict,
) -> Report:
    """Compares theory and sampled networks at M = T = 400 (quick: 200), L = 3.

    The tolerance of the relative deviation is 2 standard errors + c/√M, one c for all rows. Where
    the theory's λ_max is an outlier, it must agree with the networks', m_λ must agree too, and they
    are drawn until the tolerance is 8 % (quick: 10 %) or the draws run out. Where λ_max is random
    even in wide networks, its median at this T is compared. Where it is the bulk's edge, λ_max/m_λ
    is compared, free of what all eigenvalues of a network share. Where it is a lower bound, m_λ
    must agree, λ_max must respect the bound, and must not grow when M = T doubles.

    The same on digits, where the theory is that of given inputs.

    Args:
        quick: Smaller networks, fewer draws, one number of outputs per placement, and on digits
            only the placements of theory.md section 7.
        seed: Of the draws.
        store: A file that keeps every finished case: the same call takes an interrupted run up.
        predict: The theory to be tested, with the signature of `meanfield.predict`.

    Raises:
        ValueError: `seed` is out of range, or the file holds something else.
        OSError: The file cannot be read or written.
    """
    seed, effort = random_seed(seed), QUICK if quick else FULL
    asked = {"seed": seed, "quick": quick, "meanfield": __version__}
    kept = None if store is None else Kept(store, asked)

    def held(case: Case) -> tuple[list[Check], float]:
        if kept is not None and case in kept:
            return kept[case]
        started = time.perf_counter()
        hold = digits.compare if case.inputs == digits.DIGITS else white_noise.compare
        found = list(hold(case, effort, seed, predict))
        seconds = time.perf_counter() - started
        if kept is not None:
            kept.add(case, found, seconds)
        return found, seconds

    with progress_bar([*cases(quick), *digits.cases(quick)], "validating") as bar:
        every = [held(case) for case in bar]
    checks = tuple(check for found, _ in every for check in found)
    return Report(checks, effort.width, ALLOWANCE, SEMS, sum(seconds for _, seconds in every))
