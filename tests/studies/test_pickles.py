"""Every result goes to another process and comes back."""

import pickle

import numpy as np
import pytest

from meanfield import Network, compare, predict, simulate
from meanfield.numerics.estimates import Estimate
from meanfield.studies.validation.cases import Case
from meanfield.studies.validation.report import ALLOWANCE, SEMS, Report, check

T = 7
X = np.random.default_rng(0).normal(size=(T, 6))


# One layer, quick to compile: the activation is carried along and not averaged.
NET = Network(depth=1, width=6, activation="tanh", bias_var=0.2)
RESULTS = {
    "prediction": lambda net: predict(net, T),
    "given prediction": lambda net: predict(net, inputs=X, eigenvectors=2),
    "simulation": lambda net: simulate(net, inputs=X, draws=2, spectrum=True),
    "comparison": lambda net: compare(net, T, placements=["mean@last"], draws=2),
}


def assert_same(result):
    again = pickle.loads(pickle.dumps(result))
    assert type(again) is type(result)
    assert again.to_dict() == result.to_dict()
    return again


@pytest.mark.parametrize("kind", RESULTS)
def test_results_come_back_equal(kind):
    again = assert_same(RESULTS[kind](NET))
    assert again.network == NET  # so that what is compiled for it is shared


def test_a_report_comes_back_equal():
    held = check(Case("none", "tanh", 1), "m_λ", Estimate(1.0, 0.1), Estimate(1.1, 0.1), 400)
    report = Report((held, held), 400, ALLOWANCE, SEMS, 1.5)
    assert assert_same(report) == report
