"""Gradient descent on several lanes at once, a lane being one network with one learning rate."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.sampling.networks import Parameters, forward
from meanfield.spec.network import Structure

# A lane has diverged once its loss exceeds its initial one by this factor. Above 2/λ_max networks
# first survive a spike and then train on: spikes of 400 times the initial loss were seen to.
DIVERGED = 1e4


class Course(NamedTuple):
    """What is known of a lane.

    Attributes:
        taken: Steps taken; a lane that has diverged takes no more.
        initial: E before the first step.
        peak: The largest E so far.
        loss: E after the last step.
        diverged: Whether E was not finite or above DIVERGED times the initial one.
    """

    taken: jax.Array
    initial: jax.Array
    peak: jax.Array
    loss: jax.Array
    diverged: jax.Array


class Lanes(NamedTuple):
    """Lanes, along the first axis of every array."""

    parameters: Parameters
    course: Course


def start(networks: list[Parameters]) -> Lanes:
    """Lanes at their first step, one for each network."""
    n = len(networks)
    parameters = jax.tree.map(lambda *leaves: jnp.stack(leaves), *networks)
    zeros = jnp.zeros(n, jnp.float32)
    return Lanes(
        parameters, Course(jnp.zeros(n, jnp.int32), zeros, zeros, zeros, jnp.zeros(n, bool))
    )


def squared_loss(
    structure: Structure, parameters: Parameters, inputs: jax.Array, targets: jax.Array
) -> jax.Array:
    """E = (1/2T) Σ_t |y − f|² (theory.md section 1), the norms' statistics over this batch."""
    f = forward(structure, parameters, inputs).outputs
    return jnp.square(targets - f).sum() / (2 * len(inputs))


@partial(jax.jit, static_argnames="structure")
def descend(
    structure: Structure,
    lanes: Lanes,
    learning_rates: jax.Array,
    inputs: jax.Array,
    targets: jax.Array,
    steps: int,
) -> Lanes:
    """Takes `steps` steps on every lane, fewer where it diverges.

    The last pass only looks at the loss. The next segment's first pass repeats that in the same
    code, so that it does not matter, to the bit, where one segment ends and another begins.
    """

    def unfinished(carry):
        n, lanes = carry
        return (n <= steps) & ~lanes.course.diverged.all()

    def body(carry):
        n, lanes = carry
        step = partial(_step, structure, inputs, targets, n < steps)
        return n + 1, jax.vmap(step)(lanes, learning_rates)

    return jax.lax.while_loop(unfinished, body, (0, lanes))[1]


def _step(
    structure: Structure,
    inputs: jax.Array,
    targets: jax.Array,
    moves: jax.Array,
    lane: Lanes,
    learning_rate: jax.Array,
) -> Lanes:
    """θ ← θ − η ∇E on one lane, gradients through the norms' statistics."""
    import optax  # of the `train` extra

    parameters, course = lane
    objective = partial(squared_loss, structure, inputs=inputs, targets=targets)
    loss, gradient = jax.value_and_grad(objective)(parameters)
    initial = jnp.where(course.taken == 0, loss, course.initial)
    peak = jnp.fmax(course.peak, loss)  # 0 before the first step
    diverged = course.diverged | ~jnp.isfinite(loss) | (loss > DIVERGED * initial)
    moves = moves & ~diverged
    optimizer = optax.sgd(learning_rate)  # without momentum it has no state to carry along
    updates, _ = optimizer.update(gradient, optimizer.init(parameters))
    moved = optax.apply_updates(parameters, updates)
    parameters = jax.tree.map(partial(jnp.where, moves), moved, parameters)
    return Lanes(parameters, Course(course.taken + moves, initial, peak, loss, diverged))
