"""Training against closed forms, an explicit gradient, and itself."""

import dataclasses
import json
import sys

import jax
import numpy as np
import pytest

from meanfield import Network, teacher, train

T = 9
NET = Network(widths=(4, 5), activation="relu", bias_var=0.2)
X, Y = teacher(NET, T)
FIELDS = ("losses", "diverged", "rose", "steps_taken", "initial_losses")


def same(a, b, where=np.s_[:]):
    for name in FIELDS[:-1]:
        np.testing.assert_array_equal(getattr(a, name)[where], getattr(b, name))


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
