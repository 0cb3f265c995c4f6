"""From one layer to the next, for kernels of either kind (theory.md section 3)."""

from typing import Generic, NamedTuple, TypeVar

import jax

from meanfield.theory.kernels import Kernel, Scalar, Source

AnyKernel = TypeVar("AnyKernel", bound=Kernel)


class Layer(NamedTuple):
    """The numbers of one layer l.

    Attributes:
        width: M_l.
        weight_var, bias_var: σ_w² and σ_b² of the layer above.
        bias_block: The 1 in K^{l+1}, the biases' share; 0 leaves it out.
    """

    width: Scalar
    weight_var: Scalar
    bias_var: Scalar
    bias_block: Scalar = 1.0


class Step(NamedTuple, Generic[AnyKernel]):
    """One layer further.

    Attributes:
        S, K: Covariance and tangent kernel of u^{l+1}.
        Q: E[φ φᵀ], the kernel q̂ of h^l.
        slope: Φ^l = E[φ' φ'ᵀ].
        error: The averages' estimated relative error.
    """

    S: AnyKernel
    K: AnyKernel
    Q: AnyKernel
    slope: AnyKernel
    error: jax.Array


def layer_step(S_bar: AnyKernel, K_bar: AnyKernel, source: Source, layer: Layer) -> Step[AnyKernel]:
    """From ū^l to u^{l+1} (derived).

    Q = E[φ φᵀ],   Φ = E[φ' φ'ᵀ]   under N(0, S̄)
    S' = σ_w² Q + σ_b²,       K' = M_l Q + 1 + σ_w² Φ ∘ K̄
    """
    Q, slope, error = S_bar.averages(source)
    S, K = advance(Q, slope.hadamard(K_bar), layer)
    return Step(S, K, Q, slope, error)


def advance(Q: AnyKernel, slope_K: AnyKernel, layer: Layer) -> tuple[AnyKernel, AnyKernel]:
    """S' = σ_w² Q + σ_b² and K' = M_l Q + 1 + σ_w² Φ ∘ K̄, from Q and Φ ∘ K̄."""
    K = Q.affine(layer.width, layer.bias_block).plus(slope_K.scaled(layer.weight_var))
    return Q.affine(layer.weight_var, layer.bias_var), K


def input_layer(Q: AnyKernel, layer: Layer) -> tuple[AnyKernel, AnyKernel]:
    """S^1 = σ_w² Q⁰ + σ_b² and K^1 = M_0 Q⁰ + 1, from Q⁰(s,t) = x(s)·x(t)/M_0."""
    return (
        Q.affine(layer.weight_var, layer.bias_var),
        Q.affine(layer.width, layer.bias_block),
    )
