"""Placements side by side."""

import json

import numpy as np
import pytest

from meanfield import Network, load_data, predict, simulate
from meanfield.studies import comparison
from meanfield.studies.comparison import PLACEMENTS, compare

NET = Network(depth=3, width=20, outputs=2, activation="relu", bias_var=0.1)


@pytest.fixture(scope="module")
def digits():
    return load_data("digits", 16)


@pytest.fixture(scope="module")
def on_digits(digits):
    placements = ["mean@last", "batch@last", "layer@hidden", "batch@hidden"]
    return compare(NET, inputs=digits, draws=2, fields=64, placements=placements)


def test_rows_are_what_predict_and_simulate_say(digits, on_digits):
    for row in on_digits.rows:
        network = NET.with_norms(row.placement)
        prediction = predict(network, inputs=digits, fields=64)
        assert row.eigenvalue_max == prediction.eigenvalue_max
        assert row.eigenvalue_max_sem == prediction.eigenvalue_max_sem
        assert row.eigenvalue_max_kind == prediction.eigenvalue_max_kind
        assert row.learning_rate_max == prediction.learning_rate_max
        assert row.eigenvalue_mean == prediction.eigenvalue_mean
        measured = simulate(network, inputs=digits, draws=2, second_moment=False)
        assert row.measured == measured.eigenvalue_max
        assert row.measured_mean == measured.eigenvalue_mean


def test_rows_are_sorted_and_set_against_no_normalization(on_digits):
    largest = [row.eigenvalue_max for row in on_digits.rows]
    assert largest == sorted(largest)
    plain = next(row for row in on_digits.rows if row.placement == "none")
    for row in on_digits.rows:
        assert row.ratio == row.eigenvalue_max / plain.eigenvalue_max


def test_placements_that_cannot_be_are_left_out_with_a_note(digits):
    """Layer norm on two outputs leaves signs; of one layer none is hidden."""
    found = compare(NET, inputs=digits, fields=64)
    shown = {row.placement for row in found.rows}
    assert set(PLACEMENTS) - shown == {"layer@last", "layer@all"}
    assert [note.split(" is left out: ")[0] for note in found.notes] == [
        "layer@last",
        "layer@all",
    ]
    shallow = compare(Network(depth=1, width=5), 8)
    assert {row.placement for row in shallow.rows} == {"none", "mean@last", "batch@last"}


def test_white_noise_takes_the_number_of_samples():
    rows = compare(NET, 30, placements=["batch@last", ("none", "layer", "none")]).rows
    assert {row.placement for row in rows} == {"none", "batch@last", "none,layer,none"}
    for row in rows:
        norms = row.placement.split(",") if "," in row.placement else row.placement
        assert row.eigenvalue_max == predict(NET.with_norms(norms), 30).eigenvalue_max
        assert row.measured is None
    flattest = next(row for row in rows if row.placement == "batch@last")
    assert flattest.eigenvalue_max_kind == "bulk-edge"


def test_the_reading_names_the_flattest_placement(on_digits):
    best = min(on_digits.rows, key=lambda row: row.measured.mean)
    assert on_digits.reading.startswith(f"{best.placement} flattens this network most")


def test_measured_is_read_beside_measured_and_predicted_beside_predicted():
    found = compare(NET, 30, placements=["batch@last"], draws=2)
    (best, plain) = found.rows
    before, after = plain.measured.mean, best.measured.mean
    assert f"from {before:.4g} to {after:.4g}, by a factor of {before / after:.3g}" in found.reading
    assert f"up to {2 / after:.3g} in place of {2 / before:.3g} (as measured)." in found.reading
    predicted = compare(NET, 30, placements=["batch@last"]).reading
    assert f"from {plain.eigenvalue_max:.4g} to {best.eigenvalue_max:.4g}, by" in predicted
    assert predicted.endswith(f"in place of {plain.learning_rate_max:.3g}.")  # of no bound


def test_a_bound_is_said_to_be_one():
    # layer norm takes the odd network's outlier away, and its bulk is not known
    odd = Network(depth=2, width=30, outputs=6, activation="erf", weight_var=3.0, bias_var=0.0)
    found = compare(odd, 30, placements=["layer@last"])
    bound = next(row for row in found.rows if row.placement == "layer@last")
    assert bound.eigenvalue_max_kind.is_bound
    assert found.reading.endswith("(at best: a lower bound).")


def test_nothing_flatter_is_said_too():
    """A linear network of one layer on centred inputs: F does not change, nor with "none" alone."""
    alone = compare(NET, 30, placements=["none"])
    assert alone.reading == "No placement compared lowers the sharpness of this network."


def test_results_go_to_json_and_data_frames(on_digits):
    printed = json.loads(json.dumps(on_digits.to_dict(), allow_nan=False))
    assert [row["placement"] for row in printed["rows"]] == [r.placement for r in on_digits.rows]
    frame = on_digits.to_frame()
    assert list(frame.index) == [row.placement for row in on_digits.rows]
    assert list(frame["eigenvalue_max"]) == [row.eigenvalue_max for row in on_digits.rows]
    assert list(frame["measured"]) == [row.measured.mean for row in on_digits.rows]
    assert list(frame["measured_sem"]) == [row.measured.sem for row in on_digits.rows]
    without = compare(NET, 30, placements=["mean@last"]).to_frame()
    assert without["measured"].isna().all()


def test_a_failing_placement_does_not_cost_the_others(digits, monkeypatch):
    def failing(network, *arguments, **options):
        if "batch" in network.norms:
            raise ValueError("beyond the range")
        return predict(network, *arguments, **options)

    monkeypatch.setattr(comparison, "predict", failing)
    found = compare(NET, inputs=digits)
    assert {row.placement for row in found.rows} == {
        "none",
        "mean@last",
        "mean@hidden",
        "layer@hidden",
    }
    assert sum("beyond the range" in note for note in found.notes) == 3
    with pytest.raises(ValueError, match="beyond the range"):
        compare(NET, inputs=digits, placements=["batch@last"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "samples is required unless inputs are given"),
        ({"samples": 5, "inputs": np.ones((4, 3))}, "samples must equal the inputs' 4 rows"),
        ({"samples": 0}, "samples must be a positive integer"),
        ({"samples": 9, "draws": -1}, "draws must be an integer of at least 0"),
        ({"samples": 9, "placements": "batch@last"}, "placements must be a sequence"),
        ({"samples": 9, "placements": []}, "placements must be a sequence"),
        ({"samples": 9, "placements": ["batch@4"]}, "norm must place each kind"),
        ({"samples": 3, "placements": ["batch@last"]}, "samples must be at least 4"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        compare(NET, **options)
