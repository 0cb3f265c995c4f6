"""`meanfield predict`, `compare` and `simulate`: the library's results, as JSON and as tables."""

import numpy as np
import pytest
from command_line import as_json, output, strict

from meanfield import Network, compare, load_data, predict, simulate

ARGUMENTS = ("--widths", "6,5", "--bias-var", "0.2", "--samples", "7")
NET = Network(widths=(6, 5), bias_var=0.2)
PREDICT_KEYS = {
    "network", "samples", "parameters", "alpha", "kappa1", "kappa2", "diagonal", "off_diagonal",
    "eigenvalue_mean", "eigenvalue_second_moment", "eigenvalue_max", "eigenvalue_max_kind",
    "eigenvalue_max_quantiles", "bulk", "width_exponent", "learning_rate_max",
    "order_parameters", "notes",
}  # fmt: skip
STATISTICS = {"eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment"}
SIMULATE_KEYS = STATISTICS | {"method", "precision", "seconds", "theory", "notes"}
LAYER_KEYS = {"q", "q_pair", "gap", "q_hat", "q_hat_pair", "q_tilde", "q_tilde_pair"}


def test_predict_prints_the_prediction_in_full(capsys):
    printed = strict(output(capsys, "predict", *ARGUMENTS, "--json"))
    prediction = predict(NET, 7)
    assert printed == as_json(prediction.to_dict())
    assert set(printed) >= PREDICT_KEYS
    assert printed["network"] == NET.to_dict()
    assert [set(layer) - {"layer"} for layer in printed["order_parameters"]] == [LAYER_KEYS] * 2
    for name in ("kappa1", "diagonal", "eigenvalue_max", "learning_rate_max"):
        assert printed[name] == getattr(prediction, name)


NETWORKS = {
    "--norm layer@last --outputs 4": {"norm": "layer@last", "outputs": 4},
    "--norm layer@last --outputs 3": {"norm": "layer@last", "outputs": 3},
    "--norms none,batch,none": {"norms": ("none", "batch", "none")},
    "--norm batch@last --activation tanh": {"norm": "batch@last", "activation": "tanh"},
    "--weight-var 0 --bias-var 0.7 --norm mean@last": {
        "weight_var": 0,
        "bias_var": 0.7,
        "norm": "mean@last",
    },
}


@pytest.mark.parametrize("options", NETWORKS)
def test_what_does_not_exist_is_null_with_a_reason(capsys, options):
    arguments = ("--widths", "300,600,150", "--samples", "50", *options.split())
    printed = strict(output(capsys, "predict", *arguments, "--json"))
    network = Network(widths=(300, 600, 150), **NETWORKS[options])
    assert printed == as_json(predict(network, 50).to_dict())
    assert printed["network"]["widths"] == [300, 600, 150]
    assert printed["network"]["norms"] == list(network.norms)
    absent = [name for name, value in printed.items() if value is None]
    absent += [name for name in LAYER_KEYS if printed["order_parameters"][-1][name] is None]
    reasons = " ".join(printed["notes"])
    assert absent
    assert [name for name in absent if name.removesuffix("_pair") not in reasons] == []


def test_simulate_prints_the_simulation_in_full(capsys):
    arguments = (*ARGUMENTS, "--draws", "3", "--seed", "5", "--precision", "float64", "--spectrum")
    printed = strict(output(capsys, "simulate", *arguments, "--json"))
    result = simulate(NET, 7, draws=3, seed=5, precision="float64", spectrum=True)
    assert printed.pop("seconds") > 0
    assert printed == {k: v for k, v in as_json(result.to_dict()).items() if k != "seconds"}
    assert {*printed, "seconds"} >= SIMULATE_KEYS
    for name in STATISTICS:
        assert set(printed[name]) == {"mean", "sem", "draws"}
        assert printed[name]["draws"] == list(getattr(result, name).draws)
    assert printed["theory"] == as_json(predict(NET, 7).to_dict())
    np.testing.assert_array_equal(printed["eigenvalues"][2], result.eigenvalues[2])


