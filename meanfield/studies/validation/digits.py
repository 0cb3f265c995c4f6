"""Holding the theory on given inputs against networks on real data (theory.md section 7)."""

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from meanfield.data.dataset import load_data
from meanfield.numerics.estimates import Estimate, mean_of, median_of
from meanfield.spec.network import Network
from meanfield.studies.validation.cases import ACTIVATIONS, FULL, PLACEMENTS, Case, Effort
from meanfield.studies.validation.measured import Subject, draw_statistics
from meanfield.studies.validation.report import Check, check
from meanfield.studies.validation.white_noise import exactly

DIGITS = "digits"
SAMPLES, WIDTH, WIDER = 300, 500, 2000
SETTINGS = {name: ACTIVATIONS[name] for name in ("tanh", "relu")}
# λ_max of theory.md section 7, where it does not stay random.
PRINTED = {
    ("relu", "none"): 431,
    ("relu", "mean@last"): 138,
    ("relu", "mean@hidden"): 169,
    ("relu", "batch@hidden"): 95,
    ("relu", "layer@hidden"): 196,
    ("tanh", "none"): 145,
    ("tanh", "mean@last"): 39.3,
    ("tanh", "mean@hidden"): 58.4,
    ("tanh", "batch@hidden"): 48.5,
    ("tanh", "layer@hidden"): 121,
}
PRINT_TOLERANCE = 0.02
QUICK_PLACEMENTS = (
    "none",
    "mean@last",
    "batch@last",
    "mean@hidden",
    "batch@hidden",
    "layer@hidden",
)
WIDER_DRAWS = 48


def cases(quick: bool) -> list[Case]:
    """Every placement with either activation; quick takes those of theory.md's table only."""
    placements = QUICK_PLACEMENTS if quick else tuple(PLACEMENTS)
    return [
        Case(placement, activation, _outputs(placement), DIGITS)
        for placement in placements
        for activation in SETTINGS
    ]


def _outputs(placement: str) -> int:
    """1 where that is enough: the more there are, the further the largest lies above the rest."""
    return min(PLACEMENTS[placement])


@cache
def inputs() -> np.ndarray:
    """The rows that theory.md's table was made with; constant features stay, as zeros."""
    return load_data(DIGITS, SAMPLES, keep_constant=True).inputs


def network(case: Case, width: int) -> Network:
    """The case's network with hidden layers of that width."""
    adapted = case.network(width)
    return adapted.for_inputs(inputs().shape)


def compare(case: Case, effort: Effort, seed: int, predict: Callable) -> Iterator[Check]:
    """The comparisons of one case at a hidden width of 500, and how they improve up to 2000."""
    theory, shift, largest, means = _both(case, WIDTH, effort, seed, predict)
    printed = PRINTED.get((case.activation, case.placement))
    if printed is not None:  # of the wide limit
        value, sem = (x / (1 + shift) for x in theory)
        passed = abs(value / printed - 1) <= PRINT_TOLERANCE
        yield Check(case, "λ_max in print", printed, value, sem, PRINT_TOLERANCE, bool(passed))
    yield means
    yield largest
    if effort is FULL:
        yield _improves(case, largest, effort, seed, predict)


def _both(
    case: Case, width: int, effort: Effort, seed: int, predict: Callable
) -> tuple[Estimate, float, Check, Check]:
    """The theory's λ_max, what of it is the finite width's, and the checks of λ_max and m_λ."""
    net, hold = network(case, width), partial(check, case, width=width)
    theory = predict(net, inputs=inputs(), seed=seed, output_draws=effort.output_draws)
    heavy_tailed = net.norm_records[-1].divide is not None  # by a random variance of the outputs
    typical, name = (median_of, "median λ_max") if heavy_tailed else (mean_of, "λ_max")
    subject = Subject(net, SAMPLES, inputs())
    largest, means = draw_statistics(
        subject, seed, effort, lambda v: typical(v).relative <= effort.sem
    )
    predicted = Estimate(theory.eigenvalue_max, theory.eigenvalue_max_sem or 0.0)
    median = theory.eigenvalue_max_quantiles["50%"]
    expected = predicted._replace(value=median) if heavy_tailed else predicted
    return (
        predicted,
        theory.finite_width_shift,
        hold(name, expected, typical(largest)),
        hold("m_λ", exactly(theory.eigenvalue_mean), mean_of(means)),
    )


def _improves(case: Case, before: Check, effort: Effort, seed: int, predict: Callable) -> Check:
    """Whether the deviation of λ_max from theory shrinks, to 3 standard errors of the two."""
    fewer = effort._replace(max_draws=min(effort.max_draws, WIDER_DRAWS))
    _, _, after, _ = _both(case, WIDER, fewer, seed, predict)
    sem = after.sem / after.expected
    margin = 3 * float(np.hypot(sem, before.sem / before.expected))
    shrinks = abs(after.deviation) <= abs(before.deviation) + margin
    return Check(
        case, "deviation, M to 4M", before.deviation, after.deviation, sem, margin, bool(shrinks)
    )
