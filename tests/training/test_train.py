"""Training against closed forms, an explicit gradient, and itself."""

import dataclasses
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import meanfield as mf
from meanfield import Network, teacher, train
from meanfield.sampling.networks import draw_key, draw_network
from meanfield.training.descent import DIVERGED
from meanfield.training.result import threshold

T = 9
LINEAR = Network(widths=(4,), outputs=2, activation="linear", bias_var=0.3)
NET = Network(widths=(4, 5), activation="relu", bias_var=0.2)
X, Y = teacher(NET, T)
FIELDS = ("losses", "diverged", "rose", "steps_taken", "initial_losses")


def initial(network, draw, seed=0):
    """The parameters in float64 of draw `draw`, by the key that `simulate` uses."""
    with jax.enable_x64(True):
        key, _ = jax.random.split(draw_key(seed, draw))
        drawn, _ = draw_network(network, key, X, T, jnp.dtype("float64"))
        return [(np.asarray(layer.weights), np.asarray(layer.biases)) for layer in drawn]


def same(a, b, where=np.s_[:]):
    for name in FIELDS[:-1]:
        np.testing.assert_array_equal(getattr(a, name)[where], getattr(b, name))


# What is computed


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
        centred = u - u.mean(axis=0)
        return centred / jnp.sqrt(jnp.square(centred).mean(axis=0))

    (W1, b1), (W2, b2) = layers
    f = standardize(jnp.tanh(standardize(x @ W1.T + b1)) @ W2.T + b2)
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


# What a run depends on


RATES = (0.01, 0.1, 0.5, 2.0, 50.0)


@pytest.fixture(scope="module")
def whole():
    return train(NET, X, Y, learning_rates=RATES, draws=3, steps=60)


def test_runs_do_not_depend_on_what_is_trained_beside_them(whole):
    same(whole, train(NET, X, Y, learning_rates=RATES[1:3], draws=2, steps=60), np.s_[1:3, :2])
    same(whole, train(NET, X, Y, learning_rates=RATES[-1:], draws=3, steps=60), np.s_[-1:])
    other = train(NET, X, Y, learning_rates=RATES, draws=3, steps=60, seed=1)
    assert not (other.initial_losses == whole.initial_losses).any()


def test_diverged_runs_stop_early_and_are_shown_as_such(whole):
    assert whole.diverged[-1].all()
    assert (whole.steps_taken[-1] < 20).all()
    np.testing.assert_array_equal(np.isnan(whole.losses), whole.diverged)
    np.testing.assert_array_equal(whole.steps_taken[~whole.diverged], 60)
    assert whole.loss[-1] is None
    assert whole.loss[0].draws == tuple(whole.losses[0].tolist())
    assert whole.loss[0].mean == pytest.approx(whole.losses[0].mean(), rel=1e-6)
    printed = json.loads(json.dumps(whole.to_dict(), allow_nan=False))
    assert set(printed) == {field.name for field in dataclasses.fields(whole)}
    assert printed["losses"][-1] == [None] * 3
    assert f"{whole.diverged.sum()} of 15 runs diverged; means are over the others" in whole.notes


def test_all_diverged_ends_at_once():
    """A million steps would take minutes."""
    result = train(NET, X, Y, learning_rates=[50.0, 60.0], draws=2, steps=10**6)
    assert result.diverged.all()
    assert result.threshold.draws == (None, None)
    assert result.threshold.mean is result.threshold.resolution is None
    assert "null: threshold's mean (of 2 draws 0 had it at no learning rate, 2 at" in str(
        result.notes
    )


def test_a_loss_that_is_no_number_has_diverged_before_its_first_step():
    """rms over two relu units that are both dead is 0/0; other draws live."""
    network = Network(widths=(2, 2, 2), norm="rms@2")
    result = train(network, X[:4, :2], Y[:4], learning_rates=[1e-3], draws=4, steps=2)
    dead = np.isnan(result.initial_losses)
    assert 0 < dead.sum() < 4
    np.testing.assert_array_equal(result.diverged[0], dead)
    np.testing.assert_array_equal(result.steps_taken[0], np.where(dead, 0, 2))
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_global_precision_is_left_alone(whole):
    with jax.enable_x64(True):
        same(whole, train(NET, X, Y, learning_rates=RATES, draws=3, steps=60))
        assert jax.config.jax_enable_x64


# Thresholds and teachers


