"""Training finite networks by full-batch gradient descent, over learning rates and draws."""

import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from meanfield.checks import count, random_seed, shown
from meanfield.machine.compilations import make_room
from meanfield.machine.devices import available_memory
from meanfield.machine.memory import check_memory
from meanfield.machine.progress import progress_bar
from meanfield.spec.inputs import check_inputs
from meanfield.spec.network import Network
from meanfield.training.descent import Course, descend
from meanfield.training.result import Training, explain_training, surviving, threshold
from meanfield.training.store import TrainingStore
from meanfield.training.task import Run, Task

SEGMENT = 25  # steps between two looks at the keyboard; a segment costs one pass more than steps
# Lanes per group: more do not pay on a CPU. A group is always full, if need be of copies, for the
# rounding of a matrix product depends on the number of lanes.
LANES_ON_CPU, LANES = 8, 64
MEMORY_SHARE = 0.5  # of what there is
RUN_BYTES = 200  # of a run, whatever the network
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
    draws, steps = count("draws", draws), count("steps", steps)
    seed, rates = random_seed(seed), _check_learning_rates(learning_rates)
    network, x = check_inputs(network, inputs, "float32")
    runs = len(rates) * draws
    check_memory(float(RUN_BYTES * runs), f"draws={draws} of {len(rates)} rates", "take fewer")
    y = _check_targets(targets, len(x), network.outputs)
    if find_spec("optax") is None:
        raise ModuleNotFoundError("training needs optax: pip install 'meanfield[train]'")
    task = Task(network, x.astype(np.float32), y, rates, draws, seed, steps)
    size = _group_size(network, len(x))
    kept = None if store is None else TrainingStore(store, task.request(), size)
    make_room()
    course = _train(task, kept, kept.size if kept else size)
    return _result(task, course, time.perf_counter() - started)


def _train(task: Task, store: TrainingStore | None, size: int) -> Course:
    """The courses of all runs, as arrays over learning rates and draws."""
    groups = task.groups(size)
    courses: dict[int, Course] = {}
    segments = len(groups) * -(-task.steps // SEGMENT)
    with progress_bar(_segments(task, store, groups), "training", segments) as bar:
        for group, course in bar:
            courses[group] = course
    shape = len(task.learning_rates), task.draws

    def joined(*parts: jax.Array) -> np.ndarray:
        return np.concatenate(parts)[: shape[0] * shape[1]].reshape(shape)

    return jax.tree.map(joined, *courses.values())


def _segments(
    task: Task, store: TrainingStore | None, groups: list[list[Run]]
) -> Iterator[tuple[int, Course]]:
    """Where a group stands, after each of its segments; one group after the other."""
    structure = task.network.structure
    with jax.enable_x64(False), jax.default_matmul_precision("highest"):
        inputs, targets = jnp.asarray(task.inputs), jnp.asarray(task.targets)
        for group, runs in enumerate(groups):
            rates = jnp.array([run.learning_rate for run in runs], jnp.float32)
            lanes = task.start(runs)
            if store:
                lanes = store.read(group, lanes) or lanes
            while left := task.left(lanes.course):
                lanes = descend(structure, lanes, rates, inputs, targets, min(left, SEGMENT))
                if store:
                    store.write(group, lanes)
                yield group, lanes.course
            yield group, lanes.course  # all there is of one that the store holds complete


def _result(task: Task, course: Course, seconds: float) -> Training:
    """What the courses say."""
    taken, initial, peak, loss, diverged = map(np.asarray, course)
    losses, rose = np.where(diverged, np.nan, loss), diverged | (peak > initial)
    return Training(
        network=task.network,
        samples=len(task.inputs),
        seed=task.seed,
        steps=task.steps,
        learning_rates=task.learning_rates,
        losses=losses,
        diverged=diverged,
        rose=rose,
        steps_taken=taken,
        initial_losses=np.where(np.isfinite(initial[0]), initial[0], np.nan),
        loss=surviving(losses),
        threshold=threshold(task.learning_rates, diverged),
        instability=threshold(task.learning_rates, rose),
        seconds=seconds,
        notes=tuple(explain_training(diverged, rose)),
    )


def _check_learning_rates(values: Sequence[float] | np.ndarray) -> tuple[float, ...]:
    """Raises: ValueError: They are not positive numbers in float32's range, ascending."""
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array(None)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iuf":
        raise ValueError(f"learning_rates must be a sequence of numbers, got {shown(values)}")
    limits = np.finfo(np.float32)
    wrong = ~((array >= limits.tiny) & (array <= limits.max))
    if wrong.any():
        raise ValueError(f"learning_rates must be positive and finite, got {array[wrong][0]:g}")
    if (np.diff(array.astype(np.float32)) <= 0).any():
        raise ValueError(f"learning_rates must ascend, each above the last, got {shown(values)}")
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
