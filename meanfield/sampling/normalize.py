"""What a norm does to a batch of pre-activations."""

import jax

from meanfield.spec.norms import SAMPLES, Axis, Norm


def normalize(norm: Norm, u: jax.Array, hold: bool = False) -> jax.Array:
    """ū for a T×M batch of pre-activations u (theory.md section 1).

        ū = (u − mean of u over `centre`) / (root mean square of what is left over `divide`)

    Args:
        norm: Which axes to centre and to divide over.
        u: T×M.
        hold: Whether derivatives take statistics over samples for constants, so that they run
            through one sample at a time.
    """

    def mean(x: jax.Array, axis: Axis) -> jax.Array:
        held = jax.lax.stop_gradient(x) if hold and axis is SAMPLES else x
        return held.mean(axis=axis.value, keepdims=True)

    if norm.centre is not None:
        u = u - mean(u, norm.centre)
    if norm.divide is not None:
        u = u / mean(u**2, norm.divide) ** 0.5
    return u
