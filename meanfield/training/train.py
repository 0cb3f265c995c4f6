"""Training finite networks by full-batch gradient descent, over learning rates and draws."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from meanfield.checks import positive_integer, random_seed
from meanfield.machine.compilations import make_room
from meanfield.machine.devices import available_memory
from meanfield.machine.progress import progress_bar
from meanfield.sampling.networks import draw_key, draw_network
from meanfield.spec.inputs import check_inputs
from meanfield.spec.network import Network
from meanfield.training.descent import Course, Lanes, descend, start
from meanfield.training.result import Training, explain_training, surviving, threshold
from meanfield.training.store import TrainingStore

SEGMENT = 25  # steps between two looks at the keyboard; a segment costs one pass more than steps
# Lanes per group: more do not pay on a CPU. A group is always full, if need be of copies, for the
# rounding of a matrix product depends on the number of lanes.
LANES_ON_CPU, LANES = 8, 64
MEMORY_SHARE = 0.5  # of what there is
COPIES = 4  # of parameters and activations: state, successor, gradient, update


def train(
    network: Network,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    learning_rates: Sequence[float] | np.ndarray,
    draws: int = 5,
    steps: int = 300,
    seed: int = 0,
    store: Path | str | None = None,
) -> Training:
    """Trains sampled networks by gradient descent, at every learning rate.

        θ ← θ − η ∇E(θ),   E = (1/2T) Σ_t |y(t) − f(t)|²,   θ = {W^l, b^l}

    on all samples at once, with gradients through the norms' statistics (theory.md section 1:
    near a minimum it converges only if η < 2/λ_max). Initialization d is that of
    `meanfield.simulate` with the same inputs and seed; a run does not depend on the other
    learning rates and draws beside it. In float32.

    Args:
        network: The spec; one of a single width takes M_0 from its inputs.
        inputs: T×M_0.
        targets: T×C, or (T,) for a single output; see `meanfield.teacher` and `Data.one_hot`.
        learning_rates: η, ascending.
        draws: How many initializations.
        steps: How many steps; a run that diverges stops earlier.
        seed: From 0 to 2⁶³ − 1.
        store: A folder that keeps the state every few steps. The same call takes up what was
            interrupted, with the same result to the bit; with more steps it continues.

    Raises:
        ValueError: An argument is out of range, not even one network fits in memory, or the store
            holds another training.
        ModuleNotFoundError: optax is not installed.
        OSError: The store cannot be written.
        KeyboardInterrupt: Ctrl-C; up to its last segment everything is in the store.
    """
    started = time.perf_counter()
    draws, steps = positive_integer("draws", draws), positive_integer("steps", steps)
    seed = random_seed(seed)
    rates = _check_learning_rates(learning_rates)
    network, x = check_inputs(network, inputs, "float32")
    x, y = x.astype(np.float32), _check_targets(targets, len(x), network.outputs)
    if find_spec("optax") is None:
        raise ModuleNotFoundError("training needs optax: pip install 'meanfield[train]'")
    size, kept = _group_size(network, len(x)), None
    if store is not None:
        request = _request(network, x, y, rates, draws=draws, seed=seed, steps=steps)
        kept = TrainingStore(store, request, size)
        size = kept.size
    make_room()
    task = _Task(network, jnp.asarray(x), jnp.asarray(y), seed, steps, kept)
    runs = [_Run(rate, draw) for rate in rates for draw in range(draws)]
    groups = [runs[i : i + size] for i in range(0, len(runs), size)]
    course = _train(task, [g + g[-1:] * (size - len(g)) for g in groups])
    course = jax.tree.map(lambda a: a[: len(runs)].reshape(len(rates), draws), course)
    losses = np.where(course.diverged, np.nan, course.loss)
    rose = course.diverged | (course.peak > course.initial)
    initial = course.initial[0]
    return Training(
        network=network,
        samples=len(x),
        seed=seed,
        steps=steps,
        learning_rates=rates,
        losses=losses,
        diverged=course.diverged,
        rose=rose,
        steps_taken=course.taken,
        initial_losses=np.where(np.isfinite(initial), initial, np.nan),
        loss=surviving(losses),
        threshold=threshold(rates, course.diverged),
        instability=threshold(rates, rose),
        seconds=time.perf_counter() - started,
        notes=tuple(explain_training(course.diverged, rose)),
    )


@dataclass(frozen=True)
class _Run:
    learning_rate: float
    draw: int


@dataclass(frozen=True)
class _Task:
    """What all runs share."""

    network: Network
    inputs: jax.Array
    targets: jax.Array
    seed: int
    steps: int
    store: TrainingStore | None

    def start(self, group: int, runs: list[_Run]) -> Lanes:
        """The lanes of a group, as they were kept or else drawn."""
        drawn = {draw: self._draw(draw) for draw in {run.draw for run in runs}}
        lanes = start([drawn[run.draw] for run in runs])
        kept = self.store.read(group, lanes) if self.store else None
        return lanes if kept is None else kept

    def _draw(self, draw: int):
        """The network of that draw, the one that `measure_draw` measures."""
        with jax.enable_x64(True):
            key, _ = jax.random.split(draw_key(self.seed, draw))
            return draw_network(self.network, key, np.empty((0, 0)), 0, jnp.dtype("float32"))[0]

    def left(self, course: Course) -> int:
        """How many steps a group still has to take; its undiverged lanes took equally many."""
        alive = np.asarray(course.taken)[~np.asarray(course.diverged)]
        return self.steps - int(alive[0]) if len(alive) else 0


def _train(task: _Task, groups: list[list[_Run]]) -> Course:
    """The courses of all groups, joined along the lanes."""
    courses: dict[int, Course] = {}
    segments = len(groups) * -(-task.steps // SEGMENT)
    with progress_bar(_segments(task, groups), "training", segments) as bar:
        for group, course in bar:
            courses[group] = course
    return jax.tree.map(lambda *parts: np.concatenate(parts), *courses.values())


def _segments(task: _Task, groups: list[list[_Run]]) -> Iterator[tuple[int, Course]]:
    """Where a group stands, after each of its segments; one group after the other."""
    structure = task.network.structure
    with jax.enable_x64(False), jax.default_matmul_precision("highest"):
        for group, runs in enumerate(groups):
            rates = jnp.array([run.learning_rate for run in runs], jnp.float32)
            lanes = task.start(group, runs)
            while left := task.left(lanes.course):
                steps = min(left, SEGMENT)
                lanes = descend(structure, lanes, rates, task.inputs, task.targets, steps)
                if task.store:
                    task.store.write(group, lanes)
                yield group, lanes.course
            yield group, lanes.course  # all there is of one that the store holds complete


def _check_learning_rates(values: Sequence[float] | np.ndarray) -> tuple[float, ...]:
    """Raises: ValueError: They are not positive numbers in float32's range, ascending."""
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array(None)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iuf":
        raise ValueError(f"learning_rates must be a sequence of numbers, got {values!r}")
    limits = np.finfo(np.float32)
    wrong = ~((array >= limits.tiny) & (array <= limits.max))
    if wrong.any():
        raise ValueError(f"learning_rates must be positive and finite, got {array[wrong][0]:g}")
    if (np.diff(array.astype(np.float32)) <= 0).any():
        raise ValueError(f"learning_rates must ascend, each above the last, got {values!r}")
    return tuple(float(rate) for rate in array)


