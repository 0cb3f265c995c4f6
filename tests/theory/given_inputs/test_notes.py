"""What is said beside the numbers on given inputs, and why others are null."""

import json

import pytest
from given_networks import FEW, X, net

from meanfield import predict


@pytest.mark.parametrize(
    "norm",
    [
        "none",
        "mean@all",
        "layer@hidden",
        "batch@1+mean@last",
        "batch@last",
        "layer@last",
        "rms@all",
    ],
)
def test_errors_and_quantiles_are_told(norm):
    p = predict(net(norm), inputs=X, **FEW)
    assert p.eigenvalue_max_sem > 0  # of the units, if of nothing else
    null = p.notes[-1]
    assert ("batch_statistics (no hidden batch norm)" in null) == (p.batch_statistics is None)
    low, middle, high = p.eigenvalue_max_quantiles.values()
    assert list(p.eigenvalue_max_quantiles) == ["10%", "50%", "90%"]
    assert low < middle < high
    flat = json.loads(json.dumps(p.to_dict(), allow_nan=False))
    assert flat["eigenvalues"] == p.eigenvalues.tolist()
    assert flat["eigenvectors"] is None
    assert flat["network"]["norms"] == list(p.network.norms)


def test_nothing_is_sampled_of_a_single_layer():
    p = predict(net(widths=(6,)), inputs=X)
    assert p.eigenvalue_max_sem is None
    assert "eigenvalue_max_sem (nothing was sampled)" in p.notes[-1]
    assert p.eigenvalue_max_quantiles is None
    assert "eigenvalue_max_quantiles (nothing of it is random)" in p.notes[-1]


def test_means_that_do_not_exist_are_none():
    p = predict(net("layer@last", outputs=3), inputs=X, **FEW)
    for name in ("max", "mean", "second_moment", "max_sem"):
        assert getattr(p, f"eigenvalue_{name}") is None
    assert p.eigenvalues is p.learning_rate_max is p.finite_width_shift is None
    assert "finite_width_shift" in p.notes[-1]
    assert p.eigenvalue_max_quantiles["50%"] > 0  # those exist
    json.dumps(p.to_dict(), allow_nan=False)
