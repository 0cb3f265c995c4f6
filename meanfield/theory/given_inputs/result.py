"""The prediction on given inputs."""

from dataclasses import dataclass

import numpy as np

from meanfield.theory.result import PredictedSpectrum


@dataclass(frozen=True, kw_only=True, eq=False)  # arrays have no single truth value to compare by
class GivenPrediction(PredictedSpectrum):
    """The predicted spectrum of the FIM on given inputs, and what it rests on.

    Attributes:
        network: The spec, with the inputs' dimension as M_0.
        eigenvalues: The wide limit's spectrum: T eigenvalues per output direction, descending, on
            average over networks; None where a norm per sample would need too large a matrix, or
            leaves no mean. Those of averaged kernels after a sampled hidden batch norm, and under
            layer norm or rms in the last layer averaged over neighbours: the first of them is
            then not quite λ_max.
        eigenvalue_max: λ_max of networks of this width, to first order in 1/M; its mean over
            networks where it stays random.
        eigenvalue_max_kind: `outlier` where the largest eigenvalue stands clear of what a finite
            width spreads the others by, else `bulk-edge`.
        eigenvalue_max_multiplicity: How many output directions share λ_max.
        eigenvalue_max_quantiles: 10, 50 and 90 % of one network's λ_max; None for a single layer
            without division over samples, of which nothing is random.
        finite_width_shift: By how much λ_max lies above the wide limit's λ_1, relative: one
            output's z(max(λ_1, x*))/λ_1 − 1 with z(x) = x + Σ_{j>1} c_j/(x − λ_j), z'(x*) = 0 and
            c_j what the units' fluctuations mix of the j-th eigenvector into the first; and that
            the largest of all outputs counts, which finite layers tell apart. [derived]
        eigenvectors: The leading eigenvectors over samples, T×count, where asked for; else None.
        batch_statistics: How hidden batch norms were averaged; None where there are none.
    """

    eigenvalues: np.ndarray | None
    finite_width_shift: float | None
    eigenvectors: np.ndarray | None
    batch_statistics: str | None
