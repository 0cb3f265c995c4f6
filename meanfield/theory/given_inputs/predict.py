"""Predicting the FIM's spectrum of a network on given inputs (theory.md section 7)."""

from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import ArrayLike

from meanfield.machine.memory import check_memory
from meanfield.numerics.estimates import Estimate, mean_of
from meanfield.spec.inputs import resolve
from meanfield.spec.network import Network
from meanfield.spec.norms import SAMPLES, UNITS
from meanfield.theory.given_inputs.finite_width import displaced
from meanfield.theory.given_inputs.notes import explain
from meanfield.theory.given_inputs.options import Options
from meanfield.theory.given_inputs.readout import Asked, GivenReadout, read_outputs
from meanfield.theory.given_inputs.recursion import Solution, solve
from meanfield.theory.given_inputs.result import GivenPrediction
from meanfield.theory.kernels import Full
from meanfield.theory.kinds import QUANTILES, Kind, by_quantile
from meanfield.theory.outputs import largest_of_outputs, largest_quantiles

# T×T matrices of float64 that are held at a time, by the recursion, and per hidden layer to know
# its response, and T×draws ones: measured, T = 800 to 1500.
MATRICES, PER_LAYER, COLUMNS = 16, 12, 6


def predict_given(
    network: Network, inputs: ArrayLike, samples: int | None, options: Options
) -> GivenPrediction:
    """The work of `meanfield.predict` where inputs are given; its documentation is there."""
    network, x, T = resolve(network, samples, inputs)
    assert x is not None  # they are given
    options = options.checked(T)
    _check_memory(network, T, options.output_draws)
    with jax.enable_x64(True):
        solution = solve(network, x, options)
        readout, sem = _read(network, solution.outputs, options)
        finite = _finite(network, solution, readout, options)
    found = _prediction(network, options, readout, sem, finite)
    diverges = network.norm_records[-1].divergence(network.outputs)
    return replace(found, notes=explain(found, diverges, solution.error))


def _check_memory(network: Network, samples: int, draws: int) -> None:
    """Raises: ValueError: The kernels, or so many draws of the outputs, would not fit."""
    matrices = MATRICES + PER_LAYER * (network.depth - 1)
    check_memory(8.0 * matrices * samples**2, f"samples={samples}", "take fewer samples")
    rows = samples if network.norm_records[-1].divide is SAMPLES else 1
    check_memory(8.0 * COLUMNS * rows * draws, f"output_draws={draws}", "take fewer")


def _read(
    network: Network, kernels: list[tuple[Full, Full]], options: Options
) -> tuple[GivenReadout, float | None]:
    """The spectrum, and the standard error of λ_max's mean.

    Of replicas the mean kernels are read. λ_max is convex in them: the jackknife takes the bias of
    their noise off to first order, and gives the error.
    """

    def read(some: list[tuple[Full, Full]]) -> GivenReadout:
        S, K = _mean(some)
        rng = np.random.default_rng(options.seed)
        asked = Asked(options.eigenvectors, options.output_draws, rng)
        return read_outputs(network, S, K, asked)

    readout = read(kernels)
    draws = readout.largest
    sem = mean_of(draws).sem if len(draws) > 1 else 0.0
    if len(kernels) == 1:
        return readout, float(sem) if len(draws) > 1 else None
    n = len(kernels)
    without = [read(kernels[:i] + kernels[i + 1 :]).largest.mean() for i in range(n)]
    bias = (n - 1) * (np.mean(without) - draws.mean())
    less = 1 - bias / draws.mean()
    corrected = readout._replace(largest=draws * less, alone=readout.alone * less)
    return corrected, float(np.hypot(sem, (n - 1) / n**0.5 * np.std(without)))


def _mean(kernels: list[tuple[Full, Full]]) -> tuple[Full, Full]:
    """Over replicas."""
    S, K = jax.tree.map(lambda *parts: sum(parts) / len(parts), *kernels)
    return S, K


