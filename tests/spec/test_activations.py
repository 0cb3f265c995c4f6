"""The activation record: what it accepts, what it keeps, and whether its flags are true."""

import dataclasses
import subprocess
import sys

import custom_activations
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_averages import SMOOTH
from mpmath import mpf

from meanfield.gaussian.averages import derivative
from meanfield.spec.activations import ACTIVATIONS, Activation, resolve_activation

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
    assert resolve_activation(custom_activations.swish).name == "swish"
    assert resolve_activation(custom_activations.swish).closed_form is None  # quadrature


def test_user_functions_are_averaged_like_the_built_in_ones():
    mine = resolve_activation(lambda u: jnp.tanh(u))
    own, built_in = (jax.jit(a.averages)(1.7, 0.2) for a in (mine, ACTIVATIONS["tanh"]))
    assert own == built_in


def test_a_kink_at_zero_is_found_and_averaged_sector_by_sector():
    mine, relu = resolve_activation(lambda u: jnp.maximum(u, 0)), ACTIVATIONS["relu"]
    assert mine.kink_at_zero
    compiled = [jax.jit(a.averages) for a in (mine, relu)]
    for q in (1e-3, 1.7, 50.0):
        for ratio in (1e-9, 0.1, 1.0, 1.9):
            own, exact = (averages(q, q * ratio) for averages in compiled)
            np.testing.assert_allclose(own[:4], exact[:4], rtol=1e-10)
            assert own.error < 1e-10
    assert Activation("record", lambda u: jnp.where(u > 0, u, jnp.sin(u) / 2)).kink_at_zero
    assert not Activation("smooth", lambda u: u * jnp.tanh(u)).kink_at_zero
    assert not Activation("told", lambda u: jnp.maximum(u, 0), kink_at_zero=False).kink_at_zero


def test_a_kink_elsewhere_shows_in_the_error_alone():
    for function in (lambda u: jnp.clip(u, -1, 1), jax.nn.relu6):
        averages = jax.jit(resolve_activation(function).averages)(9.0, 9.0)
        assert averages.error > 1e-4


@pytest.mark.parametrize("wrong", ["RELU", "", None, 3, ["relu"]])
def test_resolving_refuses_what_is_no_activation(wrong):
    with pytest.raises(ValueError, match="activation must be one of linear, relu"):
        resolve_activation(wrong)


@jax.custom_vjp
def reversible(u):
    """A function with a derivative in reverse mode alone."""
    return u


reversible.defvjp(lambda u: (u, None), lambda _, g: (g,))


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (lambda u: u.sum(), "one real number per element"),
        (lambda u: u[:1], "one real number per element"),
        (lambda u: u > 0, "one real number per element"),
        (lambda u: u * 1j, "one real number per element"),
        (lambda u: u if u[0, 0] > 0 else -u, "cannot be traced"),
        (lambda u: np.tanh(np.asarray(u)), "cannot be traced"),
        (np.tanh, "cannot be traced"),
        (reversible, "derivatives in JAX's forward mode"),
        (lambda: 1.0, "cannot be traced"),
        (lambda u: "relu", "activation must"),
    ],
)
def test_functions_that_cannot_be_averaged_are_refused_at_once(function, complaint):
    with pytest.raises(ValueError, match=complaint):
        Activation("wrong", function)


def test_numpy_functions_are_refused_twice_in_a_process():
    # JAX's own cache of traces ends the process on the second try.
    code = """
import numpy as np
import meanfield as mf
for _ in range(3):
    try:
        mf.Network(depth=2, width=5, activation=np.tanh)
    except ValueError as error:
        print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = ran.stdout.splitlines()
    assert len(lines) == 3
    assert all("JAX-traceable elementwise function, got 'tanh'" in line for line in lines)


def test_functions_that_mix_elements_or_have_no_hash_are_refused():
    with pytest.raises(ValueError, match="depend on other elements"):
        resolve_activation(lambda u: jax.nn.softmax(u))

    class Unhashable(list):
        def __call__(self, u):
            return u

    with pytest.raises(ValueError, match="must be hashable"):
        resolve_activation(Unhashable())


def test_records_are_immutable_and_hashable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ACTIVATIONS["relu"].name = "other"
    assert len({*ACTIVATIONS.values(), ACTIVATIONS["relu"]}) == len(ACTIVATIONS)
