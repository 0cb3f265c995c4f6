"""What is said beside the numbers for white noise, and why others are null."""

import jax.numpy as jnp
import pytest
from white_noise_networks import erf, notes_on, relu

from meanfield.theory.predict import predict

STATISTICS = ("eigenvalue_mean", "eigenvalue_second_moment", "eigenvalue_max")


@pytest.mark.parametrize("norm", ["layer@last", "rms@last"])
def test_divergent_means_are_null_and_said_to_be(norm):
    lost = 1 if norm == "layer@last" else 0
    nothing = predict(relu(norm, outputs=lost + 2), 50)
    half = predict(relu(norm, outputs=lost + 3), 50)
    for field in (*STATISTICS, "learning_rate_max", "eigenvalue_max_quantiles"):
        assert getattr(nothing, field) is None, field
        assert f"{field} (" in notes_on(nothing)[1]
    assert half.eigenvalue_second_moment is None
    assert "eigenvalue_second_moment (" in notes_on(half)[1]
    assert half.eigenvalue_mean > 0
    assert "eigenvalue_mean (" not in notes_on(half)[1]


def test_notes_warn_of_few_samples_under_hidden_batch_norm():
    for T, warned in ((20, True), (49, True), (50, False)):
        assert ("2/T" in notes_on(predict(relu("batch@hidden"), T))[0]) == warned
    assert "2/T" not in notes_on(predict(relu("batch@last"), 20))[0]
    assert "2/T = 10%" in notes_on(predict(relu("batch@hidden"), 20))[0]


def test_notes_warn_of_lower_bounds():
    assert "mean of the bulk" in notes_on(predict(erf("layer@last", bias_var=0), 100))[0]
    for norm in ("none", "batch@last"):
        assert "mean of the bulk" not in notes_on(predict(relu(norm), 100))[0]


def test_notes_say_how_right_the_largest_eigenvalue_is():
    wide, narrow = (notes_on(predict(relu(outputs=1, width=M), 100))[0] for M in (10_000, 65))
    assert "expected to be right" not in wide
    assert "expected to be right to about 10.0% at these widths" in narrow
    assert "expected" not in notes_on(predict(relu("layer@last"), 100))[0]


def test_more_samples_than_parameters_leave_no_impossible_spectrum():
    # F has P eigenvalues at most: λ_max ≥ tr F/P and s_λ ≥ m_λ². The law of the bulk knows nothing
    # of it, but has the edge at many samples; behind a norm per sample there is only the bound.
    few, none = erf("mean@last", width=3), erf("layer@last", width=3, bias_var=0)
    for network, bounded in ((few, False), (none, True)):
        found = predict(network, 100_000)
        assert found.eigenvalue_max_kind.is_bound == bounded
        assert found.eigenvalue_max >= found.eigenvalue_mean * (1 - 1e-9)
        assert found.eigenvalue_second_moment >= found.eigenvalue_mean**2 * (1 - 1e-9)
        assert ("eigenvalues that are not 0 at most" in notes_on(found)[0]) == bounded
        assert found.bulk is None or found.bulk.lower >= 0


def test_notes_warn_of_doubtful_averages():
    kinked = relu(activation=lambda u: jnp.clip(u, -1, 1))
    assert "only accurate to about" in notes_on(predict(kinked, 100))[0]
    for weight_var, doubted in ((1e4, True), (40.0, False)):
        network = relu(activation="tanh", weight_var=weight_var)
        assert ("only accurate" in notes_on(predict(network, 100))[0]) == doubted


def test_what_leaves_the_range_of_numbers_is_null_and_said_to_be():
    tiny = predict(erf("mean@last", weight_var=9.9e-12, bias_var=5.4e16, depth=6), 1_000_000)
    assert tiny.bulk is None
    assert "bulk (what it follows from leaves the range" in notes_on(tiny)[1]
    wide = predict(erf("batch@last", weight_var=8e-182, bias_var=0, depth=1), 4)
    assert wide.bulk is None  # its variance is beyond, its mean is not
    assert "bulk (what it follows from leaves the range" in notes_on(wide)[1]
    huge = predict(relu(weight_var=1e100), 50)
    assert huge.eigenvalue_second_moment is None
    assert "eigenvalue_second_moment (what it follows from leaves" in notes_on(huge)[1]


def test_a_single_sample_has_no_bulk_to_bound():
    found = predict(erf("layer@1", weight_var=1e-308, bias_var=1e-100), 1)
    assert found.eigenvalue_max_multiplicity >= 1
