"""Predictions for white noise against the printed tables and the paper's formulas."""

import dataclasses
import json

import jax
import numpy as np
import pytest
from fixed_samples import at_fixed_samples
from problems import ANCHORS, SECTION_10, assert_printed
from white_noise_networks import C, erf, notes_on, relu

from meanfield.gaussian.averages import Averages
from meanfield.spec.activations import ACTIVATIONS
from meanfield.spec.network import Network
from meanfield.spec.norms import NORMS
from meanfield.theory.kernels import Exchangeable
from meanfield.theory.predict import predict
from meanfield.theory.white_noise.recursion import Code, Numbers
from meanfield.theory.white_noise.spectrum import finish, prepare


@pytest.mark.parametrize("row", SECTION_10, ids=lambda row: f"{row.largest} {row.norms}")
def test_predictions_are_those_in_print(row):
    prediction = predict(row.network, 300)
    assert_printed(prediction.eigenvalue_max, row.largest)
    assert_printed(prediction.eigenvalue_mean, row.mean)


def test_the_print_notices_a_wrong_factor_in_batch_norm(monkeypatch):
    # The guard: with 1 − 1/T, the factor of "mean", in place of 1 − 2/T the table must not hold.
    right = Exchangeable.over_samples

    def wrong(S, K):
        T = S.samples
        return right(S, K.scaled((1 - 1 / T) / (1 - 2 / T)))

    row = SECTION_10[-1]

    def traced_anew():  # the compiled recursion has the right factor
        with jax.enable_x64(True):
            numbers = Numbers.of(row.network, 300.0)
            code = Code.of(row.network)
            prepared = jax.jit(lambda numbers: prepare(code, code.activation, numbers))(numbers)
            return float(finish(prepared, all_of_it=True).ends.largest)

    assert_printed(traced_anew(), row.largest)
    monkeypatch.setattr(Exchangeable, "over_samples", wrong)
    with pytest.raises(AssertionError):
        assert_printed(traced_anew(), row.largest)


def test_the_anchors_notice_a_wrong_gap():
    # κ₁ cannot tell; κ₂ rests on the gaps.
    def wrong(q_s, q_t, gap):
        averages = ACTIVATIONS["relu"].closed_form(q_s, q_t, gap)
        return Averages(*averages[:3], averages.slope_gap * 1.0001, averages.error)

    activation = dataclasses.replace(ACTIVATIONS["relu"], closed_form=wrong)
    prediction = predict(relu(activation=activation), 100)
    assert_printed(prediction.kappa1, ANCHORS["relu"].kappa1)
    with pytest.raises(AssertionError):
        assert_printed(prediction.kappa2, ANCHORS["relu"].kappa2)


@pytest.mark.parametrize(
    ("network", "kind", "exponent", "multiplicity"),
    [
        (relu(), "outlier", 1, C),
        (erf(), "outlier", 1, C),
        (relu("layer-mean@last"), "outlier", 1, C - 1),
        (relu("layer@last"), "outlier", 1, C - 2),
        (relu("rms@last"), "outlier", 1, C - 1),
        (relu("mean@last"), "bulk-edge", 0, 1),
        (relu("batch@last"), "bulk-edge", 0, 1),
        (relu("batch@hidden"), "outlier", 1, C),  # (∫Dz φ)² > 0 builds a cross part up again
        (erf("batch@hidden"), "bulk-edge", 0, 1),  # φ is odd: it does not
        (erf("mean@hidden"), "bulk-edge", 0, 1),
        (erf("layer@hidden"), "outlier", 1, C),
        (erf("batch@1"), "outlier", 1, C),  # the bias of layer 2 is common to all samples
        (erf("batch@1", bias_var=0), "bulk-edge", 0, 1),
        (erf(bias_var=0), "bulk-edge", 0, 1),  # the bias block alone is common: λ_1 = λ_2 + 1
        (erf("layer@last", bias_var=0), "lower-bound", 0, (C - 2) * 79),
    ],
    ids=lambda v: f"{v.activation} {'+'.join(v.norms)}" if isinstance(v, Network) else None,
)
def test_placements_decide_how_sharpness_grows(network, kind, exponent, multiplicity):
    prediction = predict(network, 80)
    assert prediction.eigenvalue_max_kind == kind
    assert prediction.width_exponent == exponent
    assert prediction.eigenvalue_max_multiplicity == multiplicity
    assert prediction.learning_rate_max == 2 / prediction.eigenvalue_max
    assert (prediction.kappa2 > 0) == bool(exponent)
    assert (prediction.bulk is None) == (prediction.network.norms[-1] in ("layer", "rms"))


