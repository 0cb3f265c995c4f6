"""The exact dual matrix, layer by layer (theory.md sections 1, 5 and 6).

For a network whose hidden norms act on each sample alone, the gradient of output k at sample t with
respect to layer l is δ_k^l(t) h^{l−1}(t)ᵀ with δ_k^l = ∂f_k/∂u^l, so the T×T block of F* is

    F*_kk'(s, t) = (1/T) Σ_l (h^{l−1}(s)·h^{l−1}(t) + 1) (δ_k^l(s)·δ_k'^l(t)),

a sum of elementwise products of Gram matrices: no Jacobian is ever formed. A norm of the outputs
over samples multiplies the blocks by its own T×T Jacobians from both sides. The blocks are used
one by one; only a request for the whole spectrum puts them together.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.lanczos import top_eigenpairs
from meanfield.measurement import Measurement, MethodCost, Request
from meanfield.network import Network, Structure
from meanfield.sampling import Parameters, forward

LANCZOS_PRODUCTS = 40  # expected; an outlier takes 11, a bulk's edge 30 to 60


class Factors(NamedTuple):
    """What the dual matrix is made of.

    Attributes:
        forward_grams: h^{l−1} h^{l−1}ᵀ + 1 for l = 1..L, each T×T.
        backward: δ^l for l = 1..L, each T×C×M_l.
        raw_outputs: f before a norm over samples, T×C.
    """

    forward_grams: tuple[jax.Array, ...]
    backward: tuple[jax.Array, ...]
    raw_outputs: jax.Array


def supports(network: Network) -> bool:
    """Whether no hidden norm mixes samples."""
    return not any(norm.mixes_samples for norm in network.norm_records[:-1])


def cost(network: Network, samples: int, request: Request) -> MethodCost:
    """Flops of the matrix products, and numbers held, of one draw.

    flops = 2 T P (1 + C)                                            forward and C backward passes
          + 2 T² Σ_l [M_{l−1} + M_l C(C+1)/2]                        Gram matrices
          + 40 · (C = 1: 2 T²; else Σ_l [2 T² M_l + 4 T M_l C])      Lanczos products
          [+ 2 (CT)³ for the whole spectrum]
    numbers held = P + 2 T (1 + C) (Σ_l M_l + C) + T² (L + 4) [+ 3 (CT)² for the whole spectrum]
    """
    T, C = samples, network.outputs
    outs = (*network.widths[1:], C)
    inputs_and_outputs = sum(network.widths) + C * (C + 1) // 2 * sum(outs)
    lanczos = 2 * T**2 if C == 1 else sum(2 * T**2 * m + 4 * T * m * C for m in outs)
    flops = 2 * T * network.parameters * (1 + C) + 2 * T**2 * inputs_and_outputs
    flops += LANCZOS_PRODUCTS * lanczos
    held = network.parameters + 2 * T * (1 + C) * (sum(network.widths) + C)
    held += T**2 * (network.depth + 4)
    if request.spectrum:
        held += 3 * (C * T) ** 2
        flops += 2 * (C * T) ** 3
    return MethodCost(flops, held)


def measure(
    network: Network, parameters: Parameters, inputs: jax.Array, key: jax.Array, request: Request
) -> Measurement:
    """The leading eigenvalues, tr F and tr F² of one sampled network, all exact up to rounding."""
    precision = inputs.dtype.name
    T, C = inputs.shape[0], network.outputs
    factors = _factors(network.structure, parameters, inputs)
    start = np.asarray(jax.random.normal(key, (C * T,), jnp.float32), precision)
    if request.spectrum or request.leading >= C * T:
        return Measurement.exact(np.asarray(_assemble(network.structure, factors)), request)
    trace, trace_squared, block = _moments(network.structure, factors)
    if C == 1:
        matrix = np.asarray(block)
        product = matrix.__matmul__
    else:
        product = lambda v: _product(network.structure, factors, v.reshape(T, C))  # noqa: E731
    leading, _ = top_eigenpairs(product, C * T, request.leading, precision, start)
    return Measurement(leading.astype(np.float64), float(trace), float(trace_squared))


@partial(jax.jit, static_argnames="structure")
def _factors(structure: Structure, parameters: Parameters, inputs: jax.Array) -> Factors:
    over_samples = structure.norms[-1].mixes_samples
    T, C = inputs.shape[0], parameters[-1].biases.size

    def outputs_of(nudges):
        passed = forward(structure, parameters, inputs, nudges)
        return passed.raw_outputs if over_samples else passed.outputs, passed

    nudges = tuple(jnp.zeros((T, layer.biases.size), inputs.dtype) for layer in parameters)
    _, pullback, passed = jax.vjp(outputs_of, nudges, has_aux=True)
    # One sample's output depends on that sample only: the gradient of Σ_t f_k(t) holds all of them.
    seeds = jnp.broadcast_to(jnp.eye(C, dtype=inputs.dtype)[:, None, :], (C, T, C))
    (backward,) = jax.vmap(pullback, out_axes=1)(seeds)
    grams = tuple(h @ h.T + 1 for h in passed.activations)
    return Factors(grams, backward, passed.raw_outputs)


def _block(structure: Structure, factors: Factors, k: jax.Array, j: jax.Array) -> jax.Array:
    """F*_kj, T×T, the last norm's Jacobians over samples included."""
    T = factors.raw_outputs.shape[0]
    block = jnp.zeros((T, T), factors.raw_outputs.dtype)
    for gram, delta in zip(factors.forward_grams, factors.backward, strict=True):
        block = block + gram * (delta[:, k] @ delta[:, j].T) / T
    norm = structure.norms[-1]
    if not norm.mixes_samples:
        return block

    def columns_times_jacobian(output, matrix):
        def of_one_output(u):
            return norm.batch(u[:, None])[:, 0]

        _, push = jax.linearize(of_one_output, factors.raw_outputs[:, output])
        return jax.vmap(push, in_axes=1, out_axes=1)(matrix)

    return columns_times_jacobian(j, columns_times_jacobian(k, block).T).T


