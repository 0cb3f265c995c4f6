"""One draw: a network sampled and its FIM's spectrum measured."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.machine.devices import spread
from meanfield.sampling.measurement import LARGEST, Measurement, Request
from meanfield.sampling.methods import Method
from meanfield.sampling.networks import draw_key, draw_network
from meanfield.spec.network import Network


@dataclass(frozen=True)
class Experiment:
    """What all draws of a simulation share, checked.

    Attributes:
        network, samples, seed: The spec, T and the seed.
        method, precision, request: How to measure, and what.
        inputs: T×M_0 for every draw; None for white noise.
        devices: Over how many to spread the samples.
    """

    network: Network
    samples: int
    seed: int
    method: Method
    precision: str
    request: Request = LARGEST
    inputs: np.ndarray | None = None
    devices: int = 1


def measure_draw(experiment: Experiment, draw: int) -> Measurement:
    """The draw of that number: the same whatever was drawn before.

    Raises:
        ArithmeticError: A gradient is not finite in this precision.
    """
    e = experiment
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        parameter_key, method_key = jax.random.split(draw_key(e.seed, draw))
        dtype = jnp.dtype(e.precision)
        drawn = draw_network(e.network, parameter_key, e.inputs, e.samples, dtype)
        parameters, x = spread(*drawn, e.devices)
        measured = e.method.measure(e.network, parameters, x, method_key, e.request)
    if not all(np.isfinite(x).all() for x in measured[:5] if x is not None):
        raise ArithmeticError("a gradient is not finite in this precision")
    return measured
