"""The layer recursion for any sequence of norms, and the order parameters (theory.md section 3)."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.norms import NORMS, Norm
from meanfield.spec.activations import Activation
from meanfield.spec.network import Network
from meanfield.theory.kernels import Exchangeable, Full, Scalar
from meanfield.theory.white_noise.readout import Readout

Kernel = TypeVar("Kernel", Exchangeable, Full)


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
        readout: The spectrum.
        error: The largest estimated relative error of any Gaussian average.
    """

    layers: LayerRecord
    S: Exchangeable
    K: Exchangeable
    backward: Exchangeable
    readout: Readout
    error: jax.Array


def layer_step(
    S: Kernel,
    K: Kernel,
    norm_kernels: Callable[[Kernel, Kernel], tuple[Kernel, Kernel]],
    activation: Activation,
    width: Scalar,
    weight_var: Scalar,
    bias_var: Scalar,
    bias_block: Scalar,
) -> tuple[Kernel, Kernel, Kernel, Kernel, jax.Array]:
    """From u^l to u^{l+1} (theory.md section 3; derived).

        (S̄, K̄) = Norm_l(S, K),   Q = E[φ φᵀ],   Φ = E[φ' φ'ᵀ]   under N(0, S̄)
        S' = σ_w² Q + σ_b²,       K' = M_l Q + 1 + σ_w² Φ ∘ K̄

    Args:
        bias_block: The 1 in K', the biases' share; 0 leaves it out.

    Returns:
        S', K', Q, Φ and the averages' error estimate.
    """
    S_bar, K_bar = norm_kernels(S, K)
    Q, slope, error = S_bar.averages(activation)
    slope_K = slope.hadamard(K_bar)
    next_S, next_K = advance(Q, slope_K, width, weight_var, bias_var, bias_block)
    return next_S, next_K, Q, slope, error


def advance(
    Q: Kernel,
    slope_K: Kernel,
    width: Scalar,
    weight_var: Scalar,
    bias_var: Scalar,
    bias_block: Scalar,
) -> tuple[Kernel, Kernel]:
    """S' = σ_w² Q + σ_b² and K' = M_l Q + 1 + σ_w² Φ ∘ K̄, from Q and Φ ∘ K̄."""
    next_K = Q.affine(width, bias_block).plus(slope_K.scaled(weight_var))
    return Q.affine(weight_var, bias_var), next_K


def solve(
    activation: Activation,
    last_norm: Norm,
    outputs: int,
    hidden_norms: jax.Array,
    widths: jax.Array,
    samples: jax.Array,
    weight_var: jax.Array,
    bias_var: jax.Array,
    bias_block: jax.Array,
) -> Solution:
    """The recursion from the inputs to the outputs, and the chain of q̃ back.

    Args:
        hidden_norms: The index in `NORMS` of Norm_l, l = 1..L−1.
        widths: M_0..M_{L−1}.
        samples: T; infinity is the limit T → ∞.
        bias_block: 1, or 0 to leave the biases' share out of the tangent kernel.
    """
    one = jnp.ones_like(weight_var)
    inputs = Exchangeable(one, one, samples * one)  # white noise: Q⁰ = (1, 0)
    kernels = [norm.kernels for norm in NORMS.values()]
    chain_factors = [norm.chain_factor for norm in NORMS.values()]

    def step(carry, layer):
        norm_index, width = layer
        S, K = carry
        S_next, K_next, Q, slope, error = layer_step(
            S,
            K,
            partial(jax.lax.switch, norm_index, kernels),
            activation,
            width,
            weight_var,
            bias_var,
            bias_block,
        )
        factor = jax.lax.switch(norm_index, chain_factors, S)
        return (S_next, K_next), LayerRecord(S, Q, slope, factor, error)

    start = inputs.affine(weight_var, bias_var), inputs.affine(widths[0] * one, bias_block)
    (S, K), layers = jax.lax.scan(step, start, (hidden_norms, widths[1:]))
    return Solution(
        layers=layers,
        S=S,
        K=K,
        backward=_backward(layers, last_norm.output_chain_factor(S), weight_var, S.samples),
        readout=last_norm.readout(S, K, outputs),
        error=jnp.max(layers.error, initial=0.0),
    )


def _backward(
    layers: LayerRecord, start: jax.Array, weight_var: jax.Array, samples: jax.Array
) -> Exchangeable:
    """q̃^l = r^l σ_w² q̃^{l+1} Φ^l for l = 1..L, from q̃^L = `start` for one sample and a pair."""
    output = Exchangeable(start, jnp.zeros_like(start), samples)

    def step(later, layer):
        slope, factor = layer
        here = slope.hadamard(later).scaled(factor * weight_var)
        return here, here

    _, hidden = jax.lax.scan(step, output, (layers.slope, layers.chain_factor), reverse=True)
    return jax.tree.map(lambda h, o: jnp.append(h, o), hidden, output)


def solve_both(
    activation, last_norm, outputs, hidden_norms, widths, samples, weight_var, bias_var
) -> tuple[Solution, Solution]:
    """The solution at T samples, and the leading order: T → ∞ without the bias block.

    Both run through one recursion: side by side, or in turn where the averages branch.
    """

    def solve_one(samples, bias_block):
        variances = weight_var, bias_var
        return solve(
            activation, last_norm, outputs, hidden_norms, widths, samples, *variances, bias_block
        )

    cases = jnp.stack([samples, jnp.full_like(samples, jnp.inf)]), jnp.array([1.0, 0.0])
    in_turn = activation.branches
    both = jax.lax.map(lambda c: solve_one(*c), cases) if in_turn else jax.vmap(solve_one)(*cases)
    here, leading = (jax.tree.map(lambda a, i=i: a[i], both) for i in (0, 1))
    return here, leading


solve_jointly = jax.jit(solve_both, static_argnames=("activation", "last_norm", "outputs"))


def recursion_inputs(network: Network) -> tuple[Norm, int, np.ndarray, np.ndarray]:
    """What of the spec `solve` asks for beside the activation and the variances."""
    names = tuple(NORMS)
    return (
        network.norm_records[-1],
        network.outputs,
        np.array([names.index(name) for name in network.norms[:-1]], dtype=np.int32),
        np.asarray(network.widths, dtype=np.float64),
    )


def solve_network(
    network: Network,
    samples: jax.Array | float,
    weight_var: jax.Array | None = None,
    bias_var: jax.Array | None = None,
) -> tuple[Solution, Solution]:
    """`solve_jointly` for a network's spec, with its variances or other (traced) ones.

    Raises:
        ValueError: 64-bit floats are not enabled; the gaps need them.
    """
    if not jax.config.read("jax_enable_x64"):
        raise ValueError(
            "the theory needs 64-bit floats: call it inside `with jax.enable_x64(True):`"
        )
    return solve_jointly(
        network.activation,
        *recursion_inputs(network),
        jnp.asarray(samples, dtype=jnp.float64),
        jnp.asarray(network.weight_var if weight_var is None else weight_var, jnp.float64),
        jnp.asarray(network.bias_var if bias_var is None else bias_var, jnp.float64),
    )
