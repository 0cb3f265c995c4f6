"""Random networks on white noise: a prediction that can be true, or a ValueError that says why."""

import json
from dataclasses import fields

import pytest
from fuzzing import count, some, tries
from hypothesis import given
from hypothesis import strategies as st
from random_networks import kinds, specs

from meanfield.spec.network import Network
from meanfield.theory.kinds import Kind
from meanfield.theory.predict import predict

ROUNDING, TINY = 1e-9, 1e-307
LONGEST = 600  # characters of a message


def assert_possible(p):
    """What holds of every spectrum, and of a prediction's numbers among each other."""
    as_dict = p.to_dict()
    assert json.loads(json.dumps(as_dict, allow_nan=False)) == as_dict
    rank = min(p.parameters, p.network.outputs * p.samples)
    m, s, largest = p.eigenvalue_mean, p.eigenvalue_second_moment, p.eigenvalue_max
    if m is not None:
        assert m >= 0
        assert s is None or s >= m**2 * (1 - ROUNDING)
        assert largest is None or largest >= p.parameters / rank * m * (1 - ROUNDING)
    if largest:
        assert largest > 0
        assert p.learning_rate_max == 2 / largest
    assert p.eigenvalue_max_multiplicity >= 1
    quantiles = p.eigenvalue_max_quantiles
    if quantiles is not None:
        assert 0 <= quantiles["10%"] <= quantiles["50%"] <= quantiles["90%"]
        assert not p.eigenvalue_max_kind.is_bound
    _assert_bulk(p)
    _assert_layers(p)
    _assert_absent(p)
    assert str(p.network.activation) in repr(p)


def _assert_bulk(p):
    if p.bulk is None:
        beyond = "bulk (what it follows from leaves the range" in p.notes[-1]
        assert beyond or p.network.norms[-1] in ("layer", "rms")
        assert beyond or p.eigenvalue_max_kind != Kind.BULK_EDGE
        return
    slack = ROUNDING * p.bulk.edge
    assert 0 <= p.bulk.lower <= p.bulk.mean + slack
    assert p.bulk.mean <= p.bulk.edge + slack
    assert p.bulk.variance >= 0
    assert p.bulk.scale >= 0


def _assert_layers(p):
    assert [layer.layer for layer in p.order_parameters] == list(range(1, p.network.depth + 1))
    for layer in p.order_parameters:
        assert layer.q >= 0
        slack = ROUNDING * layer.q + TINY
        assert -slack <= layer.gap <= 2 * layer.q + slack


def _assert_absent(p):
    """Every number that is not there has its reason."""
    absent = [f.name for f in fields(p) if getattr(p, f.name) is None]
    null = p.notes[-1]
    assert null.startswith("null: ")
    assert [name for name in absent if name not in null] == []
    assert "None" not in null


@pytest.mark.parametrize("kind", kinds(some(2, 64)), ids=str)
@tries(8, 170)
@given(st.data())
def test_any_network_has_a_possible_prediction_or_is_refused(kind, data):
    spec = data.draw(specs(kind))
    count("specs")
    found = predicted(spec)
    if isinstance(found, str):
        count("specs", "refused")
        assert not spec.usual
        assert len(found) <= LONGEST
        assert "\n" not in found
    else:
        assert_possible(found)


def predicted(spec):
    """The prediction, or the message of the refusal."""
    try:
        return predict(Network(**spec.network), spec.samples, output_draws=spec.output_draws)
    except ValueError as error:
        return str(error)
