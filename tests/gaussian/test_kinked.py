"""Averages in sectors against arc-cosine kernels, at equal and unequal variances."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_averages import leaky_pair
from mpmath import mpf

from meanfield.gaussian.averages import derivative
from meanfield.gaussian.kinked import (
    COUNTS,
    drop_in_sectors,
    fewest_nodes,
    jumps_at_zero,
    line_nodes,
    sectors,
)

pytestmark = pytest.mark.usefixtures("x64")


def relu(u):
    return jnp.maximum(u, 0)


def test_averages_are_arc_cosine_kernels():
    rule = jax.jit(lambda q, gap: sectors(relu, q, gap))
    for q in (1e-3, 0.7, 50.0):
        for ratio in (0.05, 1.0, 1.6):
            found = rule(q, q * ratio)
            value, slope = leaky_pair(0, mpf(q), q * (1 - mpf(ratio)))
            exact = [q / 2, q / 2 - float(value), 0.5, 0.5 - float(slope)]
            np.testing.assert_allclose(found[:4], exact, rtol=1e-12)
            assert found.error < 1e-12


def test_drops_between_unequal_variances_are_those_of_homogeneous_functions():
    drop = jax.jit(lambda *place: drop_in_sectors(relu, *place))
    # E[φ(√q_s z) φ(√q_t z')] = √(q_s q_t) E[φ(z) φ(z')]
    for q_s, q_t, excess in ((0.3, 2.0, 0.4), (2.0, 0.3, 0.4), (1.0, 1.5, 1e-9), (1.0, 9.0, 2.0)):
        for rule in range(len(COUNTS)):
            found = drop(rule, q_s, q_t, excess)
            value, slope = leaky_pair(0, mpf(1), 1 - mpf(excess))
            exact = [np.sqrt(q_s * q_t) * float(mpf(1) / 2 - value), float(mpf(1) / 2 - slope)]
            np.testing.assert_allclose(found, exact, rtol=1e-12 if excess > 1e-3 else 1e-7)


def test_few_nodes_suffice_only_where_nothing_changes_fast():
    # A step of width 0.1 is not resolved by the coarse rule at a standard deviation of 5.
    count = jax.jit(fewest_nodes, static_argnums=0)
    assert count(relu, 50.0) == len(COUNTS) - 1
    assert count(lambda u: relu(u) + jnp.tanh(10 * u), 25.0) == 0


def test_line_nodes_integrate_what_jumps_at_zero():
    z, weight = line_nodes()
    assert weight @ (z > 0) == pytest.approx(0.5, abs=1e-14)
    assert weight @ np.maximum(z, 0) == pytest.approx(1 / np.sqrt(2 * np.pi), rel=1e-14)
    assert weight @ np.asarray(derivative(relu)(jnp.asarray(z))) == pytest.approx(0.5, abs=1e-14)


def leaks(strength):
    return lambda u: jnp.where(u > 0, u, (1 - strength) * u)


@pytest.mark.parametrize(
    ("function", "jumps"),
    [
        (jnp.sign, (True, False, False)),
        (relu, (False, True, False)),
        (lambda u: 1e3 + relu(u), (False, True, False)),
        (leaks(1e-6), (False, True, False)),
        (jax.nn.selu, (False, True, True)),
        (jax.nn.celu, (False, False, True)),
        (lambda u: u * jnp.abs(u), (False, False, True)),
        (lambda u: u * jnp.sqrt(jnp.abs(u)), (False, False, True)),  # φ'' ~ |u|^{−1/2}
        (leaks(0), (False, False, False)),
        (jnp.cos, (False, False, False)),
        (lambda u: jnp.tanh(1e3 * u), (False, False, False)),
        (lambda u: jnp.expm1(u) / u, (False, False, False)),  # φ'' is rounding alone
        (lambda u: jnp.tanh(u.astype(jnp.float32)), (False, False, False)),
        (lambda u: jnp.clip(u, -1, 1), (False, False, False)),  # not at zero
    ],
)
def test_jumps_at_zero_are_told_from_what_only_changes_fast(function, jumps):
    assert jumps_at_zero(function) == jumps
