"""Sampling networks of finite width: weights, biases, inputs, and the forward pass."""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.sampling.normalize import normalize
from meanfield.spec.network import Network, Structure

FEWEST = 2**12  # numbers that are drawn at once: a small network takes all of its in one call


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
    drawn_inputs = samples if inputs is None else 0
    counts = [n for n_in, n_out in pairwise(units) for n in (n_in * n_out, n_out)]
    with jax.threefry_partitionable(True):  # whatever is drawn after a number, it is the same
        numbers = _numbers(_keys(key, len(units)), [*counts, drawn_inputs * units[0]])
        variances = network.weight_var, network.bias_var
        parameters, drawn = _arranged(numbers, units, drawn_inputs, dtype, *variances)
    return parameters, drawn if inputs is None else jnp.asarray(inputs, dtype)


@partial(jax.jit, static_argnames="count")
def _keys(key: jax.Array, count: int) -> tuple[jax.Array, ...]:
    """Those of W^1, b^1, W^2, ... and of the inputs."""
    keys = jax.random.split(key, count)
    return (*jax.vmap(jax.random.split)(keys[1:]).ravel(), keys[0])


def _numbers(keys: tuple[jax.Array, ...], counts: Sequence[int]) -> list[jax.Array]:
    """At least so many numbers for each key: what draws them is compiled for few sizes."""
    sizes = [_rounded_up(count) for count in counts]
    if max(sizes) == FEWEST:
        return _erf_inverses(keys, FEWEST)
    return [_erf_inverses((k,), size)[0] for k, size in zip(keys, sizes, strict=True)]


def _rounded_up(count: int) -> int:
    """To the next of eight steps per factor of two."""
    step = 2 ** max(0, (count - 1).bit_length() - 4)
    return max(FEWEST, -(-count // step) * step)


@partial(jax.jit, static_argnames="size")
def _erf_inverses(keys: tuple[jax.Array, ...], size: int) -> list[jax.Array]:
    """Numbers of N(0, 1/2) for each key, as `jax.random.normal` draws them.

    Without its factor √2, which compiled together with the variance's root rounds otherwise: every
    seed's networks would change in their last bits.
    """

    def draw(key):
        above = np.nextafter(np.float32(-1), np.float32(0))
        return jax.lax.erf_inv(jax.random.uniform(key, (size,), jnp.float32, above, 1.0))

    return list(jax.vmap(draw)(jnp.stack(keys)))


@partial(jax.jit, static_argnames=("units", "samples", "dtype"))
def _arranged(
    numbers: Sequence[jax.Array],
    units: tuple[int, ...],
    samples: int,
    dtype: jnp.dtype,
    weight_var: jax.Array,
    bias_var: jax.Array,
) -> tuple[Parameters, jax.Array]:
    def normal(numbers, shape, variance):
        scale = jnp.sqrt(variance).astype(jnp.float32)
        used = numbers[: math.prod(shape)].reshape(shape)
        return (scale * (np.float32(2**0.5) * used)).astype(dtype)

    *drawn, inputs = numbers
    layers = zip(pairwise(units), drawn[::2], drawn[1::2], strict=True)
    parameters = tuple(
        Layer(normal(weights, (n_out, n_in), weight_var / n_in), normal(biases, (n_out,), bias_var))
        for (n_in, n_out), weights, biases in layers
    )
    return parameters, normal(inputs, (samples, units[0]), 1.0)


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
