"""How a hidden layer passes on small changes of the kernels (theory.md section 7)."""

from dataclasses import dataclass

import numpy as np

from meanfield.gaussian.pair_slopes import PairSlopes
from meanfield.spec.activations import Activation
from meanfield.spec.norms import UNITS, Norm
from meanfield.theory.kernels import Full
from meanfield.theory.layer import Layer, Step
from meanfield.theory.norms import kernel_changes, sample_factors

Pair = tuple[np.ndarray, np.ndarray]  # of S and K, or of changes of them


@dataclass(frozen=True)
class Passage:
    """A hidden layer l, from the kernels of u^l to those of u^{l+1}, as T×T matrices.

    Attributes:
        norm: Of the layer.
        layer: Its numbers.
        activation: φ.
        before: S and K.
        after: S̄ and K̄.
        values, slopes: Q = E[φ φᵀ] and Φ = E[φ' φ'ᵀ].
        responses: How these two change with S̄.
    """

    norm: Norm
    layer: Layer
    activation: Activation
    before: Pair
    after: Pair
    values: np.ndarray
    slopes: np.ndarray
    responses: PairSlopes

    def changes(self, dS: np.ndarray, dK: np.ndarray) -> Pair:
        """Those of the next layer's S and K, to first order in these."""
        return self._above(*kernel_changes(self.norm, *self.before, dS, dK))

    def _above(self, dS_bar: np.ndarray, dK_bar: np.ndarray) -> Pair:
        dQ = self.responses.response(0, dS_bar)
        d_slopes = self.responses.response(1, dS_bar)
        return self.advanced(dQ, d_slopes * self.after[1] + self.slopes * dK_bar)

    def normalized(self, u: np.ndarray) -> Pair:
        """What a norm over units takes of a unit's share: it makes the units' squares add up."""
        if self.norm.divide is not UNITS:
            return np.zeros_like(self.values), np.zeros_like(self.values)
        excess = u**2 - np.diagonal(self.after[0])
        factor = -(excess[:, None] + excess) / 2
        return self._above(factor * self.after[0], factor * self.after[1])

    def advanced(self, dQ: np.ndarray, d_slope_K: np.ndarray | float) -> Pair:
        """Changes of S' and K' by those of Q and Φ ∘ K̄: dS' = σ_w² dQ, dK' = M_l dQ + σ_w² d(…)."""
        weight_var, width = float(self.layer.weight_var), float(self.layer.width)
        return weight_var * dQ, width * dQ + weight_var * d_slope_K

    def backward(self, signals: np.ndarray) -> np.ndarray:
        """The covariance over samples of the gradients by u^l, from σ_w² times that by u^{l+1}."""
        r = sample_factors(self.norm, self.before[0])
        return np.outer(r, r) * self.slopes * signals


def passage(
    norm: Norm,
    layer: Layer,
    activation: Activation,
    before: tuple[Full, Full],
    after: tuple[Full, Full],
    step: Step[Full],
) -> Passage:
    """Of a step of the recursion from (S̄, K̄) = `after`, which the norm makes of `before`."""
    S, K, S_bar, K_bar, values, slopes = (
        np.asarray(kernel.matrix) for kernel in (*before, *after, step.Q, step.slope)
    )
    responses = activation.pair_slopes(after[0].same, after[0].gap)
    return Passage(norm, layer, activation, (S, K), (S_bar, K_bar), values, slopes, responses)
