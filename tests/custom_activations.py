"""Activations of a user's own module, as sweeps take them by name."""

import multiprocessing
import os

import jax
import jax.numpy as jnp

from meanfield.spec.activations import Activation


def swish(u):
    return u * jax.nn.sigmoid(2 * u)


def wave(u):
    return jnp.sin(3 * u)


def deadly(u):
    """Ends any worker that compiles it, as the want of memory would."""
    if multiprocessing.parent_process() is not None:
        os._exit(9)
    return jnp.tanh(u)


KINKED = Activation("kinked", lambda u: jnp.maximum(u, 0.5 * u), kink_at_zero=True)
NUMBER = 3
