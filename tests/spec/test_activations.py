"""The activation record: what it accepts, what it keeps, and whether its flags are true."""

import dataclasses

import custom_activations
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mpf
from problems import SMOOTH

from meanfield.gaussian.averages import derivative
from meanfield.spec.activations import ACTIVATIONS, Activation, importable_name, resolve_activation

pytestmark = pytest.mark.usefixtures("x64")


def test_names_are_the_keys():
    assert {a.name for a in ACTIVATIONS.values()} == set(ACTIVATIONS)
    assert len(ACTIVATIONS) == 12
    assert repr(ACTIVATIONS["tanh"]) == "tanh"


@pytest.mark.parametrize("name", SMOOTH)
def test_functions_are_what_they_are_called(name):
    # jax.nn.gelu has an approximate default, 1e-3 off: a few roundings leave no room for it.
    for u in (-4.0, -0.3, 0.0, 1.7, 6.0):
        assert abs(float(ACTIVATIONS[name](jnp.float64(u))) - SMOOTH[name](mpf(u))[0]) < 1e-14


def test_kinked_functions_are_what_they_are_called():
    u = np.array([-2.0, -1e-9, 0.0, 3.0])
    expected = {
        "relu": np.maximum(u, 0),
        "leaky_relu": np.where(u > 0, u, 0.01 * u),
        "abs": np.abs(u),
        "elu": np.where(u > 0, u, np.expm1(u)),
        "linear": u,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(
            ACTIVATIONS[name](jnp.array(u)), values, rtol=1e-15, err_msg=name
        )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_kinks_are_declared_truly(name):
    # A kink: φ' or φ'' differs on the two sides of zero. Smooth ones change by 1e-9 φ''' there.
    slope = derivative(ACTIVATIONS[name])
    sides = jnp.array([-1e-9, 1e-9])
    jumps = [float(abs(jnp.diff(f(sides))[0])) for f in (slope, derivative(slope))]
    assert (max(jumps) > 0.5) == ACTIVATIONS[name].kink_at_zero
    assert max(jumps) > 0.5 or max(jumps) < 1e-8


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_precision_is_that_of_the_argument(name, dtype):
    assert ACTIVATIONS[name](jnp.ones(3, dtype)).dtype == dtype


def test_precision_survives_a_function_that_raises_it():
    doubling = Activation("doubling", lambda u: u * np.float64(2) * jnp.ones((), jnp.float64))
    assert doubling(jnp.ones(3, jnp.float32)).dtype == jnp.float32


def test_resolving_accepts_names_records_and_functions():
    assert resolve_activation("erf") is ACTIVATIONS["erf"]
    record = Activation("square", jnp.square)
    assert resolve_activation(record) is record
    assert resolve_activation(jnp.tanh).name == "tanh"
    assert resolve_activation(jnp.tanh).closed_form is None  # a user's function: quadrature


def test_user_functions_are_averaged_like_the_built_in_ones():
    mine = resolve_activation(jax.lax.tanh)
    own, built_in = (jax.jit(a.averages)(1.7, 0.2) for a in (mine, ACTIVATIONS["tanh"]))
    assert own == built_in


@pytest.mark.parametrize("wrong", ["RELU", "", None, 3, ["relu"]])
def test_resolving_refuses_what_is_no_activation(wrong):
    with pytest.raises(ValueError, match="activation must be one of linear, relu"):
        resolve_activation(wrong)


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (lambda u: u.sum(), "one real number per element"),
        (lambda u: u[:1], "one real number per element"),
        (lambda u: u > 0, "one real number per element"),
        (lambda u: u * 1j, "one real number per element"),
        (lambda u: u if u[0, 0] > 0 else -u, "cannot be traced"),
        (lambda u: np.tanh(np.asarray(u)), "cannot be traced"),
        (lambda: 1.0, "cannot be traced"),
        (lambda u: "relu", "activation must"),
    ],
)
def test_functions_that_cannot_be_averaged_are_refused_at_once(function, complaint):
    with pytest.raises(ValueError, match=complaint):
        Activation("wrong", function)


def test_records_are_immutable_and_hashable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ACTIVATIONS["relu"].name = "other"
    assert len({*ACTIVATIONS.values(), ACTIVATIONS["relu"]}) == len(ACTIVATIONS)


def test_names_may_lead_into_a_module():
    swish = resolve_activation("custom_activations:swish")
    assert swish.name == "custom_activations:swish"
    assert swish.function is custom_activations.swish
    assert resolve_activation(swish.name) is swish  # one record: what is compiled is shared
    kinked = resolve_activation("custom_activations:KINKED")
    assert (kinked.name, kinked.kink_at_zero) == ("custom_activations:KINKED", True)


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
