"""Networks drawn until there are enough of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from meanfield.spec.network import Network
from meanfield.studies.validation import measured
from meanfield.studies.validation.cases import Effort
from meanfield.studies.validation.measured import FIRST_DRAWS, Subject, draw_statistics

NET = Network(widths=(6, 5))
X = np.ones((7, 6))
EFFORT = Effort(width=5, sem=0.1, max_draws=100, output_draws=0)


@pytest.fixture
def runs(monkeypatch):
    """The simulations asked for, in place of them: their draws are numbered through."""
    asked = []

    def simulate(network, samples, *, draws, seed, inputs):
        done = sum(run["draws"] for run in asked)
        asked.append({"draws": draws, "seed": seed, "inputs": inputs})
        numbers = np.arange(done, done + draws)
        largest = SimpleNamespace(draws=tuple(numbers))
        means = SimpleNamespace(draws=tuple(10.0 * numbers))
        return SimpleNamespace(eigenvalue_max=largest, eigenvalue_mean=means)

    monkeypatch.setattr(measured, "simulate", simulate)
    return asked


def test_draws_double_until_they_are_enough(runs):
    largest, means = draw_statistics(Subject(NET, 7, X), 3, EFFORT, lambda v: len(v) >= 40)
    assert [run["draws"] for run in runs] == [12, 12, 24]
    assert [run["seed"] for run in runs] == [3, 4, 5]  # no draw comes twice
    assert all(run["inputs"] is X for run in runs)
    np.testing.assert_array_equal(largest, np.arange(48))
    np.testing.assert_array_equal(means, 10 * np.arange(48))


def test_the_first_draws_may_be_enough(runs):
    draw_statistics(Subject(NET, 7), 0, EFFORT, lambda _: True)
    assert [run["draws"] for run in runs] == [FIRST_DRAWS]
    assert runs[0]["inputs"] is None


@pytest.mark.parametrize(("most", "drawn"), [(100, 96), (96, 96), (95, 48), (1, 12)])
def test_draws_end_with_the_effort(runs, most, drawn):
    effort = EFFORT._replace(max_draws=most)
    largest, _ = draw_statistics(Subject(NET, 7), 0, effort, lambda _: False)
    assert len(largest) == drawn
