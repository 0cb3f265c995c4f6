"""Sampling networks of finite width: weights, biases, inputs, and the forward pass."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.sampling.normalize import normalize
from meanfield.spec.network import Network, Structure


class Layer(NamedTuple):
    """Weights (M_l × M_{l−1}) and biases (M_l) of one layer."""

    weights: jax.Array
    biases: jax.Array


Parameters = tuple[Layer, ...]


def draw_key(seed: int, draw: int) -> jax.Array:
    """The random key of one draw: it depends on the seed and the draw's number alone."""
    return jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), draw)


def draw_network(
    network: Network, key: jax.Array, inputs: np.ndarray | None, samples: int, dtype: jnp.dtype
) -> tuple[Parameters, jax.Array]:
    """Draws W^l_ij ~ N(0, σ_w²/M_{l−1}), b^l_i ~ N(0, σ_b²) and x_i ~ N(0, 1).

    All are drawn in float32 and then cast, so that both precisions see the same network.

    Args:
        inputs: A T×M_0 array to use instead of drawn inputs.

    Returns:
        The parameters of layers 1..L and the T×M_0 inputs.
    """
    units = (*network.widths, network.outputs)
    variances = network.weight_var, network.bias_var
    parameters, drawn = _draw(units, samples if inputs is None else 0, dtype, key, *variances)
    return parameters, drawn if inputs is None else jnp.asarray(inputs, dtype)


@partial(jax.jit, static_argnames=("units", "samples", "dtype"))
def _draw(
    units: tuple[int, ...],
    samples: int,
    dtype: jnp.dtype,
    key: jax.Array,
    weight_var: jax.Array,
    bias_var: jax.Array,
) -> tuple[Parameters, jax.Array]:
    def normal(key, shape, variance):
        scale = jnp.sqrt(variance).astype(jnp.float32)
        return (scale * jax.random.normal(key, shape, jnp.float32)).astype(dtype)

    input_key, *layer_keys = jax.random.split(key, len(units))
    parameters = []
    for n_in, n_out, layer_key in zip(units[:-1], units[1:], layer_keys, strict=True):
        weight_key, bias_key = jax.random.split(layer_key)
        weights = normal(weight_key, (n_out, n_in), weight_var / n_in)
        parameters.append(Layer(weights, normal(bias_key, (n_out,), bias_var)))
    return tuple(parameters), normal(input_key, (samples, units[0]), 1.0)


class Pass(NamedTuple):
    """A forward pass: the outputs f before and after the last norm, and h^0..h^{L−1}."""

    raw_outputs: jax.Array
    outputs: jax.Array
    activations: tuple[jax.Array, ...]


def forward(
    structure: Structure,
    parameters: Parameters,
    inputs: jax.Array,
    nudges: Sequence[jax.Array] | None = None,
    hold_statistics: bool = False,
) -> Pass:
    """Runs the network on a T×M_0 batch, with the norms' statistics taken over that batch.

    Args:
        nudges: Added to u^1..u^L: derivatives with respect to them are the backward signals.
        hold_statistics: Whether derivatives take the hidden norms' statistics over samples for
            constants, so that they run through one sample at a time.
    """
    h, activations = inputs, []
    *hidden, last = structure.norms
    norms = [*((norm, hold_statistics) for norm in hidden), (last, False)]
    for index, (layer, (norm, hold)) in enumerate(zip(parameters, norms, strict=True)):
        activations.append(h)
        u = h @ layer.weights.T + layer.biases[None, :]
        if nudges is not None:
            u = u + nudges[index]
        normalized = normalize(norm, u, hold)
        h = structure.activation(normalized)  # of no use after the last layer, and compiled away
    return Pass(u, normalized, tuple(activations))
