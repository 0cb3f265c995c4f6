"""Measuring the FIM's spectrum on sampled networks of finite width."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec

import numpy as np
from numpy.typing import ArrayLike

from meanfield.checks import count, one_of, positive_integer, random_seed
from meanfield.machine.compilations import make_room
from meanfield.machine.devices import available_memory, check_devices
from meanfield.machine.progress import progress_bar
from meanfield.numerics.estimates import Statistic
from meanfield.numerics.records import Record
from meanfield.sampling.draws import Experiment, measure_draw
from meanfield.sampling.measurement import Measurement, Request
from meanfield.sampling.methods import BYTES, METHODS, choose_method
from meanfield.spec.inputs import resolve
from meanfield.spec.network import Network
from meanfield.theory.given_inputs.result import GivenPrediction
from meanfield.theory.predict import predict
from meanfield.theory.white_noise.predict import check_range
from meanfield.theory.white_noise.result import Prediction


class SimulationError(ArithmeticError):
    """Every draw failed."""


class SimulationInterrupted(KeyboardInterrupt):
    """Ctrl-C during a simulation.

    Attributes:
        partial: The result of the draws that were finished.
    """

    def __init__(self, partial: "Simulation"):
        """Args: partial: The result of the draws that were finished."""
        super().__init__(f"interrupted after {len(partial.eigenvalue_max.draws)} draws")
        self.partial = partial


@dataclass(frozen=True)
class Simulation(Record, add=("theory",), omit=("network", "inputs")):
    """The FIM's statistics measured on sampled networks, beside what the theory predicts.

    Attributes:
        eigenvalue_max, eigenvalue_mean, eigenvalue_second_moment: λ_max, m_λ and s_λ; the last is
            None where it was not asked for.
        estimator_sem: Where the method estimates m_λ and s_λ, the standard error of every draw's
            estimate, by the statistic's name; else None.
        leading_eigenvalues: The largest eigenvalues of every draw, descending, as many as asked.
        eigenvalues: Where asked for, every draw's non-zero eigenvalues, descending; else None.
        samples, seed: T and the seed.
        method, precision: How it was measured.
        seconds: Wall-clock time, compilation included.
        network: The spec, with the inputs' dimension as M_0.
        inputs: The T×M_0 inputs of every draw, where they were given.
        notes: Draws that failed, and what else to know.
    """

    eigenvalue_max: Statistic
    eigenvalue_mean: Statistic
    eigenvalue_second_moment: Statistic | None
    estimator_sem: dict[str, tuple[float, ...]] | None
    leading_eigenvalues: tuple[tuple[float, ...], ...]
    eigenvalues: tuple[np.ndarray, ...] | None
    samples: int
    seed: int
    method: str
    precision: str
    seconds: float
    network: Network
    inputs: np.ndarray | None = field(repr=False, compare=False)
    notes: tuple[str, ...]

    @cached_property
    def theory(self) -> Prediction | GivenPrediction:
        """The prediction for white noise or, where inputs were given, for these inputs.

        It is made when asked for: on given inputs it can take as long as a measurement.
        """
        if self.inputs is None:
            return predict(self.network, self.samples)
        return predict(self.network, inputs=self.inputs, seed=self.seed)


def simulate(
    network: Network,
    samples: int | None = None,
    *,
    draws: int = 10,
    seed: int = 0,
    inputs: ArrayLike | None = None,
    method: str = "auto",
    precision: str = "float32",
    leading: int = 1,
    spectrum: bool = False,
    second_moment: bool = True,
    devices: int = 1,
    memory_limit: int | None = None,
) -> Simulation:
    """Samples networks and measures λ_max, m_λ and s_λ of their FIM (theory.md section 1).

        F = (1/T) Σ_t Σ_k ∇f_k(t) ∇f_k(t)ᵀ,   m_λ = tr F / P,   s_λ = tr F² / P

    Draw d of seed s is the same network whatever the number of draws, the method, the precision
    or what ran before.

    Args:
        network: The spec.
        samples: T; may be left out where `inputs` are given.
        draws: How many networks (and, without `inputs`, input batches) to sample.
        seed: From 0 to 2⁶³ − 1.
        inputs: A T×M_0 array to use for every draw; Gaussian white noise by default.
        method: `dual` (exact; no hidden norm over samples), `krylov` (every network; m_λ and s_λ
            are estimates with a standard error; needs the `krylov` extra) or `auto`: the one
            with fewer flops by `dual.cost` and `krylov.cost` among those that fit in memory.
        precision: `float32` or `float64`.
        leading: How many of the largest eigenvalues to return for every draw.
        spectrum: Also return all non-zero eigenvalues; needs the whole (CT)×(CT) matrix.
        second_moment: Whether to measure s_λ; with many outputs it costs more than all the rest.
        devices: How many of JAX's devices to spread each draw's samples over; a divisor of T.
        memory_limit: Bytes a draw may use; all of the devices' memory by default.

    Raises:
        ValueError: An argument is out of range, or the measurement would not fit in memory.
        ModuleNotFoundError: The chosen method needs an extra that is not installed.
        SimulationError: Every draw failed.
        SimulationInterrupted: Ctrl-C; it carries the result of the finished draws.
    """
    started = time.perf_counter()
    draws, seed = count("draws", draws), random_seed(seed)
    one_of("method", method, ("auto", *METHODS))
    one_of("precision", precision, tuple(BYTES))
    network, x, T = resolve(network, samples, inputs, precision)
    request = Request(count("leading", leading), bool(spectrum), bool(second_moment))
    devices = check_devices(devices, T)
    limit = available_memory(devices)
    if memory_limit is not None:
        limit = positive_integer("memory_limit", memory_limit)
    make_room()
    chosen = choose_method(network, T, method, precision, request, limit)
    if chosen.extra and find_spec(chosen.extra) is None:
        raise ModuleNotFoundError(
            f"method {chosen.name!r} needs {chosen.extra}: pip install 'meanfield[{chosen.name}]'"
        )
    if x is None:
        check_range(network, T)  # order parameters out of range are refused before any compute
    experiment = Experiment(network, T, seed, chosen, precision, request, x, devices)
    return _run(experiment, draws, started)


def _run(experiment: Experiment, draws: int, started: float) -> Simulation:
    """Measures every draw; a draw that fails is noted and does not stop the others."""
    measured: list[Measurement] = []
    notes: list[str] = []
    try:
        with progress_bar(range(draws), "sampling networks") as numbers:
            for draw in numbers:
                try:
                    measured.append(measure_draw(experiment, draw))
                except ArithmeticError as error:
                    notes.append(f"draw {draw} failed and is left out: {error}")
    except KeyboardInterrupt:
        if not measured:
            raise
        notes.append(f"interrupted: {len(measured)} of {draws} draws")
        raise SimulationInterrupted(_result(experiment, measured, notes, started)) from None
    if not measured:
        raise SimulationError(f"no draw succeeded; {notes[-1]}")
    return _result(experiment, measured, notes, started)


def _result(
    experiment: Experiment, measured: list[Measurement], notes: list[str], started: float
) -> Simulation:
    P, precision = experiment.network.parameters, experiment.precision
    squares = [m.trace_squared / P for m in measured if m.trace_squared is not None]
    spectra = [m.eigenvalues for m in measured if m.eigenvalues is not None]
    return Simulation(
        eigenvalue_max=Statistic.of([m.leading[0] for m in measured]),
        eigenvalue_mean=Statistic.of([m.trace / P for m in measured]),
        eigenvalue_second_moment=Statistic.of(squares) if squares else None,
        estimator_sem=_estimator_sem(measured, P),
        leading_eigenvalues=tuple(tuple(m.leading.tolist()) for m in measured),
        eigenvalues=tuple(_nonzero(e, P, precision) for e in spectra) or None,
        samples=experiment.samples,
        seed=experiment.seed,
        method=experiment.method.name,
        precision=precision,
        seconds=time.perf_counter() - started,
        network=experiment.network,
        inputs=experiment.inputs,
        notes=(*notes, *_on_absent(measured)),
    )


def _estimator_sem(measured: list[Measurement], parameters: int) -> dict[str, tuple] | None:
    """The standard errors of every draw's m_λ and s_λ, where these are estimates."""
    if not any(m.trace_sem for m in measured):
        return None
    sems = {"eigenvalue_mean": tuple(m.trace_sem / parameters for m in measured)}
    if measured[0].trace_squared is not None:
        squares = tuple(m.trace_squared_sem / parameters for m in measured)
        sems["eigenvalue_second_moment"] = squares
    return sems


def _on_absent(measured: list[Measurement]) -> Iterator[str]:
    """Why fields are None."""
    first = measured[0]
    reasons = {
        "sem (a single draw)": len(measured) == 1,
        "eigenvalue_second_moment (not asked for)": first.trace_squared is None,
        "estimator_sem (measured without estimates)": not any(m.trace_sem for m in measured),
        "eigenvalues (not asked for)": first.eigenvalues is None,
    }
    if absent := [reason for reason, holds in reasons.items() if holds]:
        yield f"null: {', '.join(absent)}"


def _nonzero(eigenvalues: np.ndarray, parameters: int, precision: str) -> np.ndarray:
    """Those of the dual matrix's eigenvalues that stand above rounding, at most P of them."""
    above = eigenvalues > len(eigenvalues) * np.finfo(precision).eps * eigenvalues[0]
    return eigenvalues[above][:parameters]