def test_simulate_with_every_option(capsys, tmp_path):
    inputs = np.random.default_rng(0).normal(size=(7, 6))
    np.save(tmp_path / "x.npy", inputs)
    arguments = ("--widths", "6,5", "--data", str(tmp_path / "x.npy"))
    arguments += ("--no-standardize", "--method", "krylov")
    printed = strict(output(capsys, "simulate", *arguments, "--draws", "1", "--json"))
    result = simulate(Network(widths=(6, 5)), inputs=inputs, method="krylov", draws=1)
    assert (printed["method"], printed["samples"], printed["seed"]) == ("krylov", 7, 0)
    assert printed["eigenvalue_max"] == as_json({**vars(result.eigenvalue_max)})
    assert printed["eigenvalue_max"]["sem"] is None
    assert any("single draw" in note for note in printed["notes"])


def test_the_table_of_a_prediction_shows_the_numbers(capsys):
    text = output(capsys, "predict", *ARGUMENTS)
    prediction = predict(NET, 7)
    shown = [prediction.eigenvalue_max, prediction.eigenvalue_mean, prediction.learning_rate_max]
    shown += [prediction.kappa1, prediction.kappa2, prediction.diagonal, prediction.off_diagonal]
    for layer in prediction.order_parameters:
        shown += [getattr(layer, name) for name in LAYER_KEYS if getattr(layer, name) is not None]
    assert [value for value in shown if f"{value:.5g}" not in text] == []
    assert "relu network 6→5→1" in text
    assert "…" not in text


def test_the_table_of_a_simulation_shows_theory_beside_measurement(capsys):
    text = output(capsys, "simulate", *ARGUMENTS, "--draws", "3")
    result = simulate(NET, 7, draws=3)
    for name in STATISTICS:
        measured, predicted = getattr(result, name), getattr(result.theory, name)
        line = next(line for line in text.splitlines() if f"{measured.mean:.5g} ±" in line)
        assert f"{predicted:.5g} " in line
        assert f"{measured.mean:.5g} ± {measured.sem:.2g}" in line
        assert f"{measured.mean / predicted - 1:+.1%}" in line
    assert "3 draws by dual in float32" in text
    assert "…" not in text


DATA = ("--width", "8", "--depth", "3", "--data", "digits", "--samples", "12")


def test_prediction_on_data(capsys):
    """The JSON is the library's result, with what was done to the data; the table shows it."""
    arguments = ("predict", *DATA, "--norm", "mean@last", "--eigenvectors", "2")
    printed = strict(output(capsys, *arguments, "--json"))
    data = load_data("digits", 12)
    network = Network(depth=3, width=8, norm="mean@last")
    expected = predict(network, inputs=data, eigenvectors=2).to_dict()
    assert printed.pop("data")["notes"] == list(data.notes)
    assert printed == as_json(expected)
    assert np.shape(printed["eigenvectors"]) == (12, 2)
    text = output(capsys, *arguments)
    assert f"{printed['eigenvalue_max']:.5g}" in text
    assert "3 constant features of 64 were dropped" in text


def test_comparison_on_data(capsys, tmp_path):
    arguments = ("compare", *DATA, "--draws", "2", "--placements", "mean@last,layer@hidden")
    printed = strict(output(capsys, *arguments, "--json"))
    expected = compare(
        Network(depth=3, width=8),
        inputs=load_data("digits", 12),
        placements=["mean@last", "layer@hidden"],
        draws=2,
    )
    assert printed.pop("data")["name"] == "digits"
    assert printed == as_json(expected.to_dict())
    text = output(capsys, *arguments, "--plot", str(tmp_path / "c.svg"))
    for row in expected.rows:
        lines = (line for line in text.splitlines() if line.startswith(f"{row.placement} "))
        line = next(lines)  # the reading may start with it too
        assert f"{row.eigenvalue_max:.5g}" in line
        assert f"{row.measured.mean:.5g} ±" in line
    assert expected.reading.split(":")[0] in text
    assert "layer@hidden" in (tmp_path / "c.svg").read_text()
