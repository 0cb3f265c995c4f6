"""Records like those that the package returns, in miniature."""

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.numerics.estimates import Estimate, Statistic
from meanfield.numerics.records import Record, plain


class Kind(StrEnum):
    BOUND = "lower-bound"


@dataclass(frozen=True)
class Function:
    """A record that can be called and goes by its name, as activations do."""

    name: str
    function: Callable

    def __repr__(self):
        return self.name

    def __call__(self, u):
        return self.function(u)


@dataclass(frozen=True)
class Spec(Record, add=("depth",)):
    widths: tuple[int, ...]
    activation: Function
    norms: tuple[str, ...]

    @property
    def depth(self):
        return len(self.widths)


SPEC = Spec((4, 5), Function("relu", lambda u: u), ("none", "batch"))
PLAIN_SPEC = {"widths": [4, 5], "activation": "relu", "norms": ["none", "batch"], "depth": 2}


class Layer(NamedTuple):
    q: float
    q_hat: float | None


@dataclass(frozen=True)
class Foretold(Record):
    """As a prediction is: a spec, a kind, quantiles by name, a record per layer."""

    network: Spec
    kind: Kind
    quantiles: dict[str, Estimate] | None
    layers: tuple[Layer, ...]
    notes: tuple[str, ...]


FORETOLD = Foretold(SPEC, Kind.BOUND, {"50%": Estimate(2.0, 0.5)}, (Layer(1.0, None),), ("a",))
PLAIN_FORETOLD = {
    "network": PLAIN_SPEC,
    "kind": "lower-bound",
    "quantiles": {"50%": {"value": 2.0, "sem": 0.5}},
    "layers": [{"q": 1.0, "q_hat": None}],
    "notes": ["a"],
}


@dataclass(frozen=True, eq=False)
class Measured(Record, add=("theory",), omit=("network", "inputs")):
    """As a simulation is: spectra as arrays, statistics, and what is not printed."""

    largest: Statistic
    second: Statistic | None
    eigenvalues: tuple[np.ndarray, ...] | None
    network: Spec
    inputs: np.ndarray | None

    @cached_property
    def theory(self):
        return FORETOLD


@dataclass(frozen=True)
class Trained(Record):
    losses: np.ndarray
    diverged: np.ndarray
    loss: tuple[Statistic | None, ...]


@dataclass(frozen=True)
class Check(Record, add=("deviation",)):
    measured: float

    @property
    def deviation(self):
        return self.measured - 1


@dataclass(frozen=True)
class Report(Record, add=("passed",)):
    checks: tuple[Check, ...]
    index: Path
    failures: dict[str, str]

    @property
    def passed(self):
        return not self.failures


@dataclass(frozen=True)
class LongReport(Report, add=("length",)):
    @property
    def length(self):
        return len(self.checks)


class Arguments:
    """What has a `to_dict` of its own, as a grid."""

    def to_dict(self):
        return {"width": [1, 2]}


STATISTIC = Statistic(1.5, None, (1.5,))
PLAIN_STATISTIC = {"mean": 1.5, "sem": None, "draws": [1.5]}
RECORDS = {
    "a spec": (SPEC, PLAIN_SPEC),
    "a prediction": (FORETOLD, PLAIN_FORETOLD),
    "a simulation": (
        Measured(STATISTIC, None, (np.array([2.0, 1.0]),), SPEC, np.ones((2, 3))),
        {
            "largest": PLAIN_STATISTIC,
            "second": None,
            "eigenvalues": [[2.0, 1.0]],
            "theory": PLAIN_FORETOLD,
        },
    ),
    "a training": (
        Trained(np.array([[1, np.nan]], np.float32), np.array([[False, True]]), (STATISTIC, None)),
        {"losses": [[1.0, None]], "diverged": [[False, True]], "loss": [PLAIN_STATISTIC, None]},
    ),
    "a report": (
        Report((Check(3.0),), Path("figures/index.html"), {"a": "no luck"}),
        {
            "checks": [{"measured": 3.0, "deviation": 2.0}],
            "index": "figures/index.html",
            "failures": {"a": "no luck"},
            "passed": False,
        },
    ),
    "a record of a record's class": (
        LongReport((), Path("x"), {}),
        {"checks": [], "index": "x", "failures": {}, "passed": True, "length": 0},
    ),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_records_are_printed_field_by_field(kind):
    record, expected = RECORDS[kind]
    assert record.to_dict() == plain(record) == expected
    assert list(record.to_dict()) == list(expected)
    assert json.loads(json.dumps(record.to_dict(), allow_nan=False)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.5), 0.5),
        (np.float32(np.nan), None),
        (float("nan"), None),
        (np.int64(3), 3),
        (np.True_, True),
        (np.str_("relu"), "relu"),
        (jnp.arange(2), [0, 1]),
        (np.array(2.0), 2.0),
        (np.array([[np.nan, 1.0]]), [[None, 1.0]]),
        (Kind.BOUND, "lower-bound"),
        ({Kind.BOUND: (1, {"x": None})}, {"lower-bound": [1, {"x": None}]}),
        (Arguments(), {"width": [1, 2]}),
        ("text", "text"),
    ],
)
def test_values_lose_the_types_that_json_does_not_know(value, expected):
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(json.dumps({"it": found}))["it"] == expected


def test_infinity_stays_what_it_is():
    """Nothing that is printed may be infinite: it is not hidden as if it were absent."""
    assert plain(np.array([np.inf])) == [np.inf]


def test_what_no_record_holds_is_refused():
    with pytest.raises(TypeError, match="a record must hold numbers, text and records, got object"):
        plain({"x": object()})


def test_records_can_be_sent_to_another_process():
    record = Report((Check(3.0),), Path("x"), {})
    assert pickle.loads(pickle.dumps(record)) == record