@pytest.mark.parametrize(
    ("columns", "draws", "mean"),
    [
        (["0011", "0001"], (2.0 * 2**0.5, 4.0 * 2**0.5), 3.0 * 2**0.5),
        (["0101"], (2.0**0.5,), 2.0**0.5),  # from the first that diverged, whatever follows
        (["0011", "0000"], (2.0 * 2**0.5, None), None),
        (["1111", "0111"], (None, 2.0**0.5), None),
    ],
)
def test_thresholds_lie_within_their_brackets(columns, draws, mean):
    happened = np.array([[c == "1" for c in column] for column in columns]).T
    found = threshold((1.0, 2.0, 4.0, 8.0), happened)
    assert found.draws == pytest.approx(draws)
    assert found.mean == (None if mean is None else pytest.approx(mean))
    assert (found.sem is None) == (mean is None or len(draws) == 1)
    assert found.resolution == pytest.approx(2**0.5)


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
    for arguments, said in (((0,), "samples must be"), ((T, -1), "seed must be")):
        with pytest.raises(ValueError, match=said):
            teacher(NET, arguments[0], seed=(*arguments, 0)[1])


# Bad input


BAD = {
    "no rates": ({"learning_rates": []}, "learning_rates must be a sequence"),
    "one number": ({"learning_rates": 0.1}, "learning_rates must be a sequence"),
    "words": ({"learning_rates": ["a"]}, "learning_rates must be a sequence"),
    "ragged": ({"learning_rates": [[1], [1, 2]]}, "learning_rates must be a sequence"),
    "zero": ({"learning_rates": [0, 1]}, "learning_rates must be positive and finite, got 0"),
    "NaN": ({"learning_rates": [np.nan]}, "must be positive and finite, got nan"),
    "beyond float32": ({"learning_rates": [1e39]}, "must be positive and finite, got 1e\\+39"),
    "descending": ({"learning_rates": [1, 0.5]}, "learning_rates must ascend"),
    "twice": ({"learning_rates": [1, 1 + 1e-12]}, "learning_rates must ascend"),
    "draws": ({"draws": 0}, "draws must be a positive integer, got 0"),
    "steps": ({"steps": 1.5}, "steps must be a positive integer, got 1.5"),
    "seed": ({"seed": 2**63}, "seed must be below"),
    "dimension": ({"inputs": X[:, :3]}, r"inputs must have shape \(T, 4\)"),
    "infinite inputs": ({"inputs": X * np.inf}, "inputs must be finite"),
    "few targets": ({"targets": Y[:5]}, r"targets must have shape \(T, C\) = \(9, 1\).*\(5, 1\)"),
    "columns": ({"targets": np.ones((T, 2))}, r"\(9, 1\), a column for each.*\(9, 2\)"),
    "NaN targets": ({"targets": Y * np.nan}, "targets must be finite"),
    "ragged targets": ({"targets": [[1], [1, 2]]}, "targets must be a T x C array"),
    "text": ({"targets": np.full((T, 1), "a")}, "targets must be real numbers, got dtype <U1"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_refused_before_any_compute(monkeypatch, kind):
    monkeypatch.setattr("meanfield.training.train.descend", None)
    change, said = BAD[kind]
    arguments = {"inputs": X, "targets": Y, "learning_rates": [0.1], **change}
    with pytest.raises(ValueError, match=said):
        train(NET, **arguments)


def test_a_column_may_be_flat():
    options = {"learning_rates": [0.1], "draws": 1, "steps": 2}
    same(train(NET, X, Y, **options), train(NET, X, Y[:, 0], **options))


def test_groups_fit_in_memory(monkeypatch, whole):
    """With memory for fewer lanes at a time the runs are the same, to the rounding of float32."""
    one = 16 * (NET.parameters + T * 10)
    monkeypatch.setattr("meanfield.training.train.available_memory", lambda: 5 * one)
    few = train(NET, X, Y, learning_rates=RATES[:2], draws=3, steps=60)
    np.testing.assert_allclose(few.losses, whole.losses[:2], rtol=1e-3)
    monkeypatch.setattr("meanfield.training.train.available_memory", lambda: one)
    with pytest.raises(ValueError, match=r"samples=9 with this network would need .* GB to train"):
        train(NET, X, Y, learning_rates=RATES)


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    monkeypatch.setattr("meanfield.training.train.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'meanfield\[train\]'"):
        train(NET, X, Y, learning_rates=[0.1])


def test_a_loss_that_rises_and_falls_again_has_not_diverged():
    """Above 2/λ_max, where a nonlinear network finds a flatter place."""
    result = train(NET, X, Y, learning_rates=np.geomspace(0.1, 3, 12), draws=5, steps=200)
    survivors = result.rose & ~result.diverged
    assert (result.losses < result.initial_losses)[survivors].any()
    assert (result.losses[survivors] <= DIVERGED * result.initial_losses.max()).all()
    assert min(result.instability.draws) < min(d for d in result.threshold.draws if d)
