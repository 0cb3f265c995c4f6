"""Checking given inputs."""

import numpy as np
from numpy.typing import ArrayLike

from meanfield.spec.network import Network


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
