"""The norms as two axes, and where they leave nothing."""

import pytest

from meanfield.spec.norms import NORMS, SAMPLES, UNITS, Norm


@pytest.mark.parametrize("centre", [None, UNITS])
def test_a_division_over_samples_without_centring_over_them_is_refused(centre):
    with pytest.raises(ValueError, match="norm 'x' must centre over samples"):
        Norm("x", centre, SAMPLES)


def test_a_new_combination_says_of_itself_what_its_axes_do():
    """Centred over samples, divided over units: all but the listed norms' own."""
    both = Norm("both", SAMPLES, UNITS)
    assert both.mixes_samples
    assert both.mixes_both
    assert both.random_outputs
    assert (both.lost_directions, both.min_samples, both.few_samples) == (0, 2, 1)
    assert both.width_flaw(1) == NORMS["rms"].width_flaw(1)
    assert both.width_flaw(2) is None
    assert not any(norm.mixes_both for norm in NORMS.values())


def test_flaws_are_told_where_nothing_is_left():
    too_few = {"layer-mean": 1, "layer": 2, "rms": 1}
    for name, norm in NORMS.items():
        most = too_few.get(name, 0)
        assert [bool(norm.width_flaw(units)) for units in (1, 2, 3)] == [
            units <= most for units in (1, 2, 3)
        ], name


def test_divergences_are_told_where_a_mean_over_networks_is_infinite():
    # n free dimensions: E[1/|û|²] needs n > 2, E[1/|û|⁴] n > 4 (theory.md section 6).
    for name, lost in (("layer", 1), ("rms", 0)):
        for free in range(2, 7):
            said = NORMS[name].divergence(free + lost)
            assert (said is None) == (free >= 5), (name, free)
            assert free > 2 or "every" in said
    assert all(NORMS[name].divergence(1) is None for name in ("none", "mean", "batch"))
