"""How far the largest of C outputs' eigenvalues stands out, and spreads (theory.md section 11).

The outputs of a finite network differ by random C × C matrices, chiefly w wᵀ of the last weights:
a GOE matrix, off its diagonal of variance 1, and independent numbers on the diagonal.
"""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.numerics.roots import root
from meanfield.numerics.tracy_widom import MEAN, QUANTILES


class LargestOfOutputs(NamedTuple):
    """The mean and the variance of the largest eigenvalue, for C outputs.

    Attributes:
        outputs: C.
        matrix_mean, matrix_variance: Of the GOE matrix, 2√C at C → ∞: Tracy–Widom with Z. Ma's
            centring, *Accuracy of the Tracy–Widom limits* (Bernoulli 18, 2012): against drawn
            matrices the mean to 2 % and the variance to 5 %, at C = 2 and better beyond.
        own_mean, own_variance: Of C independent normal numbers.
    """

    outputs: jax.Array | float
    matrix_mean: jax.Array | float
    matrix_variance: jax.Array | float
    own_mean: jax.Array | float
    own_variance: jax.Array | float


@lru_cache(maxsize=256)
def largest_of_outputs(outputs: int) -> LargestOfOutputs:
    """For C outputs; 0, 2, 0 and 1 for a single one."""
    C = outputs
    centre = lambda n: 2 * math.sqrt(n - 0.5) + MEAN * (n - 0.5) ** (-1 / 6)  # noqa: E731
    z = np.linspace(-9, 9, 3601)
    density = np.exp(-(z**2) / 2)
    density /= density.sum()
    of_largest = np.diff(np.minimum(np.cumsum(density), 1) ** C, prepend=0)
    mean = float(of_largest @ z)
    return LargestOfOutputs(
        outputs=float(C),
        matrix_mean=centre(C) - centre(1),
        matrix_variance=2 * (2 * C - 1) ** (-1 / 3),
        own_mean=mean,
        own_variance=float(of_largest @ z**2) - mean**2,
    )


class Deviations(NamedTuple):
    """How the outputs' eigenvalues deviate from one value, relative to it.

    Attributes:
        shared: The variance of what all outputs share.
        matrix: That of the C × C matrix off its diagonal, where it is twice as much.
        own: What more there is on the diagonal.
        weights: The variance of the last weights' Gram matrix off its diagonal: what the matrix
            would have if it were that alone, for the next order in C/M.
    """

    shared: jax.Array
    matrix: jax.Array
    own: jax.Array
    weights: jax.Array

    @property
    def alone(self) -> jax.Array:
        """The variance of one output."""
        return self.shared + self.own + 2 * self.matrix

    def largest(self, of: LargestOfOutputs) -> tuple[jax.Array, jax.Array]:
        """The mean deviation of the largest of all, and its variance.

        The two kinds of random numbers are taken together as if they were independent of each
        other; exact for either alone.
        """
        own = jnp.maximum(self.own, 0)
        squared = own * of.own_mean**2 + self.matrix * of.matrix_mean**2
        next_order = root(self.matrix) * root(self.weights) * (of.outputs - 1)
        variance = self.shared + self.own * of.own_variance + self.matrix * of.matrix_variance
        return root(squared) + next_order, jnp.maximum(variance, 0)


def largest_quantiles(mean: float, deviation: float, scale: float) -> list[float]:
    """The 10, 50 and 90 % quantiles of one network's λ_max.

    What many eigenvalues share is a log-normal factor. At an edge Tracy–Widom comes on top, which
    is independent of it: the deviations from the mean are added in quadrature, those below it in
    the logarithm. There a width of few units knows no Gaussian deviations, but zero for certain.

    Args:
        mean: λ_max.
        deviation: Its relative standard deviation by what many eigenvalues share.
        scale: By what Tracy–Widom's law is multiplied.
    """
    low, middle, high = (
        (deviation * NormalDist().inv_cdf(p) - deviation**2 / 2, scale * (law - MEAN) / mean)
        for p, law in QUANTILES.items()
    )
    above = math.hypot(math.expm1(high[0]), high[1])
    return [mean * math.exp(-math.hypot(*low)), mean * math.exp(sum(middle)), mean * (1 + above)]
