"""The prediction for i.i.d. inputs."""

from dataclasses import dataclass

from meanfield.theory.result import PredictedSpectrum
from meanfield.theory.white_noise.bulk.spectrum import BulkSpectrum


@dataclass(frozen=True)
class LayerOrderParameters:
    """The order parameters of layer l (theory.md sections 2 and 3); `_pair` is for two samples.

    Attributes:
        layer: l = 1..L.
        q, q_pair, gap: Variance and covariance of u^l before its norm, and their difference.
        q_hat, q_hat_pair: Those of h^l; None in the output layer, which has no activation.
        q_tilde, q_tilde_pair: Σ_i (∂f_k/∂u^l_i)², and the same product for two samples.
    """

    layer: int
    q: float
    q_pair: float
    gap: float
    q_hat: float | None
    q_hat_pair: float | None
    q_tilde: float
    q_tilde_pair: float


@dataclass(frozen=True, kw_only=True)
class Prediction(PredictedSpectrum):
    """The predicted spectrum of the FIM for i.i.d. inputs, and what it rests on.

    Attributes:
        alpha: α.
        kappa1, kappa2: The leading order of A and B: T → ∞, no bias block, over α M.
        diagonal, off_diagonal: A and B at this T with the real widths and the bias block; where
            the output norm divides each sample by itself, those before that norm.
        eigenvalue_max_kind: `outlier`: λ_1; `bulk-edge`: the expected largest eigenvalue of the
            bulk; `lower-bound`: the mean λ_2 of a bulk whose spread is not known.
        eigenvalue_max_sem: None: nothing is sampled.
        eigenvalue_max_at_samples: Where asked for and the quantiles are limits of T → ∞ that are
            approached slowly, the same quantiles at this T, each as value and standard error.
        bulk: The bulk of F's spectrum; None where the last norm divides over units.
        width_exponent: a in λ_max ∝ M^a at fixed T/M.
        order_parameters: Per layer.
    """

    alpha: float
    kappa1: float | None
    kappa2: float | None
    diagonal: float
    off_diagonal: float
    eigenvalue_max_at_samples: dict[str, dict[str, float]] | None
    bulk: BulkSpectrum | None
    width_exponent: float
    order_parameters: tuple[LayerOrderParameters, ...]
