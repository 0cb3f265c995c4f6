"""Gaussian averages of a smooth φ at pairs of samples of different variance, by Hermite expansion.

With h_n the orthonormal Hermite polynomials and c the correlation of u_s and u_t (Mehler),

    a_n(q) = E[φ(√q z) h_n(z)],           E[φ(u_s) φ(u_t)] = Σ_n a_n(q_s) a_n(q_t) cⁿ,
    E[φ'(√q z) h_n(z)] = √((n+1)/q) a_{n+1}(q)                              (Stein's lemma),

so that one quadrature per variance serves all of its pairs.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.averages import Function
from meanfield.numerics.blocks import in_blocks

TERMS = 6144  # the most; tanh at q = 50 takes nearly as many
STEP = 0.02  # resolves φ, and h_n up to n = TERMS
HALF_COUNT = 650  # STEP times it is 13: an expansion needs exp(−z²/4) below rounding
RESOLVED = 1e-13  # of Σ_n n² a_n², the terms that are cut off
VARIANCES = 32  # their number is a multiple of it
BLOCK = 2048  # pairs worked on at a time: they stay in the processor's cache


def drops(
    f: Function, q: np.ndarray, s: np.ndarray, t: np.ndarray, excess: np.ndarray
) -> np.ndarray:
    """By how much the averages of φ and φ' fall below their value at correlation 1: 2×P.

        Σ_n a_n(q_s) a_n(q_t) (1 − cⁿ) = (1 − c) Σ_m c^m Σ_{n>m} a_n(q_s) a_n(q_t)

    Args:
        f: φ, smooth.
        q: Variances.
        s, t: P pairs of them, by index.
        excess: 1 − c of each pair.
    """
    # Filled up, so that one compilation serves most numbers of variances.
    filled_up = np.pad(q, (0, -len(q) % VARIANCES), mode="edge")
    coefficients, count = _coefficients(f, filled_up)
    return in_blocks(partial(_sum_block, coefficients, count), BLOCK, s, t, excess)


@partial(jax.jit, static_argnames="f")
def _coefficients(f: Function, q: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Those of φ and φ' (TERMS × 2 × variances), and how many matter."""
    z = STEP * np.arange(-HALF_COUNT, HALF_COUNT + 1)
    half_weight = np.exp(-(z**2) / 4) / (2 * np.pi) ** 0.25

    def next_polynomial(pair, n):  # √(n+1) h_{n+1} = z h_n − √n h_{n−1}, times the half weight
        before, here = pair
        return (here, (z * here - jnp.sqrt(n) * before) / jnp.sqrt(n + 1)), here

    orders = jnp.arange(TERMS + 1.0)
    start = jnp.zeros_like(z), jnp.asarray(half_weight)
    _, polynomials = jax.lax.scan(next_polynomial, start, orders)
    a = STEP * polynomials @ (f(jnp.sqrt(q)[:, None] * z[None, :]) * half_weight[None, :]).T
    of_slope = jnp.sqrt(orders[1:, None] / q[None, :]) * a[1:]
    curvature = (orders[:-1, None] * of_slope**2)[::-1].cumsum(0)[::-1]  # what is left from n on
    count = (curvature > RESOLVED * curvature[:1]).any(1).sum()
    return jnp.stack([a[:-1], of_slope], axis=1), count


@jax.jit
def _sum_block(
    coefficients: jax.Array, count: jax.Array, s: jax.Array, t: jax.Array, excess: jax.Array
) -> jax.Array:
    def add_term(i, sums):  # Horner's rule in c; the constant term has no drop
        tail, total = sums
        here = coefficients[count - 1 - i]
        tail = tail + here[:, s] * here[:, t]
        return tail, total * (1 - excess)[None] + tail

    start = jnp.zeros((2, len(s))), jnp.zeros((2, len(s)))
    _, total = jax.lax.fori_loop(0, count - 1, add_term, start)
    return excess[None] * total
