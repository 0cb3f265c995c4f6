"""The bulk of a predicted spectrum, as users see it."""

from dataclasses import dataclass
from functools import cached_property

import jax
import numpy as np
from numpy.typing import ArrayLike

from meanfield.numerics.records import Record
from meanfield.spec.network import Network
from meanfield.theory.white_noise.bulk.density import Density, density_of


@dataclass(frozen=True)
class BulkSpectrum(Record, omit=("network", "samples")):
    """The eigenvalues of F that are no outliers, for T ∝ M wide (`docs/theory.md` section 11).

    There are C (T − 1) of them, or C T without anything that the samples share.

    Attributes:
        network, samples: The spec and T.
        mean: λ_2.
        variance: R'(0).
        edge: E, the upper end in wide networks; that of one network is lower by about
            1.2065 σ (CT)^{−2/3}.
        lower: The lower end; where eigenvalues coincide there, that eigenvalue.
        scale: σ, of the fluctuations at the edge.
    """

    network: Network
    samples: int
    mean: float
    variance: float
    edge: float
    lower: float
    scale: float

    def density(self, eigenvalue: ArrayLike) -> np.ndarray:
        """The density of eigenvalues, ρ(λ) = −Im x/π: it integrates to 1 less what is at `lower`.

        Args:
            eigenvalue: λ, a number or an array.
        """
        return self._density.at(np.asarray(eigenvalue, float))

    def quantile(self, p: ArrayLike) -> np.ndarray:
        """The eigenvalue below which the share p of the bulk lies.

        Args:
            p: Between 0 and 1, a number or an array.

        Raises:
            ValueError: p is not between 0 and 1.
        """
        shares = np.asarray(p, float)
        if not ((shares >= 0) & (shares <= 1)).all():
            raise ValueError(f"p must be between 0 and 1, got {p!r}")
        return self._density.quantile(shares)

    @cached_property
    def _density(self) -> Density:
        with jax.enable_x64(True):
            return density_of(self.network, self.samples, self.lower, self.edge)
