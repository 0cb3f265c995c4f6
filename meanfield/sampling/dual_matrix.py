"""The dual matrix from Gram matrices, layer by layer (theory.md sections 1, 5 and 6).

Where hidden norms act on each sample alone, the gradient of output k at sample t with respect to
layer l is δ_k^l(t) h^{l−1}(t)ᵀ with δ_k^l = ∂f_k/∂u^l, so the T×T block of F* is

    F*_kk'(s, t) = (1/T) Σ_l (h^{l−1}(s)·h^{l−1}(t) + 1) (δ_k^l(s)·δ_k'^l(t)),

a sum of elementwise products of Gram matrices: no Jacobian is ever formed. A norm of the outputs
over samples multiplies the blocks by its own T×T Jacobians from both sides. Only the blocks k ≤ k'
are formed, one by one, and of a symmetric product only one side. They are kept for products with
vectors where they are few; else these go through the factors.

Hidden norms over samples are taken with their statistics held constant, but for the mean's part in
the gradient: it centres over samples what comes from below, to leading order. So they leave a
surrogate of F*, with the same outliers and an error of order 1/T in every layer just below one.
[derived; measured in tests/sampling/test_dual_matrix.py]
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.sampling.networks import Parameters, forward
from meanfield.sampling.normalize import normalize
from meanfield.spec.network import Structure

STRIPS = 4  # of a symmetric product: 5/8 of its flops remain, and the matrices stay large


class Factors(NamedTuple):
    """What the dual matrix is made of.

    Attributes:
        forward_grams: h^{l−1} h^{l−1}ᵀ + 1 for l = 1..L, each T×T.
        backward: δ^l for l = 1..L, each C×T×M_l.
        raw_outputs: f before a norm over samples, T×C.
    """

    forward_grams: tuple[jax.Array, ...]
    backward: tuple[jax.Array, ...]
    raw_outputs: jax.Array


class BlockPlan(NamedTuple):
    """Which blocks of the dual matrix to form, and whether Lanczos runs on them.

    Attributes:
        pairs: Whether those of two different outputs are formed; tr F² needs them.
        kept: Whether the blocks are kept for Lanczos, T² C(C+1)/2 numbers.
        strips: In how many strips symmetric products are formed.
    """

    pairs: bool
    kept: bool
    strips: int = STRIPS


class DualMatrix(NamedTuple):
    """What the methods need of a dual matrix.

    Attributes:
        trace, trace_squared: tr F* and tr F*², the latter only where the plan has the pairs.
        product: v ↦ F* v for vectors of length CT, ordered output by output.
    """

    trace: jax.Array
    trace_squared: jax.Array
    product: Callable[[np.ndarray], jax.Array]


class Blocks(NamedTuple):
    """F*_kk (C×T×T) and F*_kj for k < j (C(C−1)/2×T×T)."""

    diagonal: jax.Array
    above: jax.Array


def dual_matrix(structure: Structure, plan: BlockPlan, factors: Factors) -> DualMatrix:
    """The dual matrix of these factors."""
    T, C = factors.raw_outputs.shape
    trace, trace_squared, blocks = reduce_blocks(structure, plan, factors)

    def product(v):
        v = v.reshape(C, T)
        if blocks is None:
            return factors_product(structure, factors, v)
        return blocks_product(blocks, v)

    return DualMatrix(trace, trace_squared, product)


def strips_for(inputs: jax.Array) -> int:
    """`STRIPS`, or 1 where the samples are spread over devices: strips would go back and forth."""
    return STRIPS if len(inputs.devices()) == 1 else 1


@partial(jax.jit, static_argnames=("structure", "strips"))
def find_factors(
    structure: Structure, parameters: Parameters, inputs: jax.Array, strips: int = STRIPS
) -> Factors:
    """The factors of one sampled network."""
    over_samples = structure.norms[-1].mixes_samples
    T, C = inputs.shape[0], parameters[-1].biases.size

    def outputs_of(nudges):
        passed = forward(structure, parameters, inputs, nudges, hold_statistics=True)
        return passed.raw_outputs if over_samples else passed.outputs, passed

    nudges = tuple(jnp.zeros((T, layer.biases.size), inputs.dtype) for layer in parameters)
    _, pullback, passed = jax.vjp(outputs_of, nudges, has_aux=True)
    # One sample's output depends on that sample only: the gradient of Σ_t f_k(t) holds all of them.
    seeds = jnp.broadcast_to(jnp.eye(C, dtype=inputs.dtype)[:, None, :], (C, T, C))
    (backward,) = jax.vmap(pullback)(seeds)
    hidden = structure.norms[:-1]
    mixing = max((i for i, norm in enumerate(hidden) if norm.mixes_samples), default=-1)
    grams = tuple(
        _centred(gram(h, strips)) if i <= mixing else gram(h, strips) + 1
        for i, h in enumerate(passed.activations)
    )
    return Factors(grams, backward, passed.raw_outputs)


def _centred(matrix: jax.Array) -> jax.Array:
    """G A G with G = I − 11ᵀ/T."""
    matrix = matrix - matrix.mean(axis=0, keepdims=True)
    return matrix - matrix.mean(axis=1, keepdims=True)


def gram(a: jax.Array, strips: int) -> jax.Array:
    """A Aᵀ."""
    return _symmetric(len(a), strips, lambda i, j: a[i:j] @ a[i:].T)


def _symmetric(size: int, strips: int, strip: Callable[[int, int], jax.Array]) -> jax.Array:
    """A symmetric matrix from strips of its upper triangle: rows i to j, columns from i on."""
    if strips == 1:
        return strip(0, size)
    edges = [size * i // strips for i in range(strips + 1)]
    upper = jnp.concatenate([jnp.pad(strip(i, j), ((0, 0), (i, 0))) for i, j in pairwise(edges)])
    return jnp.triu(upper) + jnp.triu(upper, 1).T


def _normalized(
    structure: Structure, factors: Factors, block: jax.Array, k: jax.Array, j: jax.Array
) -> jax.Array:
    """The last norm's Jacobians over samples, applied to F*_kj from both sides."""
    norm = structure.norms[-1]
    if not norm.mixes_samples:
        return block

    def columns_times_jacobian(output, matrix):
        def of_one_output(u):
            return normalize(norm, u[:, None])[:, 0]

        _, push = jax.linearize(of_one_output, factors.raw_outputs[:, output])
        return jax.vmap(push, in_axes=1, out_axes=1)(matrix)

    return columns_times_jacobian(j, columns_times_jacobian(k, block).T).T


