"""Targets to train on, drawn from another network."""

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.checks import random_seed
from meanfield.machine.memory import check_memory
from meanfield.sampling.networks import draw_key, draw_network, forward
from meanfield.spec.network import Network

TEACHER = 2**32 - 1  # the number of a draw that no student has
COPIES = 2  # of parameters and activations in float32: random numbers before they have a shape


def teacher(network: Network, samples: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """White noise and what a random network makes of it.

        x_i ~ N(0, 1),   y = f_teacher(x)

    The teacher has the widths, outputs, activation and variances of `network`, but no norms: every
    placement is then set the same task. It is drawn independently of the networks that
    `meanfield.train` draws, from the same seed too.

    Args:
        network: The spec.
        samples: T.
        seed: From 0 to 2⁶³ − 1.

    Returns:
        The inputs, T×M_0, and the targets, T×C, in float32.

    Raises:
        ValueError: An argument is out of range.
    """
    T = network.check_samples(samples)
    seed = random_seed(seed)
    plain = network.with_norms("none")
    units = sum(plain.widths) + plain.outputs
    check_memory(
        4.0 * COPIES * (plain.parameters + T * units),
        f"samples={T} with this network",
        "take fewer samples or a narrower network",
    )
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        key = draw_key(seed, TEACHER)
        parameters, x = draw_network(plain, key, None, T, jnp.dtype("float32"))
        return np.asarray(x), np.asarray(forward(plain.structure, parameters, x).outputs)
