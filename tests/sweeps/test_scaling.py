"""Exponents and limits, on datasets whose answers are known."""

import json

import numpy as np
import pytest
import xarray

from meanfield.sweeps.scaling import scaling

WIDTHS = np.array([50, 100, 200, 400, 800])
DRAWS = 400


def dataset(values, noise=0.02, samples="width", kind="bulk-edge", seed=0):
    """A sweep over widths whose draws scatter around `values` by a factor 1 ± noise."""
    rng = np.random.default_rng(seed)
    measured = values[:, None] * (1 + noise * rng.standard_normal((len(values), DRAWS)))
    names = ("eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment")
    return xarray.Dataset(
        {
            **dict.fromkeys(names, (("width", "draw"), measured)),
            **{f"theory_{name}": ("width", 2.0 * WIDTHS) for name in names},
            "theory_bulk_edge": ("width", 5.0 + 1e-3 * WIDTHS),
            "theory_eigenvalue_max_kind": ("width", [kind] * len(values)),
            "status": (("width", "draw"), np.ones_like(measured)),
        },
        coords={"width": WIDTHS},
        attrs={"grid": json.dumps({"width": WIDTHS.tolist(), "samples": samples})},
    )


def test_power_laws_are_found_within_their_error():
    found = scaling(dataset(3 * WIDTHS**0.7))
    assert abs(found.exponent - 0.7) <= 3 * found.exponent_sem
    # By hand: errors of the logarithms are noise/√draws, log M is spread by log 2 √2.
    sem = 0.02 / DRAWS**0.5 / (np.log(2) * np.sqrt(2) * np.sqrt(5))
    assert found.exponent_sem >= 0.9 * sem
    assert found.exponent_low < found.exponent - found.exponent_sem
    assert found.theory_exponent == pytest.approx(1.0)
    assert found.points == 5


def test_intervals_hold_the_truth_as_often_as_they_say():
    found = [scaling(dataset(WIDTHS**0.5, seed=seed)) for seed in range(200)]
    held = np.mean([float(f.exponent_low) <= 0.5 <= float(f.exponent_high) for f in found])
    assert held >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)  # scaling errors up to the scatter adds
    assert held < 1.0


@pytest.mark.parametrize("power", [2 / 3, 0.8, 1.0])
def test_limits_lie_within_their_error_whichever_the_power(power):
    found = scaling(dataset(6.0 - 8.0 * WIDTHS**-power))
    assert abs(found.limit - 6.0) <= 2 * found.limit_sem
    assert found.limit_sem < 0.1
    assert found.theory_limit == pytest.approx(5.8, rel=1e-15)  # the edge at the largest width


@pytest.mark.parametrize("changes", [{"samples": 100}, {"kind": "outlier"}])
def test_only_an_alleviated_regime_at_fixed_ratio_has_a_limit(changes):
    found = scaling(dataset(6.0 - 8.0 / WIDTHS, **changes))
    assert np.isnan(found.limit)
    assert np.isnan(found.theory_limit)


def test_other_axes_are_kept_and_samples_may_be_one():
    whole = xarray.concat(
        [dataset(WIDTHS**a) for a in (0.5, 1.0)], xarray.Variable("samples", ["width", "100"])
    )
    found = scaling(whole)
    assert found.exponent.dims == ("samples",)
    np.testing.assert_allclose(found.exponent, [0.5, 1.0], atol=0.01)
    assert list(np.isfinite(found.limit)) == [True, False]
    assert np.isfinite(scaling(whole.sel(samples="width")).limit)


def test_draws_that_failed_and_too_few_points_are_left_out():
    data = dataset(WIDTHS**0.5)
    data["status"][0] = 2
    assert scaling(data).points == 4
    data["status"][1:4] = 0
    assert np.isnan(scaling(data).exponent)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"variable": "kappa1"}, "variable must be one of eigenvalue_max.*got 'kappa1'"),
        ({"along": "norm"}, "accepted are width; got 'norm'"),
    ],
)
def test_bad_input_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        scaling(dataset(WIDTHS**0.5), **arguments)
