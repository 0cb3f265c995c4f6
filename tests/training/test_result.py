"""What a training says, from what happened to its runs."""

import pickle

import numpy as np
import pytest

from meanfield import Network, teacher, train
from meanfield.training.result import explain_training, surviving, threshold


@pytest.mark.parametrize(
    ("columns", "draws", "mean"),
    [
        (["0011", "0001"], (2.0 * 2**0.5, 4.0 * 2**0.5), 3.0 * 2**0.5),
        (["0101"], (2.0**0.5,), 2.0**0.5),  # from the first that diverged, whatever follows
        (["0011", "0000"], (2.0 * 2**0.5, None), None),
        (["1111", "0111"], (None, 2.0**0.5), None),
    ],
)
def test_thresholds_lie_within_their_brackets(columns, draws, mean):
    happened = np.array([[c == "1" for c in column] for column in columns]).T
    found = threshold((1.0, 2.0, 4.0, 8.0), happened)
    assert found.draws == pytest.approx(draws)
    assert found.mean == (None if mean is None else pytest.approx(mean))
    assert (found.sem is None) == (mean is None or len(draws) == 1)
    assert found.resolution == pytest.approx(2**0.5)


def test_means_are_over_what_survived():
    first, second = surviving(np.array([[1.0, np.nan, 3.0], [np.nan] * 3]))
    assert (first.mean, first.sem, first.draws) == (2.0, 1.0, (1.0, 3.0))
    assert second is None


def test_notes_say_why_numbers_are_missing():
    never, always = np.zeros((2, 2), bool), np.ones((2, 2), bool)
    said = list(explain_training(never, always))
    assert said == [
        "null: threshold's mean (of 2 draws 2 had it at no learning rate, 0 at the smallest "
        "already), instability's mean (of 2 draws 0 had it at no learning rate, 2 at the smallest "
        "already)"
    ]
    happened = np.array([[False], [True]])
    assert list(explain_training(happened, happened)) == [
        "1 of 2 runs diverged; means are over the others",
        "null: sem (a single draw)",
    ]


def test_results_can_be_sent_to_another_process():
    """All but the network, whose activation is a function."""
    network = Network(depth=1, width=4)
    result = train(network, *teacher(network, 9), learning_rates=[0.1, 50.0], draws=2, steps=3)
    fields = {**vars(result), "network": None}
    np.testing.assert_equal(pickle.loads(pickle.dumps(fields)), fields)
