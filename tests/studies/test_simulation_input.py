"""What a simulation is given: inputs, seeds, methods and memory."""

import math
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from meanfield import Network, predict, simulate
from meanfield.sampling import methods
from meanfield.sampling.measurement import Measurement
from meanfield.studies import simulation

NET = Network(widths=(6, 5), bias_var=0.2)
BATCH = Network(widths=(6, 5), norm="batch@1")
T = 7
INPUTS = np.random.default_rng(0).normal(size=(T, 6))


@pytest.fixture
def networks(monkeypatch):
    """Instead of being measured, sampled networks are collected: (parameters, inputs)."""
    seen = []

    def measure(network, parameters, inputs, key, request):
        seen.append((parameters, inputs))
        return Measurement(np.ones(1), 2.0, 3.0)

    record = replace(methods.METHODS["dual"], measure=measure)
    monkeypatch.setitem(methods.METHODS, "dual", record)
    return seen


def refused(*fragments, network=NET, **options):
    with pytest.raises(ValueError, match=r"\w") as error:
        simulate(network, **options)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_given_inputs_are_used(networks):
    result = simulate(NET, inputs=INPUTS, draws=2, precision="float64")
    for parameters, x in networks:
        np.testing.assert_array_equal(x, INPUTS)
        assert x.dtype == parameters[0].weights.dtype == np.float64
    assert result.samples == T
    assert result.theory.eigenvalue_max == predict(NET, inputs=result.inputs).eigenvalue_max


def test_given_inputs_change_nothing_else(networks):
    simulate(NET, T, inputs=INPUTS, draws=2)
    simulate(NET, T, draws=2)
    given, drawn = networks[:2], networks[2:]
    for (ours, _), (theirs, _) in zip(given, drawn, strict=True):
        np.testing.assert_array_equal(ours[0].weights, theirs[0].weights)
        np.testing.assert_array_equal(ours[1].biases, theirs[1].biases)
    assert not np.array_equal(drawn[0][1], drawn[1][1])  # drawn inputs differ from draw to draw


@pytest.mark.parametrize(
    "inputs",
    [INPUTS.tolist(), INPUTS.astype(np.float16), jnp.asarray(INPUTS, "float32"), INPUTS.T[:, :6].T],
)
def test_inputs_of_other_kinds_are_converted(networks, inputs):
    simulate(NET, inputs=inputs, draws=1)
    np.testing.assert_array_equal(networks[0][1], np.asarray(inputs, np.float32))
    assert networks[0][1].dtype == np.float32


@pytest.mark.parametrize("name", ["samples", "draws"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3"])
def test_counts_must_be_positive_integers(name, value):
    refused(f"{name} must be a positive integer, got {value!r}", **{"samples": T, name: value})


@pytest.mark.parametrize("seed", [-1, 0.5, None, "0", True])
def test_seeds_are_integers_from_zero(seed):
    refused(f"seed must be an integer of at least 0, got {seed!r}", samples=T, seed=seed)


@pytest.mark.parametrize("seed", [2**63, 10**30])
def test_seeds_have_an_upper_end(networks, seed):
    refused(f"seed must be below 2**63, got {seed}", samples=T, seed=seed)
    assert simulate(NET, T, seed=2**63 - 1, draws=1).seed == 2**63 - 1


def test_unknown_words_are_refused():
    refused("method must be one of auto, dual, krylov, got 'lanczos'", samples=T, method="lanczos")
    accepted = "precision must be one of float32, float64"
    refused(f"{accepted}, got 'float16'", samples=T, precision="float16")
    refused(f"{accepted}, got 64", samples=T, precision=64)


@pytest.mark.parametrize("limit", [0, -1, 2.5, "1e9"])
def test_a_memory_limit_is_a_number_of_bytes(limit):
    refused(
        f"memory_limit must be a positive integer, got {limit!r}", samples=T, memory_limit=limit
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "samples is required unless inputs are given, got None"),
        ({"samples": 8, "inputs": INPUTS}, "samples must equal the inputs' 7 rows, got 8"),
        ({"samples": True, "inputs": INPUTS[:1]}, "samples must be a positive integer, got True"),
        ({"inputs": INPUTS[:, :5]}, "inputs must have shape (T, 6), T >= 1, got (7, 5)"),
        ({"inputs": np.full((T, 6), math.nan)}, "inputs must be finite, got NaN or infinity"),
        ({"inputs": INPUTS > 0}, "inputs must be real numbers, got dtype bool"),
        ({"inputs": [[1, 2, 3, 4, 5, 6], [1, 2]]}, "inputs must be a T x M_0 array, got "),
        ({"inputs": INPUTS[:3], "network": BATCH}, "samples must be at least 4 for norm 'batch'"),
        ({"samples": 3, "network": BATCH}, "samples must be at least 4 for norm 'batch', got 3"),
    ],
)
def test_what_no_network_can_be_run_on_is_refused(networks, options, said):
    refused(said, **options)
    assert not networks


def test_inputs_must_be_finite_in_the_precision_asked_for(networks):
    refused("inputs must", "float32", inputs=1e39 * np.ones((T, 6)))
    assert simulate(NET, inputs=1e39 * np.ones((T, 6)), draws=1, precision="float64")


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(simulation, "find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=r"needs matfree: pip install 'meanfield\[krylov\]'"
    ):
        simulate(NET, T, method="krylov")


def test_dual_needs_no_extra(monkeypatch, networks):
    monkeypatch.setattr(simulation, "find_spec", lambda name: None)
    assert simulate(NET, T, method="dual", draws=1).method == "dual"
