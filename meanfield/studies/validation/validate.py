"""Holding the theory against sampled networks, for every kind of placement."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from meanfield.machine.progress import progress_bar
from meanfield.numerics.estimates import Estimate, mean_of, median_of
from meanfield.spec.network import Network
from meanfield.studies.simulation import Simulation, simulate
from meanfield.theory.kinds import Kind
from meanfield.theory.predict import Prediction, predict

DEPTH = 3
ACTIVATIONS = {  # (σ_w², σ_b²)
    "tanh": (3.0, 0.64),
    "relu": (2.0, 0.1),
    "linear": (1.0, 0.1),
}
PLACEMENTS = {  # the numbers of outputs that each is tried with
    "none": (1, 4),
    "mean@1": (4, 1),
    "mean@hidden": (1, 4),
    "mean@last": (4, 1),
    "batch@1": (1, 4),
    "batch@2": (4, 1),
    "batch@hidden": (1, 4),
    "batch@last": (4, 1),
    "batch@all": (1, 4),
    "layer@hidden": (4, 1),
    "rms@hidden": (1, 4),
    "layer-mean@all": (4,),
    "layer@1+batch@2": (1, 4),
    "layer@hidden+batch@last": (4, 1),
    "layer@last": (4,),
    "rms@last": (4,),
}

# Finite-width allowance c/√M: outliers of linear networks, measured up to 5 % off at M = 200, ask
# for most.
ALLOWANCE = 0.8
SEMS = 2.0


class Effort(NamedTuple):
    """How much to spend on each case.

    Attributes:
        width: M = T.
        sem: The relative standard error of λ_max that outlier rows are drawn to.
        max_draws: The most networks per row.
        output_draws: Draws of the theory's λ_max where it is random at finite T.
    """

    width: int
    sem: float
    max_draws: int
    output_draws: int


FULL = Effort(width=400, sem=0.015, max_draws=3072, output_draws=8000)  # tolerance 8 %
QUICK = Effort(width=200, sem=0.02, max_draws=96, output_draws=200)
FIRST_DRAWS = 12


@dataclass(frozen=True)
class Case:
    """One network to compare: a placement, an activation, a number of outputs, and its inputs."""

    placement: str
    activation: str
    outputs: int
    inputs: str = "white noise"

    def network(self, width: int) -> Network:
        """The spec at that width."""
        weight_var, bias_var = ACTIVATIONS[self.activation]
        return Network(
            depth=DEPTH,
            width=width,
            outputs=self.outputs,
            activation=self.activation,
            weight_var=weight_var,
            bias_var=bias_var,
            norm=self.placement,
        )


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        case: The network.
        quantity: What is compared: `m_λ`, `λ_max, D-fold`, `median λ_max`, `λ_max ≥` (a lower
            bound), `λ_max, M/2 to M` (growth of the measured value while M = T doubles), `λ_max in
            print` (of theory.md section 7) or `deviation, M to 4M` (of λ_max from theory).
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
class Report:
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

    def to_dict(self) -> dict:
        """All fields in plain Python types, as the command line's `--json` prints them."""
        checks = [{**asdict(c), "deviation": c.deviation} for c in self.checks]
        return {**asdict(self), "checks": checks, "passed": self.passed}


def cases(quick: bool) -> list[Case]:
    """Every placement with every activation; quick takes the first number of outputs only."""
    return [
        Case(placement, activation, C)
        for placement, outputs in PLACEMENTS.items()
        for activation in ACTIVATIONS
        for C in (outputs[:1] if quick else outputs)
    ]


