"""The entry to both theories: which one is asked, and what neither takes."""

import subprocess
import sys

import numpy as np
import pytest

import meanfield as mf
from meanfield.theory.given_inputs.result import GivenPrediction
from meanfield.theory.white_noise.result import Prediction

NET = mf.Network(depth=1, width=6, outputs=2, bias_var=0.2)
X = np.random.default_rng(0).normal(size=(7, 6))


def test_inputs_decide_which_theory_is_asked():
    assert type(mf.predict(NET, 7)) is Prediction
    for inputs in (X, X.tolist(), mf.load_data(X)):
        given = mf.predict(NET, inputs=inputs)
        assert type(given) is GivenPrediction
        assert given.samples == 7
    assert mf.predict(NET, 7, inputs=X).to_dict() == mf.predict(NET, inputs=X).to_dict()


def test_samples_or_inputs_are_required():
    with pytest.raises(ValueError, match="samples is required unless inputs are given, got None"):
        mf.predict(NET)


@pytest.mark.parametrize("option", ["fields", "eigenvectors", "batch_statistics"])
def test_what_only_given_inputs_have_must_come_with_them(option):
    with pytest.raises(ValueError, match=f"^{option} must come with inputs, got none"):
        mf.predict(NET, 100, **{option: 3})


def test_all_of_it_is_named_at_once():
    with pytest.raises(ValueError, match=r"^fields, eigenvectors must come with inputs"):
        mf.predict(NET, 100, eigenvectors=1, fields=3)


@pytest.mark.parametrize("given", [{"samples": 100}, {"inputs": X}])
def test_a_misspelt_argument_is_named(given):
    with pytest.raises(TypeError, match="fileds"):
        mf.predict(NET, fileds=3, **given)


def test_importing_and_predicting_change_no_global_setting():
    # In a process of its own: this one has settings of its own.
    code = """
import jax
before = dict(jax.config.values)
import meanfield
network = meanfield.Network(depth=3, width=10)
meanfield.predict(network, 10)
meanfield.spectrum, meanfield.simulate, meanfield.validate, meanfield.ACTIVATIONS
assert dict(jax.config.values) == before
assert jax.numpy.ones(1).dtype == "float32"
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
