"""Samples that follow from the width."""

import pytest

from meanfield.sweeps.rule import resolve_samples


@pytest.mark.parametrize(
    ("samples", "T"), [(7, 7), ("width", 10), ("2*width", 20), ("width/4", 2), ("1.5 * width/3", 5)]
)
def test_rules(samples, T):
    assert resolve_samples(samples, 10) == T


@pytest.mark.parametrize(
    "rule", ["width/0", "width/0.", f"{'9' * 400}*width", "0*width/0", "depth", "", "9" * 400]
)
def test_what_gives_no_number_is_refused(rule):
    with pytest.raises(ValueError, match=r"samples must be a .*rule") as error:
        resolve_samples(rule, 10)
    assert len(str(error.value)) < 400
