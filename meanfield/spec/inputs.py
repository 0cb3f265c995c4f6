"""What a network is run on: given inputs, or so many samples of white noise."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from meanfield.checks import positive_integer
from meanfield.spec.network import Network


class Resolved(NamedTuple):
    """A network and what it is run on.

    Attributes:
        network: With the inputs' dimension as M_0.
        inputs: T×M_0; None for white noise.
        samples: T.
    """

    network: Network
    inputs: np.ndarray | None
    samples: int


def resolve(
    network: Network, samples: int | None, inputs: ArrayLike | None, precision: str = "float64"
) -> Resolved:
    """The network on given inputs, whose number may be left out, or on so much white noise.

    Raises:
        ValueError: Neither is given, they contradict each other, the inputs are no such array of
            finite real numbers, or a norm needs more of them.
    """
    if inputs is None:
        if samples is None:
            raise ValueError("samples is required unless inputs are given, got None")
        return Resolved(network, None, network.check_samples(samples))
    network, array = check_inputs(network, inputs, precision)
    if samples is not None and positive_integer("samples", samples) != len(array):
        raise ValueError(f"samples must equal the inputs' {len(array)} rows, got {samples}")
    return Resolved(network, array, len(array))


def check_inputs(
    network: Network, inputs: ArrayLike, precision: str = "float64"
) -> tuple[Network, np.ndarray]:
    """The network on these inputs (`Network.for_inputs`), and the inputs as a T×M_0 array.

    Raises:
        ValueError: They are no such array of finite real numbers, or too few for a norm.
    """
    try:
        array = np.asarray(inputs)
    except ValueError as error:
        raise ValueError(f"inputs must be a T x M_0 array, got {error}") from error
    if array.ndim != 2 or not array.size:
        M = network.widths[0]
        raise ValueError(f"inputs must have shape (T, {M}), T >= 1, got {array.shape}")
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise ValueError(f"inputs must be real numbers, got dtype {array.dtype}")
    network = network.for_inputs(array.shape)
    if not np.isfinite(array).all():
        raise ValueError("inputs must be finite, got NaN or infinity")
    if np.abs(array).max() > np.finfo(precision).max:
        raise ValueError(f"inputs must be in the range of {precision}, got {np.abs(array).max():g}")
    network.check_samples(array.shape[0])
    return network, array
