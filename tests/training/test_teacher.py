"""Teachers: the task that students are set."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield import Network, teacher, train
from meanfield.sampling.networks import draw_key, draw_network

T = 9
NET = Network(widths=(4, 5), activation="relu", bias_var=0.2)
X, Y = teacher(NET, T)


def test_a_teacher_is_a_network_of_its_own():
    normed = NET.with_norms("batch@hidden")
    x, y = teacher(normed, T)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)  # every placement is set the same task
    with jax.enable_x64(True):
        key = draw_key(0, 2**32 - 1)
        drawn, _ = draw_network(NET, key, X, T, jnp.dtype("float64"))
        (W1, b1), (W2, b2) = ((np.asarray(p.weights), np.asarray(p.biases)) for p in drawn)
    np.testing.assert_allclose(Y, np.maximum(X @ W1.T + b1, 0) @ W2.T + b2, rtol=1e-4, atol=1e-5)
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((T, 4), (T, 1), np.float32, np.float32)
    assert not (teacher(NET, T, seed=1)[0] == X).any()
    assert train(NET, X, Y, learning_rates=[0.1], draws=3, steps=1).initial_losses.min() > 1e-3


def test_teachers_refuse_bad_input():
    with pytest.raises(ValueError, match="samples must be"):
        teacher(NET, 0)
    for seed in (-1, 2**63):
        with pytest.raises(ValueError, match="seed must be"):
            teacher(NET, T, seed=seed)