def validate(
    *, quick: bool = False, seed: int = 0, predict: Callable[..., Prediction] = predict
) -> Report:
    """Compares theory and sampled networks at M = T = 400 (quick: 200), L = 3.

    The tolerance of the relative deviation is 2 standard errors + c/√M, one c for all rows. Where
    the theory's λ_max is a D-fold outlier, it must agree with the mean of the D largest
    eigenvalues, m_λ must agree too, and networks are drawn until the tolerance is 8 % (quick: 10 %)
    or the draws run out. Where λ_max is random even in wide networks, its median at this T is
    compared. Where it is a lower bound, m_λ must agree, λ_max must respect the bound, and must not
    grow when M = T doubles.

    The same on digits (`meanfield.studies.validation.digits`), where the theory is that of given
    inputs.

    Args:
        quick: Smaller networks, fewer draws, one number of outputs per placement, and on digits
            only the placements of theory.md section 7.
        seed: Of the draws.
        predict: The theory to be tested, with the signature of `meanfield.predict`.

    Raises:
        ValueError: `seed` is out of range.
    """
    started = time.perf_counter()
    effort = QUICK if quick else FULL
    checks: list[Check] = []
    from meanfield.studies.validation import (
        digits as validation_data,  # it is written in terms of this module's records
    )

    every = [*cases(quick), *validation_data.cases(quick)]
    with progress_bar(every, "validating") as bar:
        for case in bar:
            on_data = case.inputs == validation_data.DIGITS
            hold = validation_data.compare if on_data else compare
            checks.extend(hold(case, effort, seed, predict))
    seconds = time.perf_counter() - started
    return Report(tuple(checks), effort.width, ALLOWANCE, SEMS, seconds)


def compare(
    case: Case, effort: Effort, seed: int, predict: Callable[..., Prediction] = predict
) -> Iterator[Check]:
    """The comparisons of one case."""
    M = effort.width
    network = case.network(M)
    theory = predict(network, M, output_draws=effort.output_draws, seed=seed)
    is_outlier = theory.eigenvalue_max_kind is Kind.OUTLIER
    typical = median_of if theory.eigenvalue_max_at_samples else mean_of
    target = effort.sem if is_outlier else np.inf
    folds = theory.eigenvalue_max_multiplicity if is_outlier and typical is mean_of else 1
    largest, means = draw_statistics(
        network, M, seed, lambda v: typical(v).relative <= target, effort, folds
    )

    def check(quantity: str, expected: Estimate, measured: Estimate, side: int = 0) -> Check:
        """side 0: agreement; +1: measured must not lie above; −1: must not lie below."""
        sem = np.hypot(measured.sem, expected.sem * measured.value / expected.value)
        tolerance = SEMS * float(sem) / expected.value + ALLOWANCE / M**0.5
        deviation = measured.value / expected.value - 1
        passed = (side * deviation if side else abs(deviation)) <= tolerance
        return Check(
            case, quantity, expected.value, measured.value, measured.sem, tolerance, passed
        )

    predicted_mean, predicted_max = (
        Estimate(value, 0.0)
        for value in (theory.eigenvalue_mean, theory.eigenvalue_max)
        if value is not None
    )
    if theory.eigenvalue_second_moment is not None:  # else a standard error of m_λ means nothing
        yield check("m_λ", predicted_mean, mean_of(means))
    if theory.eigenvalue_max_at_samples:
        expected = Estimate(**theory.eigenvalue_max_at_samples["50%"])
        yield check("median λ_max", expected, median_of(largest))
    elif is_outlier:
        yield check(f"λ_max, {folds}-fold", predicted_max, mean_of(largest))
    else:
        yield check("λ_max ≥", predicted_max, mean_of(largest), side=-1)
        before, _ = draw_statistics(case.network(M // 2), M // 2, seed, lambda _: True, effort)
        yield check("λ_max, M/2 to M", mean_of(before), mean_of(largest), side=+1)


def draw_statistics(
    network: Network,
    samples: int,
    seed: int,
    enough: Callable[[np.ndarray], bool],
    effort: Effort,
    folds: int = 1,
    inputs: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws of λ_max and m_λ, doubled in number until they are enough or the effort is spent.

    Of an eigenvalue that is `folds`-fold in the wide limit, the mean of the `folds` that it splits
    into: the largest of them alone lies above the limit by their splitting, O(√(folds/M)).
    """
    runs: list[Simulation] = []
    draws = FIRST_DRAWS
    while True:
        chunk = simulate(
            network, samples, draws=draws, seed=seed + len(runs), leading=folds, inputs=inputs
        )
        runs.append(chunk)
        largest = np.concatenate([np.mean(r.leading_eigenvalues, axis=1) for r in runs])
        if enough(largest) or 2 * len(largest) > effort.max_draws:
            return largest, np.concatenate([run.eigenvalue_mean.draws for run in runs])
        draws = len(largest)
