"""What is refused as an activation, whatever it raises."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.spec.elementwise import check_elementwise, check_traceable, has_kink


def interrupted(u):
    raise KeyboardInterrupt


def test_functions_of_numpy_are_refused_each_time():
    """JAX ends the process with a segmentation fault when it traces one twice."""
    for _ in "ab":
        for function in (np.tanh, np.sin):
            with pytest.raises(ValueError, match="JAX-traceable elementwise function, got 'it'"):
                check_traceable("it", function)


@pytest.mark.parametrize("function", [sys.exit, lambda u: None, lambda u: (u, u), lambda u: "u"])
def test_so_is_all_that_returns_no_array(function):
    with pytest.raises(ValueError, match=r"activation must be a JAX-traceable .* got 'it'"):
        check_traceable("it", function)


def test_shapes_and_dtypes_are_those_of_the_argument():
    for function in (jnp.sum, jnp.isnan, jnp.transpose):
        with pytest.raises(ValueError, match="one real number per element, got 'it'"):
            check_traceable("it", function)


def test_elements_must_not_mix():
    check_elementwise("it", jnp.tanh)
    for function in (jax.nn.softmax, sys.exit):
        with pytest.raises(ValueError, match="elementwise function, got 'it'"):
            check_elementwise("it", function)


def test_kinks_are_found_by_derivatives():
    assert has_kink("it", jax.nn.relu)
    assert not has_kink("it", jnp.tanh)
    with pytest.raises(ValueError, match="derivatives in JAX's forward mode, got 'it'"):
        has_kink("it", sys.exit)


def test_an_interrupt_stays_one():
    with pytest.raises(KeyboardInterrupt):
        check_traceable("it", interrupted)
