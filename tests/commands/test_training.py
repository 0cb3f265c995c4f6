"""`meanfield train`: the library's numbers, as JSON and as a table."""

from types import SimpleNamespace

import numpy as np
import pytest
from command_line import as_json, output, strict

from meanfield import Network, load_data, predict, teacher, train
from meanfield.commands.cli import run

NET = Network(widths=(4, 5), bias_var=0.2)
ARGUMENTS = ["train", "--widths", "4,5", "--bias-var", "0.2", "--samples", "9"]
SHORT = ["--draws", "2", "--steps", "30"]


def printed(capsys, *arguments):
    return strict(output(capsys, *arguments, "--json"))


@pytest.mark.parametrize(
    ("text", "rates"), [("0.1,50", (0.1, 50.0)), ("0.1:10:3", (0.1, 1.0, 10.0))]
)
def test_a_teacher_is_learnt(capsys, text, rates):
    result = printed(capsys, *ARGUMENTS, *SHORT, "--seed", "3", "--learning-rates", text)
    expected = train(
        NET, *teacher(NET, 9, seed=3), learning_rates=rates, draws=2, steps=30, seed=3
    ).to_dict()
    assert result.pop("theory_learning_rate_max") == predict(NET, 9).learning_rate_max
    assert result.pop("seconds") > 0
    del expected["seconds"]
    assert result.pop("learning_rates") == pytest.approx(expected.pop("learning_rates"))
    assert result.pop("threshold")["mean"] == pytest.approx(expected.pop("threshold")["mean"])
    assert result.pop("instability")["mean"] == pytest.approx(expected.pop("instability")["mean"])
    assert result == as_json(expected)


def test_without_a_limit_learning_rates_must_be_given(capsys, monkeypatch):
    without = SimpleNamespace(learning_rate_max=None)
    monkeypatch.setattr("meanfield.commands.training.predict", lambda *_: without)
    assert run(ARGUMENTS) == 2
    assert "learning_rates is required where theory has no" in capsys.readouterr().err
    text = output(capsys, *ARGUMENTS, *SHORT, "--learning-rates", "0.01,50")
    assert "theory's limit 2/λ_max –" in " ".join(text.split())


def test_learning_rates_surround_theory_by_default(capsys):
    result = printed(capsys, *ARGUMENTS, "--draws", "1", "--steps", "1")
    limit = result["theory_learning_rate_max"]
    assert result["learning_rates"] == pytest.approx(limit * np.geomspace(1 / 8, 8, 13))


def test_labels_of_data_are_one_hot_targets(capsys, tmp_path):
    network, data = "--depth 1 --width 5 --outputs 10", "--data digits --samples 20 --data-seed 1"
    line = f"train {network} {data} --learning-rates 0.01".split()
    result = printed(capsys, *line, *SHORT, "--store", f"{tmp_path}")
    digits = load_data("digits", 20, seed=1)
    network = Network(depth=1, width=5, outputs=10)
    expected = train(
        network, digits, digits.one_hot(), learning_rates=[0.01], draws=2, steps=30, store=tmp_path
    )
    assert result["losses"] == [[float(loss) for loss in expected.losses[0]]]
    limit = predict(network, inputs=digits).learning_rate_max
    assert result["theory_learning_rate_max"] == pytest.approx(limit)
    assert result["data"]["name"] == "digits"


def test_the_table_shows_diverged_runs_and_both_limits(capsys):
    text = output(capsys, *ARGUMENTS, *SHORT, "--learning-rates", "0.01,50,60")
    lines = [line.split() for line in text.splitlines()]
    assert ["50", "diverged", "2", "of", "2", "2", "of", "2"] in [line[:8] for line in lines]
    assert ["0.01", "0", "of", "2"] in [[line[0], *line[4:7]] for line in lines if line]
    limit = predict(NET, 9).learning_rate_max
    assert f"theory's limit 2/λ_max {limit:.5g}" in " ".join(text.split())
    ratio = (0.01 * 50) ** 0.5 / limit
    assert f"training diverges from 0.70711 ± 0 {ratio:.3g}" in " ".join(text.split())


BAD = {
    "--learning-rates 1:2": "LOW:HIGH:COUNT with 0 < LOW < HIGH",
    "--learning-rates 2:1:3": "got '2:1:3'",
    "--learning-rates 0:1:3": "got '0:1:3'",
    "--learning-rates 1:2:1": "got '1:2:1'",
    "--learning-rates 1:inf:3": "got '1:inf:3'",
    "--learning-rates 1:b:3": "got '1:b:3'",
    "--learning-rates 1,b": "expected a comma-separated list, got '1,b'",
    "--learning-rates 2,1": "learning_rates must ascend",
    "--steps 0": "steps must be a positive integer, got 0",
}


@pytest.mark.parametrize("options", BAD)
def test_bad_input_gets_one_clear_line(capsys, options):
    assert run([*ARGUMENTS, *options.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert BAD[options] in err


def test_data_must_have_targets_that_fit(capsys, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(9, 4)))
    for options, said in (
        (["--data", f"{tmp_path / 'x.npy'}"], "data must have labels or targets"),
        (["--data", "digits"], "outputs must be 10, one for every class of digits, got 1"),
    ):
        line = ["train", "--depth", "2", "--width", "5", "--samples", "9", *options]
        assert run(line) == 2
        assert said in capsys.readouterr().err
    assert run(ARGUMENTS[:-2]) == 2
    assert "samples is required unless --data is given" in capsys.readouterr().err
