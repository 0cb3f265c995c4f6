"""The line between order and chaos in deep networks without normalization."""

import jax
import numpy as np

from meanfield.checks import variances
from meanfield.spec.activations import Activation, Function, resolve_activation


def order_chaos_line(
    activation: str | Function | Activation, q: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """σ_w² and σ_b² where a layer neither shrinks nor stretches small differences (χ_1 = 1).

        χ_1 = σ_w² E[φ'(√q z)²] = 1   at the fixed point   q = σ_w² E[φ(√q z)²] + σ_b²

    Below σ_w² differences between samples die out with depth, above they grow.

    Args:
        activation: As for `Network`.
        q: The fixed points, positive variances; the line is parametrized by them.

    Returns:
        σ_w² and σ_b² at every q; a negative σ_b² means that there is no such network.
    """
    at = variances("q", q)
    phi = resolve_activation(activation)
    with jax.enable_x64(True):
        averages = jax.jit(lambda q: jax.lax.map(lambda here: phi.averages(here, 0 * here), q))(at)
    weight_var = 1 / np.asarray(averages.slope)
    return weight_var, at - weight_var * np.asarray(averages.value)