def _block(structure: Structure, factors: Factors, k: jax.Array, j: jax.Array) -> jax.Array:
    """F*_kj, T×T."""
    T = len(factors.raw_outputs)
    layers = zip(factors.forward_grams, factors.backward, strict=True)
    block = jnp.zeros((T, T), factors.raw_outputs.dtype)
    for forward_gram, delta in layers:
        block += forward_gram * (delta[k] @ delta[j].T) / T
    return _normalized(structure, factors, block, k, j)


def _diagonal_block(structure: Structure, strips: int, factors: Factors, k: jax.Array) -> jax.Array:
    """F*_kk, T×T, symmetric."""
    T = len(factors.raw_outputs)
    layers = [(g, delta[k]) for g, delta in zip(*factors[:2], strict=True)]

    def strip(i, j):
        return sum(g[i:j, i:] * (delta[i:j] @ delta[i:].T) for g, delta in layers) / T

    return _normalized(structure, factors, _symmetric(T, strips, strip), k, k)


@partial(jax.jit, static_argnames=("structure", "plan"))
def reduce_blocks(
    structure: Structure, plan: BlockPlan, factors: Factors
) -> tuple[jax.Array, jax.Array, Blocks | None]:
    """tr F, tr F² = Σ_kj |F*_kj|², summed in float64, and the blocks where they are kept.

    Without the pairs of different outputs the second number is their part short.
    """

    def diagonal(k):
        block = _diagonal_block(structure, plan.strips, factors, k)
        own = jnp.trace(block, dtype=jnp.float64), _square(block)
        return *own, block if plan.kept else None

    def above(pair):
        block = _block(structure, factors, *pair)
        return _square(block), block if plan.kept else None

    C = factors.raw_outputs.shape[1]
    traces, squares, on_diagonal = jax.lax.map(diagonal, jnp.arange(C))
    pairs = np.triu_indices(C, 1) if plan.pairs else np.zeros((2, 0), int)
    other_squares, off_diagonal = jax.lax.map(above, jnp.stack(pairs, axis=1))
    blocks = Blocks(on_diagonal, off_diagonal) if plan.kept else None
    return traces.sum(), squares.sum() + 2 * other_squares.sum(), blocks


def _square(block: jax.Array) -> jax.Array:
    """Σ F_st²."""
    return jnp.sum(block * block, axis=1, dtype=jnp.float64).sum()


@jax.jit
def blocks_product(blocks: Blocks, v: jax.Array) -> jax.Array:
    """F* v for v of shape C×T, from the kept blocks."""
    rows, columns = np.triu_indices(len(v), 1)

    def add(out, pair):
        block, k, j = pair
        return out.at[k].add(block @ v[j]).at[j].add(v[k] @ block), None

    own = jax.lax.map(lambda pair: pair[0] @ pair[1], (blocks.diagonal, v))
    return jax.lax.scan(add, own, (blocks.above, rows, columns))[0]


@partial(jax.jit, static_argnames="structure")
def factors_product(structure: Structure, factors: Factors, v: jax.Array) -> jax.Array:
    """F* v for v of shape C×T, from the factors: Σ_l δ_k^l(t)·[gram^l Σ_k' v_k' δ_k'^l](t) / T."""
    norm = structure.norms[-1]
    push = lambda w: w  # noqa: E731
    if norm.mixes_samples:
        _, push = jax.linearize(lambda u: normalize(norm, u.T).T, factors.raw_outputs.T)
        (v,) = jax.linear_transpose(push, v)(v)
    out = jnp.zeros_like(v)
    for forward_gram, delta in zip(factors.forward_grams, factors.backward, strict=True):
        weighted = jnp.einsum("ktm,kt->tm", delta, v)
        out = out + jnp.einsum("ktm,tm->kt", delta, forward_gram @ weighted)
    return push(out / v.shape[1])


@partial(jax.jit, static_argnames="structure")
def assemble(structure: Structure, factors: Factors) -> jax.Array:
    """The whole (CT)×(CT) dual matrix, ordered output by output."""
    T, C = factors.raw_outputs.shape
    k, j = np.indices((C, C)).reshape(2, -1)
    blocks = jax.lax.map(lambda pair: _block(structure, factors, *pair), (k, j))
    return blocks.reshape(C, C, T, T).transpose(0, 2, 1, 3).reshape(C * T, C * T)
