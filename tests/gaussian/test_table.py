"""Tables of averages against the quadrature they come from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.gaussian.quadrature import Quadrature
from meanfield.gaussian.table import DOMAIN, TOLERANCE, measured_error, tabulate
from meanfield.spec.activations import ACTIVATIONS, Activation

pytestmark = pytest.mark.usefixtures("x64")

TANH = ACTIVATIONS["tanh"].quadrature
# Where φ' jumps the slope gap shrinks with the angle, not with the angle's square.
KINKED = Activation("kinked", lambda u: jnp.where(u > 0, 2 * u, jnp.tanh(u)), kink_at_zero=True)


def places(count=64):
    """Other places than those that the table proves itself at; angles down to 1e-14."""
    rng = np.random.default_rng(7)
    q = np.exp(rng.uniform(*np.log(DOMAIN), count))
    return q, np.pi * 10 ** rng.uniform(-14, 0, count)


def quadrature(activation, q, angle):
    rule = jax.jit(lambda q, gap: jax.lax.map(lambda at: activation.quadrature(*at), (q, gap)))
    return rule(q, 2 * q * np.sin(angle / 2) ** 2)


@pytest.mark.parametrize("activation", [ACTIVATIONS["tanh"], KINKED], ids=repr)
def test_tables_are_as_accurate_as_they_say(activation):
    table, exact = tabulate(activation.quadrature), quadrature(activation, *places())
    # 5: another sample of places may find a larger error than the table's own did
    assert measured_error(table, *places(), exact) < 5 * TOLERANCE
    assert 0 < table.error < 1e-4  # quadrature's own estimate included, generous at large q
    perturbed = table._replace(by_both=table.by_both.at[3, 2].add(1e-8))
    assert measured_error(perturbed, *places(), exact) > 5 * TOLERANCE


def test_gaps_vanish_as_they_must():
    # value_gap → g E[φ'²]: the next order is g, 1e-25 here
    averages = tabulate(TANH).averages(1.3, 1e-25)
    assert abs(averages.value_gap / (1e-25 * averages.slope) - 1) < 5 * TOLERANCE
    at_zero = tabulate(TANH).averages(1.3, 0.0)
    assert at_zero.value_gap == at_zero.slope_gap == 0


def test_leaving_the_domain_is_an_infinite_error():
    table = tabulate(TANH)
    for q, inside in ((1e-5, False), (1e-3, True), (49.0, True), (51.0, False), (np.nan, False)):
        assert np.isfinite(table.averages(q, 0.3 * q).error) == inside


def test_what_no_table_fits_has_none():
    assert tabulate(Quadrature(lambda u: jnp.clip(u, -1, 1), False)) is None


def test_a_table_is_built_once():
    assert tabulate(TANH) is tabulate(Quadrature(ACTIVATIONS["tanh"], False))
