"""Functions that are differentiated where their slope is infinite."""

import jax
import jax.numpy as jnp


def root(x: jax.Array) -> jax.Array:
    """√x, with a derivative of 0 at 0."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1)), 0)
