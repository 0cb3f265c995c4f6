"""The prediction on given inputs."""

from dataclasses import dataclass

import numpy as np

from meanfield.theory.result import PredictedSpectrum


@dataclass(frozen=True, kw_only=True, eq=False)  # arrays have no single truth value to compare by
class GivenPrediction(PredictedSpectrum):
    """The predicted spectrum of the FIM on given inputs, and what it rests on.

    Attributes:
        network: The spec, with the inputs' dimension as M_0.
        eigenvalues: The predicted spectrum: T eigenvalues per output direction, descending, on
            average over networks; None where a norm per sample would need too large a matrix, or
            leaves no mean. Those of averaged kernels after a sampled hidden batch norm, and under
            layer norm or rms in the last layer averaged over neighbours: the first of them is
            then not quite λ_max.
        eigenvalue_max: λ_max, its mean over networks where it stays random.
        eigenvalue_max_kind: `wide-limit` where `finite_width_shift` is at most 0.25 (measured
            deviations were 7 % at a shift of 0.18); else `lower-bound`: the bulk of finite
            networks spreads beyond it.
        eigenvalue_max_multiplicity: How many output directions share λ_max.
        finite_width_shift: By how much finite width may raise λ_max, relative:
            ((L−1)/M) Σ_{j>1} λ_j/(λ_1 − λ_j), M the smallest hidden width. It is the first order
            by which sampling M random features raises a covariance's largest eigenvalue (Lawley
            1956), once per hidden layer; a third of it was measured where it is small. [derived]
        eigenvectors: The leading eigenvectors over samples, T×count, where asked for; else None.
        batch_statistics: How hidden batch norms were averaged; None where there are none.
    """

    eigenvalues: np.ndarray | None
    finite_width_shift: float | None
    eigenvectors: np.ndarray | None
    batch_statistics: str | None
