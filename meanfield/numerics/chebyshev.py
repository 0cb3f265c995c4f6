"""Interpolation by Chebyshev polynomials."""

import jax
import jax.numpy as jnp
import numpy as np


def nodes(size: int) -> np.ndarray:
    """The zeros of T_size, in descending order."""
    return np.cos(np.pi * (np.arange(size) + 0.5) / size)


def coefficients(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Those of the polynomial that takes these values at the nodes, along one axis."""
    from scipy.fft import dct  # on first use: importing takes time

    size = values.shape[axis]
    found = np.moveaxis(dct(values, type=2, axis=axis), axis, 0) / size
    found[0] /= 2
    return np.moveaxis(found, 0, axis)


def polynomials(x: jax.Array, size: int) -> jax.Array:
    """T_0..T_{size−1} at x, along a new first axis, by T_{m+k} = 2 T_m T_k − T_{m−k}."""
    known = jnp.stack([jnp.ones_like(x), x])
    while len(known) < size:
        known = jax.lax.optimization_barrier(known)  # else compiled in one piece, 3 times slower
        known = jnp.concatenate([known, 2 * known[-1:] * known[1:] - known[-2::-1]])
    return known[:size]