class _Finite(NamedTuple):
    """λ_max at a finite width.

    Attributes:
        ratio: Its mean over the wide limit's λ_1 of one output, with the sampled units' error.
        deviation: Its relative standard deviation over networks, but for what the readout samples.
        is_edge: Whether nothing stands clear of the spread that the width causes.
    """

    ratio: Estimate
    deviation: float
    is_edge: bool


def _finite(
    network: Network, solution: Solution, readout: GivenReadout, options: Options
) -> _Finite:
    """What the finite width does, and that the largest of all outputs counts.

    Outputs differ by the variances that a last batch norm divides by, which the readout samples,
    and by what finite layers send back: taken together as independent of each other.
    """
    S, K = (np.asarray(kernel.matrix) for kernel in _mean(solution.outputs))
    one, is_edge, varies, error = displaced(network, solution.passages, (S, K), options.seed)
    norm, outputs = network.norm_records[-1], network.outputs
    apart = 1 if norm.divide is UNITS else outputs - norm.lost_directions
    shift, variance = varies.largest(largest_of_outputs(apart))
    sampled = readout.largest.mean() / readout.alone - 1 if readout.alone > 0 else 0.0
    largest = 1 + np.hypot(sampled, float(shift))
    sem = np.hypot(one.sem * largest, one.value * float(shift) * error)
    ratio = Estimate(float(one.value * largest / (1 + sampled)), float(sem))
    return _Finite(ratio, float(variance) ** 0.5, is_edge)


def _prediction(
    network: Network,
    options: Options,
    readout: GivenReadout,
    sem: float | None,
    finite: _Finite,
) -> GivenPrediction:
    """The prediction, but for its notes."""
    P, draws = network.parameters, readout.largest * finite.ratio.value
    has_mean = np.isfinite(readout.trace)
    largest = float(draws.mean()) if has_mean else None
    errors = (finite.ratio.value * (sem or 0.0), readout.largest.mean() * finite.ratio.sem)
    sampled = has_mean and (sem is not None or finite.ratio.sem > 0)
    batch = any(norm.divide is SAMPLES for norm in network.norm_records[:-1])
    return GivenPrediction(
        network=network,
        samples=len(readout.vectors),
        parameters=P,
        eigenvalues=readout.eigenvalues if has_mean else None,
        eigenvalue_mean=readout.trace / P if has_mean else None,
        eigenvalue_second_moment=_if_finite(readout.trace_squared / P),
        eigenvalue_max=largest,
        eigenvalue_max_sem=float(np.hypot(*errors)) if sampled else None,
        eigenvalue_max_kind=Kind.BULK_EDGE if finite.is_edge else Kind.OUTLIER,
        finite_width_shift=finite.ratio.value - 1 if has_mean else None,
        eigenvalue_max_multiplicity=readout.multiplicity,
        eigenvalue_max_quantiles=_quantiles(draws, finite.deviation, options.seed),
        learning_rate_max=2 / largest if largest else None,
        eigenvectors=readout.vectors if options.eigenvectors else None,
        batch_statistics=options.batch_statistics if batch else None,
        notes=(),
    )


def _quantiles(draws: np.ndarray, deviation: float, seed: int) -> dict[str, float] | None:
    """Of one network's λ_max: what the readout samples, times a log-normal factor."""
    if len(draws) == 1:
        if deviation == 0 or draws[0] <= 0:
            return None
        return by_quantile(largest_quantiles(float(draws[0]), deviation, 0.0))
    normal = np.random.default_rng(seed).standard_normal(len(draws))
    spread = draws * np.exp(deviation * normal - deviation**2 / 2)
    return by_quantile(np.quantile(spread, QUANTILES).tolist())


def _if_finite(value: float) -> float | None:
    """The value, or None where its mean over networks diverges."""
    return value if np.isfinite(value) else None
