"""Products with F* = J Jᵀ / T, through the norms' statistics, without any Jacobian."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.sampling.dual_matrix import STRIPS, Factors, find_factors, gram
from meanfield.sampling.networks import Parameters, forward
from meanfield.spec.network import Structure


class Linearization(NamedTuple):
    """What products with F* need of one sampled network.

    Attributes:
        push: Changes of u^1..u^L → those of the outputs, C×T.
        nudges: No change of u^1..u^L: zeros, T×M_l each.
        inputs: Of each layer, h^{l−1} h^{l−1}ᵀ + 1 (T×T), or h^{l−1} where that is much narrower.
    """

    push: Callable[[tuple[jax.Array, ...]], jax.Array]
    nudges: tuple[jax.Array, ...]
    inputs: tuple[jax.Array, ...]


@partial(jax.jit, static_argnames=("structure", "strips"))
def linearize(
    structure: Structure, parameters: Parameters, inputs: jax.Array, strips: int = STRIPS
) -> Linearization:
    """The linearization of one sampled network in its pre-activations."""

    def outputs_of(nudges):
        passed = forward(structure, parameters, inputs, nudges)
        return passed.outputs.T, passed.activations

    T = len(inputs)
    nudges = tuple(jnp.zeros((T, layer.biases.size), inputs.dtype) for layer in parameters)
    _, push, activations = jax.linearize(outputs_of, nudges, has_aux=True)
    correlations = (h if 2 * h.shape[1] < T else gram(h, strips) + 1 for h in activations)
    return Linearization(push, nudges, tuple(correlations))


@partial(jax.jit, static_argnames=("structure", "strips"))
def linearize_with_factors(
    structure: Structure, parameters: Parameters, inputs: jax.Array, strips: int = STRIPS
) -> tuple[Linearization, Factors]:
    """Both at once: the compiler shares their forward passes and Gram matrices."""
    arguments = structure, parameters, inputs, strips
    return linearize(*arguments), find_factors(*arguments)


@jax.jit
def apply(linearization: Linearization, v: jax.Array) -> jax.Array:
    """F* v for v of length CT, ordered output by output, as C×T.

    With δ^l(t) = Σ_s v(s)·∂f(s)/∂u^l(t), T F* v is the change of the outputs under that of the
    parameters by δ: u^l(s) changes by Σ_t (h^{l−1}(s)·h^{l−1}(t) + 1) δ^l(t).
    """
    push, nudges, inputs = linearization
    T = len(nudges[0])
    (backward,) = jax.linear_transpose(push, nudges)(v.reshape(-1, T))
    return push(tuple(map(_correlate, inputs, backward))) / T


def _correlate(h: jax.Array, delta: jax.Array) -> jax.Array:
    """(h hᵀ + 1) δ, from h or from that matrix."""
    if h.shape[0] == h.shape[1]:
        return h @ delta
    return h @ (h.T @ delta) + delta.sum(axis=0, keepdims=True)


@partial(jax.jit, static_argnames="structure")
def materialize(structure: Structure, parameters: Parameters, inputs: jax.Array) -> jax.Array:
    """The (CT)×(CT) dual matrix, column by column, ordered output by output."""
    size = len(inputs) * parameters[-1].biases.size
    product = partial(apply, linearize(structure, parameters, inputs))
    return jax.lax.map(lambda v: product(v).ravel(), jnp.eye(size, dtype=inputs.dtype))
