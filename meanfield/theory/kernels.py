"""Kernels over samples, and the few operations that the layer recursion needs.

The recursion (theory.md section 3) is written against these operations only, so it does not
know how a kernel is represented: as the two numbers of i.i.d. inputs, or in full. Either way the
differences between samples are carried as numbers of their own, K(s,s) − K(s,t) on average over s
and t. In the ordered phase they fall far below the rounding of K itself.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import jax
import jax.numpy as jnp

from meanfield.gaussian.averages import Averages
from meanfield.gaussian.table import Table
from meanfield.spec.activations import Activation

Scalar = jax.Array | float
Source = Activation | Table  # of Gaussian averages


@dataclass(frozen=True)
class Kernel:
    """A T×T kernel over samples, as numbers on its diagonal and the differences to them.

    Attributes:
        same: The diagonal, s = t.
        gap: (K(s,s) + K(t,t))/2 − K(s,t).
    """

    same: jax.Array
    gap: jax.Array

    def affine(self, scale: Scalar, shift: Scalar) -> Self:
        """scale · K + shift, elementwise."""
        return replace(self, same=scale * self.same + shift, gap=scale * self.gap)

    def scaled(self, scale: Scalar) -> Self:
        """scale · K."""
        return replace(self, same=scale * self.same, gap=scale * self.gap)

    def plus(self, other: Self) -> Self:
        """K + K'."""
        return replace(self, same=self.same + other.same, gap=self.gap + other.gap)

    @abstractmethod
    def hadamard(self, other: Self) -> Self:
        """K ∘ K', elementwise."""

    @abstractmethod
    def centred(self) -> Self:
        """G K G with G = I − 11ᵀ/T: distances between samples stay."""

    @abstractmethod
    def over_diagonal_of(self, other: Self) -> Self:
        """K(s,t) / √(S(s,s) S(t,t))."""

    @abstractmethod
    def over_samples(self, K: Self) -> tuple[Self, Self]:
        """(S̄, K̄) of a field that is divided by its standard deviation over samples.

        Args:
            self: S, the covariance of the centred field.
            K: Its tangent kernel, centred too.
        """

    @abstractmethod
    def gaussian_averages(self, source: Source) -> Averages:
        """E[φ(z_s) φ(z_t)] and E[φ'(z_s) φ'(z_t)] for z ~ N(0, K), as diagonals and gaps."""

    def averages(self, source: Source) -> tuple[Self, Self, jax.Array]:
        """Q(s,t) = E[φ(z_s) φ(z_t)] and Φ(s,t) = E[φ'(z_s) φ'(z_t)] for z ~ N(0, K).

        Returns:
            Q, Φ and an estimate of their relative numerical error.
        """
        a = self.gaussian_averages(source)
        values = replace(self, same=a.value, gap=a.value_gap)
        return values, replace(self, same=a.slope, gap=a.slope_gap), a.error


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Exchangeable(Kernel):
    """A T×T kernel with one value on the diagonal and one off it (theory.md section 3).

    For i.i.d. inputs every kernel has this form.

    Attributes:
        same: The diagonal value, s = t.
        gap: same − cross, where cross is the value at s ≠ t.
        samples: T; infinity stands for the limit T → ∞.
    """

    samples: jax.Array

    @property
    def cross(self) -> jax.Array:
        """The off-diagonal value, same − gap."""
        return self.same - self.gap

    def hadamard(self, other: Self) -> Self:
        """K ∘ K', by gap(K K') = K_same gap(K') + gap(K) K'_cross (theory.md section 8)."""
        gap = self.same * other.gap + self.gap * other.cross
        return replace(self, same=self.same * other.same, gap=gap)

    def centred(self) -> Self:
        """G K G with G = I − 11ᵀ/T: same g(1 − 1/T), cross −g/T, so the gap g stays."""
        return replace(self, same=self.gap * (1 - 1 / self.samples))

    def over_diagonal_of(self, other: Self) -> Self:
        """K(s,t) / √(S(s,s) S(t,t))."""
        return self.scaled(1 / other.same)

    def over_samples(self, K: Self) -> tuple[Self, Self]:
        """S̄ = (1, −1/(T−1)), K̄ = r d (1 − 2/T) (1, −1/(T−1)), r = E[1/σ²] = T/((T−3) g).

        d is the gap of K. The normalized field is treated as Gaussian, an error of order 2/T.
        """
        T = self.samples
        factor = 1 / self.gap / (1 - 3 / T) * (1 - 2 / T) / (1 - 1 / T)
        return self.over_diagonal_of(self), K.scaled(factor)

    def gaussian_averages(self, source: Source) -> Averages:
        """By variance and gap, of one sample and of a pair."""
        return source.averages(self.same, self.gap)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Full(Kernel):
    """A T×T kernel over given samples (theory.md section 7).

    Attributes:
        same: The diagonal K(s,s), of length T.
        gap: (K(s,s) + K(t,t))/2 − K(s,t), T×T: half the squared distance of s and t. It is
            exactly 0 between equal samples and cannot be told from the kernel after rounding.
    """

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

    def hadamard(self, other: Self) -> Self:
        """K ∘ K'. With m the mean and d half the difference of two diagonal entries,

        gap(K K') = m gap(K') + gap(K) K' + d d'.
        """
        spread = pair_differences(self.same) * pair_differences(other.same)
        gap = pair_means(self.same) * other.gap + self.gap * other.matrix + spread
        return replace(self, same=self.same * other.same, gap=gap)

    def centred(self) -> Self:
        """G K G = −G gap G with G = I − 11ᵀ/T: distances stay."""
        by_sample = self.gap.mean(axis=1)
        return replace(self, same=jnp.maximum(2 * by_sample - by_sample.mean(), 0))

    def over_diagonal_of(self, other: Self) -> Self:
        """K(s,t) / √(S(s,s) S(t,t)), with r = S(s,s)^{−1/2}:

        gap = r_s r_t gap(K) + ½ (r_s − r_t) (r_s K(s,s) − r_t K(t,t)).
        """
        r = other.same**-0.5
        spread = 2 * pair_differences(r) * pair_differences(r * self.same)
        gap = jnp.maximum(jnp.outer(r, r) * self.gap + spread, 0)
        return replace(self, same=r**2 * self.same, gap=gap)

    def over_samples(self, K: Self) -> tuple[Self, Self]:
        """The self-averaging shortcut: S̄ = S/v, K̄ = K/v, v = tr S/T."""
        factor = 1 / self.same.mean()
        return self.scaled(factor), K.scaled(factor)

    def gaussian_averages(self, source: Source) -> Averages:
        """By variance and gap, of every sample and every pair; a table has none of these."""
        assert isinstance(source, Activation)
        return source.pair_averages(self.same, self.gap)


def pair_means(x: jax.Array) -> jax.Array:
    """(x_s + x_t)/2, T×T."""
    return (x[:, None] + x[None, :]) / 2


def pair_differences(x: jax.Array) -> jax.Array:
    """(x_s − x_t)/2, T×T."""
    return (x[:, None] - x[None, :]) / 2
