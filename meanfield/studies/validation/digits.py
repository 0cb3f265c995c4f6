"""Holding the theory on given inputs against networks on real data (theory.md section 7)."""

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from meanfield.data.dataset import load_data
from meanfield.numerics.estimates import Estimate, mean_of, median_of
from meanfield.spec.network import Network
from meanfield.studies.validation.cases import ACTIVATIONS, PLACEMENTS, Case, Effort
from meanfield.studies.validation.measured import Subject, draw_statistics
from meanfield.studies.validation.report import Check, check
from meanfield.studies.validation.white_noise import exactly

DIGITS = "digits"
SAMPLES, WIDTH = 300, 500
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
    """The comparisons of one case at a hidden width of 500."""
    net, hold = network(case, WIDTH), partial(check, case, width=WIDTH)
    theory = predict(net, inputs=inputs(), seed=seed, output_draws=effort.output_draws)
    predicted = Estimate(theory.eigenvalue_max, theory.eigenvalue_max_sem or 0.0)
    printed = PRINTED.get((case.activation, case.placement))
    if printed is not None:  # of the wide limit
        value, sem = (x / (1 + theory.finite_width_shift) for x in predicted)
        passed = abs(value / printed - 1) <= PRINT_TOLERANCE
        yield Check(case, "λ_max in print", printed, value, sem, PRINT_TOLERANCE, bool(passed))
    heavy_tailed = net.norm_records[-1].divide is not None  # by a random variance of the outputs
    typical, name = (median_of, "median λ_max") if heavy_tailed else (mean_of, "λ_max")
    largest, means = draw_statistics(
        Subject(net, SAMPLES, inputs()), seed, effort, lambda v: typical(v).relative <= effort.sem
    )
    median = theory.eigenvalue_max_quantiles["50%"]
    expected = predicted._replace(value=median) if heavy_tailed else predicted
    yield hold("m_λ", exactly(theory.eigenvalue_mean), mean_of(means))
    yield hold(name, expected, typical(largest))
