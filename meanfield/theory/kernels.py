"""Kernels over samples, and the few operations that the layer recursion needs.

The recursion (theory.md section 3) is written against these operations only, so it does not
know how a kernel is represented: as the two numbers of i.i.d. inputs, or in full. Either way the
differences between samples are carried as numbers of their own, K(s,s) − K(s,t) on average over s
and t. In the ordered phase they fall far below the rounding of K itself.
"""

from typing import NamedTuple, Self

import jax
import jax.numpy as jnp

from meanfield.spec.activations import Activation

Scalar = jax.Array | float


class Exchangeable(NamedTuple):
    """A T×T kernel with one value on the diagonal and one off it (theory.md section 3).

    For i.i.d. inputs every kernel has this form. The difference is carried as a number of its
    own: in the ordered phase it falls far below the rounding of `same`.

    Attributes:
        same: The diagonal value, s = t.
        gap: same − cross, where cross is the value at s ≠ t.
        samples: T; infinity stands for the limit T → ∞.
    """

    same: jax.Array
    gap: jax.Array
    samples: jax.Array

    @property
    def cross(self) -> jax.Array:
        """The off-diagonal value, same − gap."""
        return self.same - self.gap

    def affine(self, scale: Scalar, shift: Scalar) -> Self:
        """scale · K + shift, elementwise."""
        return self._replace(same=scale * self.same + shift, gap=scale * self.gap)

    def scaled(self, scale: Scalar) -> Self:
        """scale · K."""
        return self._replace(same=scale * self.same, gap=scale * self.gap)

    def plus(self, other: Self) -> Self:
        """K + K'."""
        return self._replace(same=self.same + other.same, gap=self.gap + other.gap)

    def hadamard(self, other: Self) -> Self:
        """K ∘ K', by gap(K K') = K_same gap(K') + gap(K) K'_cross (theory.md section 8)."""
        gap = self.same * other.gap + self.gap * other.cross
        return self._replace(same=self.same * other.same, gap=gap)

    def centred(self) -> Self:
        """G K G with G = I − 11ᵀ/T: same g(1 − 1/T), cross −g/T, so the gap g stays."""
        return self._replace(same=self.gap * (1 - 1 / self.samples))

    def over_diagonal_of(self, other: Self) -> Self:
        """K(s,t) / √(S(s,s) S(t,t))."""
        return self.scaled(1 / other.same)

    def averages(self, activation: Activation) -> tuple[Self, Self, jax.Array]:
        """Q(s,t) = E[φ(z_s) φ(z_t)] and Φ(s,t) = E[φ'(z_s) φ'(z_t)] for z ~ N(0, K).

        Returns:
            Q, Φ and an estimate of their relative numerical error.
        """
        a = activation.averages(self.same, self.gap)
        values = self._replace(same=a.value, gap=a.value_gap)
        slopes = self._replace(same=a.slope, gap=a.slope_gap)
        return values, slopes, a.error


class Full(NamedTuple):
    """A T×T kernel over given samples (theory.md section 7).

    Attributes:
        same: The diagonal K(s,s), of length T.
        gap: (K(s,s) + K(t,t))/2 − K(s,t), T×T: half the squared distance of s and t. It is
            exactly 0 between equal samples and cannot be told from the kernel after rounding.
    """

    same: jax.Array
    gap: jax.Array

    @classmethod
    def from_matrix(cls, K: jax.Array) -> Self:
        """The kernel of a positive semi-definite matrix."""
        same = jnp.diagonal(K)
        return cls(same, jnp.maximum(pair_means(same) - K, 0))

    @property
    def samples(self) -> int:
        """T."""
        return self.same.size

    @property
    def matrix(self) -> jax.Array:
        """K, T×T."""
        return pair_means(self.same) - self.gap

    def affine(self, scale: Scalar, shift: Scalar) -> Self:
        """scale · K + shift, elementwise."""
        return self._replace(same=scale * self.same + shift, gap=scale * self.gap)

    def scaled(self, scale: Scalar) -> Self:
        """scale · K."""
        return self._replace(same=scale * self.same, gap=scale * self.gap)

    def plus(self, other: Self) -> Self:
        """K + K'."""
        return self._replace(same=self.same + other.same, gap=self.gap + other.gap)

    def hadamard(self, other: Self) -> Self:
        """K ∘ K'. With m the mean and d half the difference of two diagonal entries,

        gap(K K') = m gap(K') + gap(K) K' + d d'.
        """
        spread = pair_differences(self.same) * pair_differences(other.same)
        gap = pair_means(self.same) * other.gap + self.gap * other.matrix + spread
        return self._replace(same=self.same * other.same, gap=gap)

    def centred(self) -> Self:
        """G K G = −G gap G with G = I − 11ᵀ/T: distances stay."""
        by_sample = self.gap.mean(axis=1)
        return self._replace(same=jnp.maximum(2 * by_sample - by_sample.mean(), 0))

    def over_diagonal_of(self, other: Self) -> Self:
        """K(s,t) / √(S(s,s) S(t,t)), with r = S(s,s)^{−1/2}:

        gap = r_s r_t gap(K) + ½ (r_s − r_t) (r_s K(s,s) − r_t K(t,t)).
        """
        r = other.same**-0.5
        spread = 2 * pair_differences(r) * pair_differences(r * self.same)
        gap = jnp.maximum(jnp.outer(r, r) * self.gap + spread, 0)
        return self._replace(same=r**2 * self.same, gap=gap)

    def averages(self, activation: Activation) -> tuple[Self, Self, jax.Array]:
        """Q(s,t) = E[φ(z_s) φ(z_t)] and Φ(s,t) = E[φ'(z_s) φ'(z_t)] for z ~ N(0, K).

        Returns:
            Q, Φ and an estimate of their relative numerical error.
        """
        a = activation.pair_averages(self.same, self.gap)
        values = self._replace(same=a.value, gap=a.value_gap)
        return values, self._replace(same=a.slope, gap=a.slope_gap), a.error


def pair_means(x: jax.Array) -> jax.Array:
    """(x_s + x_t)/2, T×T."""
    return (x[:, None] + x) / 2


def pair_differences(x: jax.Array) -> jax.Array:
    """(x_s − x_t)/2, T×T."""
    return (x[:, None] - x) / 2
