"""The layer recursion for any sequence of norms, and the order parameters (theory.md section 3)."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.spec.activations import Activation
from meanfield.spec.network import Network
from meanfield.spec.norms import NORMS, Norm
from meanfield.theory.kernels import Exchangeable, Source
from meanfield.theory.layer import Layer, input_layer, layer_step
from meanfield.theory.norms import chain_factor, kernels, output_chain_factor
from meanfield.theory.white_noise.backward_weights import backward_weights


class Code(NamedTuple):
    """What of a network is code and not numbers: compiled functions are shared by its values.

    Attributes:
        activation: φ.
        hidden: The norms that `Numbers.hidden_norms` chooses from.
        last: Norm_L.
        outputs: C.
    """

    activation: Activation
    hidden: tuple[Norm, ...]
    last: Norm
    outputs: int

    @classmethod
    def of(cls, network: Network) -> "Code":
        """That of a network."""
        return cls(
            network.activation,
            tuple(NORMS.values()),
            network.norm_records[-1],
            network.outputs,
        )


class Numbers(NamedTuple):
    """What of a network, at one sample count, is numbers; each may be traced.

    Attributes:
        hidden_norms: The index in `Code.hidden` of Norm_l, l = 1..L−1.
        widths: M_0..M_{L−1}.
        samples: T; infinity is the limit T → ∞.
        weight_var, bias_var: σ_w² and σ_b².
        parameters: P.
        scale: α M, by which κ₁ and κ₂ are divided; NaN for a depth of 1.
        backward_weights: Of the hidden layers, l = 1..L−1: values of χ²_C and their probabilities.
    """

    hidden_norms: jax.Array | np.ndarray
    widths: jax.Array | np.ndarray
    samples: jax.Array | float
    weight_var: jax.Array | float
    bias_var: jax.Array | float
    parameters: jax.Array | float
    scale: jax.Array | float
    backward_weights: jax.Array | np.ndarray

    @classmethod
    def of(cls, network: Network, samples: jax.Array | float) -> "Numbers":
        """Those of a network."""
        names = tuple(NORMS)
        return cls(
            np.array([names.index(name) for name in network.norms[:-1]], dtype=np.int32),
            np.asarray(network.widths, dtype=np.float64),
            samples,
            network.weight_var,
            network.bias_var,
            float(network.parameters),
            network.alpha * network.width or np.nan,
            _backward_weights(network),
        )


def _backward_weights(network: Network) -> np.ndarray:
    every = [backward_weights(network.outputs, width) for width in network.widths]
    return np.array(every)[1:]


class LayerRecord(NamedTuple):
    """What one layer leaves behind: one entry per layer once scanned.

    Attributes:
        S: The covariance of u^l, before the norm: q^l_t, the gap, and through them q^l_st.
        Q: q̂^l, of h^l.
        slope: Φ^l, the averages of φ'.
        chain_factor: r^l.
        error: The averages' estimated relative error.
    """

    S: Exchangeable
    Q: Exchangeable
    slope: Exchangeable
    chain_factor: jax.Array
    error: jax.Array


class Solution(NamedTuple):
    """The recursion solved for one network at one sample count.

    Attributes:
        layers: The records of the hidden layers, l = 1..L−1.
        S, K: Covariance and tangent kernel of the output layer, before its norm.
        backward: q̃^l for l = 1..L.
        error: The largest estimated relative error of any Gaussian average.
    """

    layers: LayerRecord
    S: Exchangeable
    K: Exchangeable
    backward: Exchangeable
    error: jax.Array


def solve(code: Code, source: Source, numbers: Numbers, bias_block: jax.Array) -> Solution:
    """The recursion from the inputs to the outputs, and the chain of q̃ back.

    Args:
        code: The network's norms and outputs.
        source: Of the averages of its activation.
        numbers: All else.
        bias_block: 1, or 0 to leave the biases' share out of the tangent kernel.
    """
    weight_var, bias_var = numbers.weight_var, numbers.bias_var
    one = jnp.ones_like(weight_var)
    inputs = Exchangeable(one, one, numbers.samples * one)  # white noise: Q⁰ = (1, 0)
    norms = [partial(kernels, norm) for norm in code.hidden]
    factors = [partial(chain_factor, norm) for norm in code.hidden]

    def step(carry, hidden):
        (S, K), (norm, width) = carry, hidden
        S_bar, K_bar = jax.lax.switch(norm, norms, S, K)
        after = layer_step(S_bar, K_bar, source, Layer(width, weight_var, bias_var, bias_block))
        factor = jax.lax.switch(norm, factors, S)
        return (after.S, after.K), LayerRecord(S, after.Q, after.slope, factor, after.error)

    first = Layer(numbers.widths[0] * one, weight_var, bias_var, bias_block)
    hidden = numbers.hidden_norms, numbers.widths[1:]
    (S, K), layers = jax.lax.scan(step, input_layer(inputs, first), hidden)
    return Solution(
        layers=layers,
        S=S,
        K=K,
        backward=_backward(layers, output_chain_factor(code.last, S), weight_var, S.samples),
        error=jnp.max(layers.error, initial=0.0),
    )


def _backward(
    layers: LayerRecord, start: jax.Array, weight_var: jax.Array | float, samples: jax.Array
) -> Exchangeable:
    """q̃^l = r^l σ_w² q̃^{l+1} Φ^l for l = 1..L, from q̃^L = `start` for one sample and a pair."""
    output = Exchangeable(start, jnp.zeros_like(start), samples)

    def step(later, layer):
        slope, factor = layer
        here = slope.hadamard(later).scaled(factor * weight_var)
        return here, here

    _, hidden = jax.lax.scan(step, output, (layers.slope, layers.chain_factor), reverse=True)
    return jax.tree.map(lambda h, o: jnp.append(h, o), hidden, output)


def solve_both(code: Code, source: Source, numbers: Numbers) -> tuple[Solution, Solution]:
    """The solution at T samples, and the leading order: T → ∞ without the bias block.

    Both run through one recursion: side by side, or in turn where the averages branch.
    """

    def solve_one(samples, bias_block):
        return solve(code, source, numbers._replace(samples=samples), bias_block)

    T = jnp.asarray(numbers.samples)
    cases = jnp.stack([T, jnp.full_like(T, jnp.inf)]), jnp.array([1.0, 0.0])
    in_turn = source.branches
    both = jax.lax.map(lambda c: solve_one(*c), cases) if in_turn else jax.vmap(solve_one)(*cases)
    here, leading = (jax.tree.map(lambda a, i=i: a[i], both) for i in (0, 1))
    return here, leading