@pytest.mark.parametrize("name", ["relu", "erf"])
def test_exponents_are_those_of_the_predictions(name):
    for norm in ("none", "mean@last", "batch@last", "layer@hidden", "batch@hidden"):
        small, large = (predict(relu(norm, width=M, activation=name), M) for M in (20_000, 40_000))
        exponent = np.log2(large.eigenvalue_max / small.eigenvalue_max)
        # The next order at T = M: κ₁/(κ₂ M) under an outlier, the bias block's 1/M without one.
        ratio = small.kappa1 / small.kappa2 if small.kappa2 else 10
        # ReLU's edge grows with the largest of its backward weights, like log M
        growth = 0.05 if (name, small.width_exponent) == ("relu", 0) else 0
        # and what tells outputs apart, which shrinks like 1/√M, makes the largest grow more slowly
        apart = 2 * 20_000**-0.5
        assert abs(exponent - small.width_exponent) < 2 * ratio / 20_000 + growth + apart, norm


@pytest.mark.parametrize("name", ["relu", "erf"])
def test_the_bulks_mean_is_the_papers_bound(name):
    # ρ α (κ₁ − κ₂) in leading order; 1 − 1/T and (C + 3)/2M of biases and outputs: 7e-5.
    M, T = 100_000, 40_000
    plain = predict(relu(activation=name, width=M), T)
    centred = predict(relu("mean@last", activation=name, width=M), T)
    span = plain.alpha * (plain.kappa1 - plain.kappa2)
    assert centred.bulk.mean == pytest.approx(M / T * span, rel=1e-4)
    assert centred.eigenvalue_max > 2 * centred.bulk.mean  # and the value far above it
    # m_λ ~ (1 − 1/T)(κ₁ − κ₂) C/M
    mean = (plain.kappa1 - plain.kappa2) * C / M
    assert centred.eigenvalue_mean == pytest.approx(mean, rel=1e-4)


NORMALIZED = [("layer", 5, 4), ("layer", C, C - 1), ("rms", C, C)]  # name, outputs, dimensions


@pytest.mark.parametrize(("name", "outputs", "n"), NORMALIZED)
def test_layer_norm_in_the_last_layer_has_section_6s_mean(name, outputs, n):
    plain = predict(relu(outputs=outputs), 50)
    normed = predict(relu(f"{name}@last", outputs=outputs), 50)
    q = plain.order_parameters[-1].q
    expected = plain.diagonal / plain.parameters * (n - 1) * outputs / (q * (n - 2))
    assert normed.eigenvalue_mean == pytest.approx(expected, rel=1e-12)
    assert normed.diagonal == plain.diagonal  # those before the norm
    assert (normed.eigenvalue_second_moment is None) == (n < 5)
    (names, quantiles) = zip(*normed.eigenvalue_max_quantiles.items(), strict=True)
    assert names == ("10%", "50%", "90%")
    assert quantiles[0] < normed.eigenvalue_max < quantiles[2]


def test_layer_mean_in_the_last_layer_projects_one_output_away():
    plain, normed = predict(relu(), 50), predict(relu("layer-mean@last"), 50)
    # the largest of one outlier less: that of C outputs is the one of C + 1 less their mean
    assert normed.eigenvalue_max < plain.eigenvalue_max
    more = predict(relu("layer-mean@last", outputs=C + 1), 50)
    assert more.eigenvalue_max == pytest.approx(plain.eigenvalue_max, rel=1e-4)
    share = (C - 1) / C
    assert normed.eigenvalue_mean == pytest.approx(share * plain.eigenvalue_mean, rel=1e-12)
    # but for what outputs vary between each other: a C-th of it less, of 2 % in all
    second = share * plain.eigenvalue_second_moment
    assert second * 0.99 < normed.eigenvalue_second_moment < second


