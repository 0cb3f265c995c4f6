"""Kernels over samples, and the few operations that the layer recursion needs.

The recursion (theory.md section 3) is written against these operations only, so it does not
know how a kernel is represented. Here is the exchangeable form; any other representation with
the same methods can be fed to the same recursion.
"""

from typing import NamedTuple, Self

import jax

from meanfield.activations import Activation


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

    def affine(self, scale: jax.Array, shift: jax.Array) -> Self:
        """scale · K + shift, elementwise."""
        return self._replace(same=scale * self.same + shift, gap=scale * self.gap)

    def scaled(self, scale: jax.Array) -> Self:
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
