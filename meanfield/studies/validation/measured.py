"""Networks drawn until their statistics are known well enough."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from meanfield.spec.network import Network
from meanfield.studies.simulation import Simulation, simulate
from meanfield.studies.validation.cases import Effort

FIRST_DRAWS = 12


class Subject(NamedTuple):
    """A network, how many samples it is run on, and which; None for white noise."""

    network: Network
    samples: int
    inputs: np.ndarray | None = None


def draw_statistics(
    subject: Subject,
    seed: int,
    effort: Effort,
    enough: Callable[[np.ndarray], bool],
) -> tuple[np.ndarray, np.ndarray]:
    """Draws of λ_max and m_λ, doubled in number until they are enough or the effort is spent."""
    network, samples, inputs = subject
    runs: list[Simulation] = []
    draws = FIRST_DRAWS
    while True:
        seed_here = seed + len(runs)
        runs.append(simulate(network, samples, draws=draws, seed=seed_here, inputs=inputs))
        largest = np.concatenate([run.eigenvalue_max.draws for run in runs])
        if enough(largest) or 2 * len(largest) > effort.max_draws:
            return largest, np.concatenate([run.eigenvalue_mean.draws for run in runs])
        draws = len(largest)