def test_one_layer_is_linear_regression():
    # F* = (X Xᵀ + 1)/T for each output: the mean over inputs of its diagonal is M + 1.
    prediction = predict(Network(depth=1, width=60, outputs=2, weight_var=1.0), 40)
    assert prediction.kappa1 is prediction.kappa2 is None
    assert "kappa1 and kappa2" in notes_on(prediction)[1]
    assert prediction.alpha == 0
    assert prediction.parameters == 2 * 61
    assert prediction.eigenvalue_mean == pytest.approx(1, rel=1e-15)
    assert at_fixed_samples(prediction) == pytest.approx((61 + 39) / 40, rel=1e-15)
    # a Wishart matrix's: Marchenko and Pastur's edge, and Johnstone's fluctuations
    assert prediction.bulk.edge == pytest.approx((1 + np.sqrt(60 / 40)) ** 2, rel=1e-9)
    scale = (np.sqrt(60) + np.sqrt(40)) * (60**-0.5 + 40**-0.5) ** (1 / 3) / 40
    assert prediction.bulk.scale == pytest.approx(scale * 40 ** (2 / 3), rel=1e-6)


def test_predictions_are_strict_json():
    for name, where in ((name, where) for name in NORMS for where in ("last", "all")):
        network = relu(f"{name}@{where}")
        data = json.loads(json.dumps(predict(network, 60).to_dict(), allow_nan=False))
        assert data["network"]["activation"] == "relu"
        assert data["samples"] == 60
        assert [layer["layer"] for layer in data["order_parameters"]] == [1, 2, 3]
        assert data["order_parameters"][-1]["q_hat"] is None


def test_order_parameters_are_those_of_each_layer():
    # Linear, by hand: q^l = σ_w² q̂ + σ_b² = 1.1, 1.2, 1.3, covariances 0.1, 0.2, 0.3.
    network = Network(depth=3, width=50, activation="linear", weight_var=1.0, bias_var=0.1)
    for at, layer in enumerate(predict(network, 9).order_parameters, start=1):
        assert layer.q == pytest.approx(1 + 0.1 * at, rel=1e-15)
        assert layer.q_pair == pytest.approx(0.1 * at, rel=1e-14)
        assert layer.gap == 1
        assert layer.q_tilde == layer.q_tilde_pair == 1
        if at < 3:
            assert (layer.q_hat, layer.q_hat_pair) == (layer.q, layer.q_pair)


def test_overflowing_order_parameters_are_an_error_that_names_its_cause():
    exploding = Network(depth=3, width=50, activation="linear", weight_var=1e300)
    with pytest.raises(ValueError, match=r"weight_var=1e\+300 .* in layer 2"):
        predict(exploding, 50)
    # 0.001^120: the gap that batch norm divides by underflows, with every q itself finite
    vanishing = relu("batch@last", depth=120, activation="erf", weight_var=0.001)
    with pytest.raises(ValueError, match=r"weight_var=0\.001 .* tangent kernel"):
        predict(vanishing, 50)


@pytest.mark.parametrize("norm", ["mean@1", "batch@last"])
def test_too_few_samples_are_refused(norm):
    least = {"mean@1": 2, "batch@last": 4}[norm]
    assert predict(relu(norm), least).eigenvalue_max > 0
    with pytest.raises(ValueError, match="samples must be at least"):
        predict(relu(norm), least - 1)


@pytest.mark.parametrize("norm", ["none", "layer@hidden", "batch@last"])
def test_the_largest_of_all_variances_is_refused(norm):
    with pytest.raises(ValueError, match="beyond the range of floating-point numbers"):
        predict(erf(norm, weight_var=1.79e308), 80)