@partial(jax.jit, static_argnames="structure")
def _moments(structure: Structure, factors: Factors) -> tuple[jax.Array, jax.Array, jax.Array]:
    """tr F, tr F² = Σ_kj |F*_kj|² over k ≤ j, summed in float64, and the last block."""
    T, C = factors.raw_outputs.shape
    k, j = np.triu_indices(C)

    def add(carry, pair):
        trace, trace_squared, _ = carry
        block = _block(structure, factors, *pair)
        diagonal = pair[0] == pair[1]
        own = jnp.trace(block, dtype=jnp.float64)
        square = jnp.sum(block * block, dtype=jnp.float64)
        trace = trace + jnp.where(diagonal, own, 0)
        trace_squared = trace_squared + jnp.where(diagonal, square, 2 * square)
        return (trace, trace_squared, block), None

    zero = jnp.zeros((), jnp.float64)
    empty = jnp.zeros((T, T), factors.raw_outputs.dtype)
    (trace, trace_squared, block), _ = jax.lax.scan(add, (zero, zero, empty), (k, j))
    return trace, trace_squared, block


@partial(jax.jit, static_argnames="structure")
def _product(structure: Structure, factors: Factors, v: jax.Array) -> jax.Array:
    """F* v for v of shape T×C, from the factors: Σ_l δ_k^l(t)·[gram^l Σ_k' v_k' δ_k'^l](t) / T."""
    norm = structure.norms[-1]
    push = lambda w: w  # noqa: E731
    if norm.mixes_samples:
        _, push = jax.linearize(norm.batch, factors.raw_outputs)
        (v,) = jax.linear_transpose(push, v)(v)
    out = jnp.zeros_like(v)
    for gram, delta in zip(factors.forward_grams, factors.backward, strict=True):
        weighted = jnp.einsum("tkm,tk->tm", delta, v)
        out = out + jnp.einsum("tkm,tm->tk", delta, gram @ weighted)
    return push(out / v.shape[0])


@partial(jax.jit, static_argnames="structure")
def _assemble(structure: Structure, factors: Factors) -> jax.Array:
    """The whole (CT)×(CT) dual matrix."""
    T, C = factors.raw_outputs.shape
    k, j = np.indices((C, C)).reshape(2, -1)
    blocks = jax.lax.map(lambda pair: _block(structure, factors, *pair), (k, j))
    return blocks.reshape(C, C, T, T).transpose(0, 2, 1, 3).reshape(C * T, C * T)
