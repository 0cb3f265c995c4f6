"""The table of problems itself: its numbers by hand."""

import pytest
from exact_averages import lattice_pair, leaky_pair
from mpmath import mp, mpf
from problems import ANCHORS, SECTION_10, assert_printed


def kappas(pair, weight_var, bias_var):
    """κ₁ and κ₂ of three equal layers from q̂, its cross part, and Φ (theory.md section 3).

    κ₁ = (1/α) Σ_{l=1}^{3} q̂^{l−1} q̃^l, α = 2, and κ₂ likewise of the cross parts.
    """
    q_hat, q_cross, slopes = [mpf(1)], [mpf(0)], []
    for _ in range(2):
        q, cross = (mpf(weight_var) * x + mpf(bias_var) for x in (q_hat[-1], q_cross[-1]))
        (value, slope), (value_cross, slope_cross) = pair(q, q), pair(q, cross)
        q_hat, q_cross = [*q_hat, value], [*q_cross, value_cross]
        slopes.append((slope, slope_cross))
    found = []
    for which, hats in enumerate((q_hat, q_cross)):
        back = [mpf(1)]
        for slope in reversed(slopes):
            back.insert(0, back[0] * mpf(weight_var) * slope[which])
        found.append(sum(h * b for h, b in zip(hats, back, strict=True)) / 2)
    return found


@pytest.mark.parametrize("name", ANCHORS)
def test_anchors_follow_from_the_recursion_by_hand(name):
    pairs = {
        "tanh": lambda q, cross: lattice_pair("tanh", q, cross),
        "relu": lambda q, cross: leaky_pair(0, q, cross),
        "linear": lambda q, cross: (cross, mpf(1)),
    }
    anchor = ANCHORS[name]
    with mp.workdps(36):
        kappa1, kappa2 = kappas(
            pairs[name], str(anchor.setting["weight_var"]), str(anchor.setting["bias_var"])
        )
    assert_printed(float(kappa1), anchor.kappa1)
    assert_printed(float(kappa2), anchor.kappa2)


def test_rows_are_networks_of_their_sizes():
    for row in SECTION_10:
        assert row.network.depth == len(row.ratios)
        assert len(row.network.norms) == row.network.depth
        assert row.network.outputs == row.outputs


def test_printed_digits_are_held_to_half_a_unit():
    assert_printed(74.7499, "74.7")
    assert_printed(0.0031751, ".00318")
    for value, digits in ((74.7501, "74.7"), (74.649, "74.7"), (0.00317, ".00318"), (1.6, "1.65")):
        with pytest.raises(AssertionError):
            assert_printed(value, digits)
