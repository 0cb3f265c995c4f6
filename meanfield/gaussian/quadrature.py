"""The quadrature of one activation: a uniform grid, or sectors where it has a kink at zero."""

from dataclasses import dataclass

import jax
import numpy as np

from meanfield.gaussian import kinked, smooth
from meanfield.gaussian.averages import Averages, Function
from meanfield.gaussian.shifted import ShiftedAverages, shifted_averages


@dataclass(frozen=True)
class Quadrature:
    """How a function is averaged; hashable, so that what is compiled or tabulated is shared.

    Attributes:
        function: φ.
        kinked: Whether φ, φ' or φ'' jumps at 0.
    """

    function: Function
    kinked: bool

    def __call__(self, q: jax.Array, gap: jax.Array) -> Averages:
        """E[φ²], E[φ'²] and their gaps, for variance q and covariance q − gap."""
        return (kinked.sectors if self.kinked else smooth.uniform_grid)(self.function, q, gap)

    def single_averages(self, q: jax.Array) -> list:
        """E[φ²] and E[φ'²] at one variance, each with its error."""
        return (kinked.on_both_sides if self.kinked else smooth.on_line)(self.function, q)

    def shifted_averages(self, mean: jax.Array, variance: jax.Array) -> ShiftedAverages:
        """Averages at given means, an array, and one variance."""
        return shifted_averages(self.function, self.kinked, mean, variance)

    def line_nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights for E[f(z)], z ~ N(0, 1), for f as smooth as φ."""
        return kinked.line_nodes() if self.kinked else smooth.gaussian_grid(1)
