"""What activations are called: names, other functions that are the same, modules' own, pickles."""

import copy
import os
import pickle
import subprocess
import sys
from functools import partial

import custom_activations
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.spec.activations import (
    ACTIVATIONS,
    Activation,
    importable_name,
    named_activation,
    resolve_activation,
)
from meanfield.spec.network import Network
from meanfield.theory.predict import predict

pytestmark = pytest.mark.usefixtures("x64")


NICKNAMES = {
    "linear": [jax.nn.identity],
    "relu": [jax.nn.relu, partial(jax.nn.relu)],
    "leaky_relu": [jax.nn.leaky_relu, partial(jax.nn.leaky_relu, negative_slope=0.01)],
    "abs": [jnp.abs, jnp.absolute, jnp.fabs, jax.lax.abs],
    "erf": [jax.scipy.special.erf, jax.lax.erf],
    "sin": [jnp.sin, jax.lax.sin],
    "tanh": [jnp.tanh, jax.nn.tanh, jax.lax.tanh],
    "sigmoid": [jax.nn.sigmoid, jax.lax.logistic, jax.scipy.special.expit],
    "softplus": [jax.nn.softplus],
    "gelu": [partial(jax.nn.gelu, approximate=False)],
    "silu": [jax.nn.silu, jax.nn.swish],
    "elu": [jax.nn.elu, partial(jax.nn.elu, alpha=1.0)],
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_functions_of_named_activations_are_those(name):
    named = ACTIVATIONS[name]
    for function in (named.function, *NICKNAMES[name]):
        assert resolve_activation(function) is named
        assert importable_name(function) == name
        u = jnp.array([-1.3, 0.0, 0.4])
        np.testing.assert_allclose(named(u), function(u), rtol=1e-15)


def test_what_only_resembles_a_named_activation_is_a_function_of_its_own():
    for function in (
        jax.nn.gelu,  # by default the approximation by tanh
        partial(jax.nn.gelu, approximate=True),
        partial(jax.nn.elu, alpha=0.5),
        partial(jax.nn.leaky_relu, negative_slope=0.2),
        lambda u: jnp.maximum(u, 0),
    ):
        record = resolve_activation(function)
        assert record.function is function
        assert record.closed_form is None
        assert resolve_activation(function) is record  # what is compiled for it is shared


def test_names_may_lead_into_a_module():
    swish = resolve_activation("custom_activations:swish")
    assert swish.name == "custom_activations:swish"
    assert swish.function is custom_activations.swish
    assert resolve_activation(swish.name) is swish  # one record: what is compiled is shared
    kinked = resolve_activation("custom_activations:KINKED")
    assert (kinked.name, kinked.kink_at_zero) == ("custom_activations:KINKED", True)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "custom_activations:swish", "jax.nn:relu"])
def test_pickled_activations_are_the_same_objects(name):
    activation = resolve_activation(name)
    network = Network(depth=3, width=5, activation=name, norm="batch@last", bias_var=0.1)
    for again in (lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy):
        assert again(activation) is activation
        assert again(network) == network
        assert again(network).activation is activation


def test_pickled_records_without_a_name_are_equal_if_their_function_has_one():
    mine = Activation("mine", custom_activations.swish)
    again = pickle.loads(pickle.dumps(mine))
    assert again == mine == copy.deepcopy(mine)
    for nameless in (Activation("tanh", lambda u: jnp.tanh(u)), Activation("a:b", lambda u: u)):
        assert copy.copy(nameless) == nameless  # and not what is called by its name
        with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
            pickle.dumps(nameless)


def test_activations_of_modules_are_pickled_into_other_processes():
    data = pickle.dumps(resolve_activation("custom_activations:KINKED"))
    code = f"import pickle; a = pickle.loads({data!r}); print(a, a.kink_at_zero)"
    path = os.pathsep.join([os.path.dirname(custom_activations.__file__), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert ran.stdout.split() == ["custom_activations:KINKED", "True"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("no_such_module:swish", "cannot be imported: No module named"),
        ("custom_activations:swosh", "cannot be imported: .*no attribute 'swosh'"),
        (":swish", "cannot be imported"),
        ("custom_activations:NUMBER", "activation must be one of"),
    ],
)
def test_paths_that_lead_nowhere_are_refused(path, said):
    with pytest.raises(ValueError, match=said):
        resolve_activation(path)


def test_only_what_other_processes_can_import_has_a_name():
    assert importable_name(ACTIVATIONS["tanh"]) == "tanh"
    assert importable_name(custom_activations.swish) == "custom_activations:swish"
    for nameless in (lambda u: u, custom_activations.KINKED):
        with pytest.raises(ValueError, match="so that other processes can import it"):
            importable_name(nameless)


def test_what_a_file_names_is_a_name_until_somebody_resolves_it():
    path = "custom_activations:wave"
    stranger = named_activation(path)
    assert (stranger.name, importable_name(stranger)) == (path, path)
    assert copy.deepcopy(stranger) == stranger
    for use in (lambda: stranger(jnp.ones(3)), lambda: predict(net(stranger), 5)):
        with pytest.raises(ValueError, match="named by a file"):
            use()
    wave = resolve_activation(path)
    assert named_activation(path) is wave
    with pytest.raises(ValueError, match="activation must be one of"):
        named_activation("tahn")


def net(activation):
    return Network(depth=2, width=5, activation=activation)
