"""What both theories say beside their numbers."""

import pytest

from meanfield.spec.activations import ACTIVATIONS
from meanfield.theory.notes import DOUBTFUL_ERROR, on_absent, on_averages

TANH = ACTIVATIONS["tanh"]


@pytest.mark.parametrize("error", [0.0, 1e-12, DOUBTFUL_ERROR, float("nan")])
def test_accurate_averages_are_not_worth_a_word(error):
    assert list(on_averages(TANH, error)) == []


def test_doubtful_averages_are_told_with_their_error():
    (said,) = on_averages(TANH, 0.034)
    assert said.startswith("the averages of tanh are only accurate to about 0.03: a kink")
    (said,) = on_averages(TANH, 1.01 * DOUBTFUL_ERROR, " at 3 of 9 points")
    assert said.startswith("the averages of tanh are only accurate to about 0.0001 at 3 of 9")


def test_what_is_null_stands_in_one_note_with_its_reasons():
    (said,) = on_absent([("kappa1", "no hidden layer"), ("sem", "nothing was sampled")])
    assert said == "null: kappa1 (no hidden layer), sem (nothing was sampled)"
    assert list(on_absent([])) == []
    assert list(on_absent(iter(()))) == []
