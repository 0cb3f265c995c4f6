"""Batch norm in a hidden layer on given inputs, by sampled fields (theory.md section 7).

Real data have few dominant directions: a unit's variance over the samples is random however wide
the network is, so the normalized field is not Gaussian and its averages have no closed form.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.theory.kernels import Full

JITTERS = (1e-11, 1e-9, 1e-7)  # of the mean variance: a covariance of given data may be singular


def average_over_fields(
    S: Full, K: Full, activation: Callable, fields: int, key: jax.Array
) -> tuple[Full, Full]:
    """E[φ(û) φ(û)ᵀ] and E[(d dᵀ) ∘ (Pr K Pr)/σ²] for u ~ N(0, G S G) of one unit.

        σ² = |u|²/T,   û = u/σ,   d = φ'(û),   G = I − 11ᵀ/T,   Pr = G − û ûᵀ/T

    The fields come in blocks of T whose directions are orthogonal before they are correlated: each
    has the right distribution, and together they repeat each other less. 1/|z|² is replaced by
    its mean, for û does not depend on it.                                            [derived]

    Args:
        S, K: Covariance and tangent kernel of the layer's pre-activations.
        activation: φ.
        fields: How many to sample, rounded up to whole blocks.
        key: Of the sample.
    """
    root, centred = jnp.asarray(matrix_root(S.centred().matrix)), K.centred().matrix
    T = S.samples
    blocks = -(-fields // T)
    Q = projected = jnp.zeros((T, T))
    for block_key in jax.random.split(key, blocks):
        more = _average_over_block(activation, root, centred, block_key)
        Q, projected = Q + more[0] / blocks, projected + more[1] / blocks
    return Full.from_matrix(Q), Full.from_matrix(projected)


def matrix_root(covariance: np.ndarray | jax.Array) -> np.ndarray:
    """A matrix R with R Rᵀ = covariance, up to the least jitter that makes it possible.

    Raises:
        ArithmeticError: The matrix is not positive semi-definite.
    """
    matrix = np.asarray(covariance)
    scale = np.trace(matrix) / len(matrix)
    if scale == 0:
        return np.zeros_like(matrix)
    for jitter in JITTERS:
        with suppress(np.linalg.LinAlgError):
            return np.linalg.cholesky(matrix + jitter * scale * np.eye(len(matrix)))
    raise ArithmeticError("the covariance over samples is not positive semi-definite")


@partial(jax.jit, static_argnames="activation")
def _average_over_block(
    activation: Callable, root: jax.Array, K: jax.Array, key: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Both averages over T fields, with Pr K Pr multiplied out: products of T×T matrices only."""
    T = len(root)
    u = np.sqrt(T - 2) * jax.random.orthogonal(key, T) @ root.T  # E[1/χ²_T] = 1/(T−2)
    u -= u.mean(axis=1, keepdims=True)
    sigma = jnp.sqrt((u**2).mean(axis=1, keepdims=True))
    u_hat = u / sigma
    phi, slope = jax.jvp(activation, (u_hat,), (jnp.ones_like(u_hat),))
    pull = u_hat @ K  # (K û)ᵀ, of every field
    along = (pull * u_hat).mean(axis=1, keepdims=True)  # ûᵀ K û/T
    weighted = slope / sigma
    inward, outward = weighted * u_hat, weighted * (pull - along * u_hat / 2)
    crossed = inward.T @ outward / T
    projected = K * (weighted.T @ weighted) - crossed - crossed.T
    return phi.T @ phi / T, projected / T
