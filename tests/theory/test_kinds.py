"""What kind of number a predicted λ_max is, and what its quantiles are called."""

import json

import pytest

from meanfield.numerics.records import plain
from meanfield.theory.kinds import QUANTILES, Kind, by_quantile


def test_kinds_are_the_words_that_json_shows():
    words = ["outlier", "bulk-edge", "lower-bound"]
    assert json.loads(json.dumps(list(Kind))) == words == [str(kind) for kind in Kind]
    assert [type(plain(kind)) for kind in Kind] == [str] * 3
    assert [Kind(word) for word in words] == list(Kind)  # as a dataset gives them back


@pytest.mark.parametrize(("kind", "bound"), [("outlier", 0), ("bulk-edge", 0), ("lower-bound", 1)])
def test_only_a_lower_bound_is_written_with_its_sign(kind, bound):
    assert Kind(kind).is_bound is bool(bound)
    assert f"{Kind(kind).sign}7" == ("≥ 7" if bound else "7")


def test_values_at_the_quantiles_go_by_their_names():
    assert by_quantile(p * 10 for p in QUANTILES) == {"10%": 1, "50%": 5, "90%": 9}
    for values in ([1, 2], [1, 2, 3, 4]):
        with pytest.raises(ValueError, match=r"zip\(\)"):
            by_quantile(values)