def _check_targets(targets: ArrayLike, samples: int, outputs: int) -> np.ndarray:
    """The targets, T×C in float32.

    Raises:
        ValueError: They are no such array of finite real numbers.
    """
    try:
        array = np.asarray(targets)
    except ValueError as error:
        raise ValueError(f"targets must be a T x C array, got {error}") from error
    if array.shape == (samples,) and outputs == 1:
        array = array[:, None]
    if array.shape != (samples, outputs):
        raise ValueError(
            f"targets must have shape (T, C) = ({samples}, {outputs}), a column for each of the "
            f"network's outputs, got {array.shape}"
        )
    if array.dtype.kind not in "iuf":
        raise ValueError(f"targets must be real numbers, got dtype {array.dtype}")
    if not (np.abs(array) <= np.finfo(np.float32).max).all():
        raise ValueError("targets must be finite in float32, got NaN, infinity or beyond")
    return array.astype(np.float32)


def _group_size(network: Network, samples: int) -> int:
    """Lanes to train together.

    Raises:
        ValueError: Not even one fits in memory.
    """
    size = LANES_ON_CPU if jax.default_backend() == "cpu" else LANES
    units = sum(network.widths) + network.outputs
    needed = 4 * COPIES * (network.parameters + samples * units)
    limit = MEMORY_SHARE * available_memory()
    if needed > limit:
        raise ValueError(
            f"samples={samples} with this network would need {needed / 1e9:.2g} GB to train, more "
            f"than the {limit / 1e9:.2g} GB available: take fewer samples or a narrower network"
        )
    while size * needed > limit:
        size //= 2
    return size


def _request(network: Network, inputs: np.ndarray, targets: np.ndarray, rates, **counts) -> dict:
    """All arguments in plain Python types, arrays as their shape and digest."""
    described = {"network": network.to_dict(), "learning_rates": list(rates), **counts}
    for name, array in (("inputs", inputs), ("targets", targets)):
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        described[name] = f"{array.shape} of SHA-256 {digest[:16]}"
    return described
