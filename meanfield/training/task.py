"""What is to be trained: the runs, in groups of lanes, and what tells one training from another."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.numerics.records import plain
from meanfield.sampling.networks import Parameters, draw_key, draw_network
from meanfield.spec.activations import Activation
from meanfield.spec.network import Network
from meanfield.training.descent import Course, Lanes, start

IN_FULL = ("network", "learning_rates", "draws", "seed", "steps")  # in a store's request
PROBES = (-3.1, -1.3, -0.4, 0.2, 0.7, 1.9, 4.3)  # where a store looks at the activation


class Run(NamedTuple):
    """One learning rate on one initialization."""

    learning_rate: float
    draw: int


@dataclass(frozen=True)
class Task:
    """What was asked for, checked.

    Attributes:
        network, inputs, targets: The spec, T×M_0 and T×C.
        learning_rates, draws, seed, steps: As `meanfield.train` takes them.
    """

    network: Network
    inputs: np.ndarray
    targets: np.ndarray
    learning_rates: tuple[float, ...]
    draws: int
    seed: int
    steps: int

    def request(self) -> dict:
        """All of it in plain types; the inputs, the targets and φ by what tells them apart."""
        return {
            **plain({name: getattr(self, name) for name in IN_FULL}),
            "activation": _values_of(self.network.activation),
            "inputs": _digest(self.inputs),
            "targets": _digest(self.targets),
        }

    def groups(self, size: int) -> list[list[Run]]:
        """All runs, `size` lanes at a time."""
        runs = [Run(rate, draw) for rate in self.learning_rates for draw in range(self.draws)]
        groups = [runs[i : i + size] for i in range(0, len(runs), size)]
        return [group + group[-1:] * (size - len(group)) for group in groups]

    def start(self, runs: list[Run]) -> Lanes:
        """The lanes of a group before their first step."""
        drawn = {draw: self._draw(draw) for draw in {run.draw for run in runs}}
        return start([drawn[run.draw] for run in runs])

    def _draw(self, draw: int) -> Parameters:
        """The network of that draw, the one that `measure_draw` measures."""
        with jax.enable_x64(True):
            key, _ = jax.random.split(draw_key(self.seed, draw))
            return draw_network(self.network, key, np.empty((0, 0)), 0, jnp.dtype("float32"))[0]

    def left(self, course: Course) -> int:
        """How many steps a group still has to take; its undiverged lanes took equally many."""
        alive = np.asarray(course.taken)[~np.asarray(course.diverged)]
        return self.steps - int(alive[0]) if len(alive) else 0


def _digest(array: np.ndarray) -> str:
    """An array as its shape and digest."""
    return f"{array.shape} of SHA-256 {hashlib.sha256(array.tobytes()).hexdigest()[:16]}"


def _values_of(activation: Activation) -> str:
    """φ at a few points: two functions may have the same name, as all lambdas do."""
    values = np.asarray(activation(jnp.array(PROBES, jnp.float32))) + 0.0  # −0 is 0
    return ", ".join(f"{value:.4g}" for value in values)
