"""What the theory says of a norm (theory.md section 3): its kernels, and its factor in the chain.

A norm over samples is exact where it only centres: that is a projection, so the field stays
Gaussian. Where it divides, and where a norm over units does, the kernels say what is lost. In a
wide hidden layer the projections over units are negligible.
"""

from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

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


def kernel_changes(
    norm: Norm, S: np.ndarray, K: np.ndarray, dS: np.ndarray, dK: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(dS̄, dK̄) from (dS, dK): how `kernels` of T×T matrices respond to small changes.

    With r = S(s,s)^{−1/2} of a division over units, e = dS(s,s)/S(s,s), v = tr S/T of one over
    samples:

        dS̄ = r_s r_t (dS − S (e_s + e_t)/2),        dS̄ = dS/v − S tr dS/(T v²),        K̄ likewise
    """
    if norm.centre is SAMPLES:
        S, K, dS, dK = (centred(matrix) for matrix in (S, K, dS, dK))
    if norm.divide is SAMPLES:
        v, dv = np.trace(S) / len(S), np.trace(dS) / len(S)
        return (dS - S * (dv / v)) / v, (dK - K * (dv / v)) / v
    if norm.divide is UNITS:
        same = np.diagonal(S)
        factor, e = np.outer(same, same) ** -0.5, np.diagonal(dS) / same
        lost = (e[:, None] + e) / 2
        return factor * (dS - S * lost), factor * (dK - K * lost)
    return dS, dK


def centred(matrix: np.ndarray) -> np.ndarray:
    """G X G with G = I − 11ᵀ/T, of a symmetric X."""
    by_sample = matrix.mean(axis=0)
    return matrix - by_sample - by_sample[:, None] + by_sample.mean()


def sample_factors(norm: Norm, S: np.ndarray) -> np.ndarray:
    """r of every given sample: by what the norm divides its gradients, 1 where it does not."""
    if norm.divide is SAMPLES:
        return np.full(len(S), np.diagonal(centred(S)).mean() ** -0.5)
    if norm.divide is UNITS:
        return np.diagonal(centred(S) if norm.centre is SAMPLES else S) ** -0.5
    return np.ones(len(S))


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
