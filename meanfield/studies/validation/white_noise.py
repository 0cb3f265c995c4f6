"""Holding the theory for white noise against networks at M = T."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from meanfield.numerics.estimates import Estimate, mean_of, median_of
from meanfield.studies.validation.cases import Case, Effort
from meanfield.studies.validation.measured import Subject, draw_statistics
from meanfield.studies.validation.report import Check, check
from meanfield.theory.kinds import Kind
from meanfield.theory.predict import predict
from meanfield.theory.white_noise.result import Prediction


def compare(
    case: Case, effort: Effort, seed: int, predict: Callable[..., Prediction] = predict
) -> Iterator[Check]:
    """The comparisons of one case."""
    M = effort.width
    network = case.network(M)
    theory = predict(network, M, output_draws=effort.output_draws, seed=seed)
    hold = partial(check, case, width=M)
    is_outlier = theory.eigenvalue_max_kind is Kind.OUTLIER
    random = theory.eigenvalue_max_at_samples
    typical = median_of if random else mean_of
    target = effort.sem if is_outlier else np.inf
    largest, means = draw_statistics(
        Subject(network, M), seed, effort, lambda v: typical(v).relative <= target
    )
    if theory.eigenvalue_second_moment is not None:  # else a standard error of m_λ means nothing
        yield hold("m_λ", exactly(theory.eigenvalue_mean), mean_of(means))
    if random:
        yield hold("median λ_max", Estimate(**random["50%"]), median_of(largest))
    elif is_outlier:
        yield hold("λ_max", exactly(theory.eigenvalue_max), mean_of(largest))
    elif theory.eigenvalue_max_kind is Kind.BULK_EDGE:
        # over tr F/T, in which what all eigenvalues of a network share cancels
        ratio = largest / means
        predicted = exactly(theory.eigenvalue_max).value / exactly(theory.eigenvalue_mean).value
        yield hold("λ_max/m_λ", Estimate(predicted, 0.0), mean_of(ratio))
    else:
        yield hold("λ_max ≥", exactly(theory.eigenvalue_max), mean_of(largest), side=-1)
        half = Subject(case.network(M // 2), M // 2)
        before, _ = draw_statistics(half, seed, effort, lambda _: True)
        yield hold("λ_max, M/2 to M", mean_of(before), mean_of(largest), side=+1)


def exactly(value: float | None) -> Estimate:
    """A prediction, which has no standard error."""
    assert value is not None  # it has a mean over networks
    return Estimate(value, 0.0)
