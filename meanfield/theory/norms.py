"""What the theory says of a norm (theory.md section 3): its kernels, and its factor in the chain.

A norm over samples is exact where it only centres: that is a projection, so the field stays
Gaussian. Where it divides, and where a norm over units does, the kernels say what is lost. In a
wide hidden layer the projections over units are negligible.
"""

from typing import TypeVar

import jax
import jax.numpy as jnp

from meanfield.spec.norms import SAMPLES, UNITS, Norm
from meanfield.theory.kernels import Exchangeable, Kernel

AnyKernel = TypeVar("AnyKernel", bound=Kernel)


def kernels(norm: Norm, S: AnyKernel, K: AnyKernel) -> tuple[AnyKernel, AnyKernel]:
    """(S̄, K̄) of ū from (S, K) of u: covariance and tangent kernel."""
    if norm.centre is SAMPLES:
        S, K = S.centred(), K.centred()
    if norm.divide is SAMPLES:
        return S.over_samples(K)
    if norm.divide is UNITS:
        return S.over_diagonal_of(S), K.over_diagonal_of(S)
    return S, K


def chain_factor(norm: Norm, S: Exchangeable) -> jax.Array:
    """r, by which the norm multiplies the backward order parameter q̃ of a hidden layer.

    r = 1/g for a division over samples, 1/q_t over units, else 1.
    """
    if norm.divide is SAMPLES:
        return 1 / S.gap
    if norm.divide is UNITS:
        return 1 / (S.centred() if norm.centre is SAMPLES else S).same
    return jnp.ones_like(S.same)


def output_chain_factor(norm: Norm, S: Exchangeable) -> jax.Array:
    """q̃^L, where the chain starts.

    With few outputs a division over them is no mere factor: the chain starts before it.
    """
    return jnp.ones_like(S.same) if norm.divide is UNITS else chain_factor(norm, S)
