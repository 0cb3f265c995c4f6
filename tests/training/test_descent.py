"""Gradient descent against closed forms and an explicit gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import meanfield as mf
from meanfield import Network, teacher, train
from meanfield.sampling.networks import draw_key, draw_network
from meanfield.training.descent import DIVERGED, descend, start

T = 9
LINEAR = Network(widths=(4,), outputs=2, activation="linear", bias_var=0.3)
NET = Network(widths=(4, 5), activation="relu", bias_var=0.2)
X, Y = teacher(NET, T)


def initial(network, draw, seed=0):
    """The parameters in float64 of draw `draw`, by the key that `simulate` uses."""
    with jax.enable_x64(True):
        key, _ = jax.random.split(draw_key(seed, draw))
        drawn, _ = draw_network(network, key, X, T, jnp.dtype("float64"))
        return [(np.asarray(layer.weights), np.asarray(layer.biases)) for layer in drawn]


def linear_losses(x, y, rate, steps, draw):
    """Residuals of a linear network obey r ← (1 − η K) r, K = (X Xᵀ + 1)/T for every output."""
    ((weights, biases),) = initial(LINEAR, draw)
    residual = x @ weights.T + biases - y
    kernel = (x @ x.T + 1) / T
    for _ in range(steps):
        residual = residual - rate * kernel @ residual
    return np.square(residual).sum() / (2 * T)


@pytest.fixture(scope="module")
def linear():
    """Rates at 2/λ_max times 0.4 … 1.04; few steps, and enough to diverge 1 % above."""
    x, y = np.random.default_rng(0).normal(size=(2, T, 4)) * 1.5
    y = y[:, :2]
    limit = 2 / np.linalg.eigvalsh((x @ x.T + 1) / T).max()
    rates = limit * np.array([0.4, 0.9, 0.99, 1.01, 1.04])
    return x, y, limit, rates


def test_a_linear_network_follows_its_closed_form(linear):
    x, y, _, rates = linear
    result = train(LINEAR, x, y, learning_rates=rates, draws=2, steps=30)
    assert not result.diverged.any()
    for (i, d), loss in np.ndenumerate(result.losses):
        # 30 steps round to 6e-8 of the residual each, and at most 1.08^30 = 10 times that.
        assert loss == pytest.approx(linear_losses(x, y, rates[i], 30, d), rel=1e-4)
    start = [linear_losses(x, y, 0, 0, d) for d in range(2)]
    np.testing.assert_allclose(result.initial_losses, start, rtol=1e-5)


def test_a_linear_network_diverges_exactly_above_2_over_lambda_max(linear):
    x, y, limit, rates = linear
    result = train(LINEAR, x, y, learning_rates=rates, draws=2, steps=1000)
    np.testing.assert_array_equal(result.diverged.sum(axis=1), [0, 0, 0, 2, 2])
    np.testing.assert_array_equal(result.rose, result.diverged)
    assert result.threshold.mean == pytest.approx(limit * (0.99 * 1.01) ** 0.5, rel=1e-6)
    assert result.threshold.sem == pytest.approx(0, abs=1e-9)
    assert result.instability == result.threshold
    assert mf.predict(LINEAR, inputs=x).learning_rate_max == pytest.approx(limit, rel=1e-9)
    assert (result.steps_taken[:3] == 1000).all()
    assert (result.steps_taken[3:] < 1000).all()
    assert (result.steps_taken[4] < result.steps_taken[3]).all()


def by_hand(layers, x, y):
    """E of a two-layer tanh network with batch norm in both, written out."""

    def standardize(u):
        centred = u - u.mean(axis=0, keepdims=True)
        return centred / jnp.sqrt(jnp.square(centred).mean(axis=0, keepdims=True))

    (W1, b1), (W2, b2) = layers
    f = standardize(jnp.tanh(standardize(x @ W1.T + b1[None])) @ W2.T + b2[None])
    return jnp.square(y - f).sum() / (2 * len(x))


def test_gradients_run_through_the_batch_statistics():
    """The loss after three steps in float64; statistics held constant would give another one."""
    network = Network(widths=(4, 5), outputs=2, activation="tanh", bias_var=0.2, norm="batch@all")
    y = np.random.default_rng(1).normal(size=(T, 2))
    with jax.enable_x64(True):
        layers, evaluate = initial(network, 1), jax.jit(jax.value_and_grad(by_hand))
        values = []
        for _ in range(4):
            value, gradient = evaluate(layers, X, y)
            layers = jax.tree.map(lambda a, g: np.asarray(a - 0.3 * g), layers, gradient)
            values.append(float(value))
        before, *_, expected = values
    result = train(network, X, y, learning_rates=[0.3], draws=2, steps=3)
    assert result.losses[0, 1] == pytest.approx(expected, rel=1e-5)
    assert result.initial_losses[1] == pytest.approx(before, rel=1e-5)
    assert abs(before - expected) > 0.01 * before


def test_a_loss_that_rises_and_falls_again_has_not_diverged():
    """Above 2/λ_max, where a nonlinear network finds a flatter place."""
    result = train(NET, X, Y, learning_rates=np.geomspace(0.1, 3, 12), draws=5, steps=200)
    survivors = result.rose & ~result.diverged
    assert (result.losses < result.initial_losses)[survivors].any()
    assert (result.losses[survivors] <= DIVERGED * result.initial_losses.max()).all()
    assert min(result.instability.draws) < min(d for d in result.threshold.draws if d)


def test_segments_change_nothing():
    """Sixty steps at once, or in pieces of any length."""
    with jax.enable_x64(False):
        lanes = start([draw_network(NET, draw_key(0, d), X, T, X.dtype)[0] for d in range(2)])
        rates = jnp.array([0.1, 50.0], jnp.float32)
        whole = pieces = lanes
        whole = descend(NET.structure, whole, rates, X, Y, 60)
        for steps in (1, 25, 34):
            pieces = descend(NET.structure, pieces, rates, X, Y, steps)
    jax.tree.map(np.testing.assert_array_equal, whole, pieces)
    assert whole.course.taken[0] == 60
    assert whole.course.taken[1] < 60
    assert whole.course.diverged.tolist() == [False, True]
