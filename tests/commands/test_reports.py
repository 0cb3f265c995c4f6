"""`meanfield validate` and `reproduce`: their tables and exit codes, on reports made by hand."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from command_line import output, strict

from meanfield.commands import reports


def check(passed, **case):
    case = {"activation": "tanh", "outputs": 4, "placement": "batch@last", **case}
    return SimpleNamespace(
        case=SimpleNamespace(**{"inputs": "white noise", **case}),
        quantity="λ_max",
        expected=10.0,
        measured=11.0,
        sem=0.25,
        tolerance=0.06,
        deviation=0.1,
        passed=passed,
    )


@pytest.fixture
def validated(monkeypatch):
    """Has the command find these checks; how it called `validate`."""
    calls = []

    def find(*checks):
        report = SimpleNamespace(
            checks=checks,
            passed=all(check.passed for check in checks),
            width=200,
            allowance=0.8,
            sems=2.0,
            seconds=12.3,
            to_dict=lambda: {"checks": len(checks)},
        )
        monkeypatch.setattr(reports, "validate", lambda **given: calls.append(given) or report)
        return calls

    return find


def test_a_validation_that_fails_says_where(capsys, validated):
    calls = validated(check(True), check(False, placement="none", inputs="digits"))
    text = output(capsys, "validate", "--quick", "--seed", "3", code=1)
    assert calls == [{"quick": True, "seed": 3, "store": None}]
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "tanh 4 batch@last λ_max 10 11 ± 0.2 +10% 6% ok" in lines
    assert "tanh 4 none (digits) λ_max 10 11 ± 0.2 +10% 6% FAIL" in lines
    said = "1 passed, 1 failed at width = samples = 200 in 12 s; tolerance = 2 standard errors"
    assert said in " ".join(lines)


def test_a_validation_that_passes(capsys, validated):
    calls = validated(check(True))
    assert "1 passed, 0 failed" in output(capsys, "validate")
    assert strict(output(capsys, "validate", "--json")) == {"checks": 1}
    assert calls == [{"quick": False, "seed": 0, "store": None}] * 2


@pytest.mark.parametrize(("failures", "code"), [({}, 0), ({"phase": "no luck"}, 1)])
def test_a_reproduction_says_what_it_made(capsys, monkeypatch, failures, code):
    calls = []
    report = SimpleNamespace(
        figures=({"name": "width", "size": "quick", "seconds": 7.5},),
        failures=failures,
        index=Path("figures/index.html"),
        to_dict=lambda: {"failures": failures},
    )
    monkeypatch.setattr(reports, "reproduce", lambda **given: calls.append(given) or report)
    arguments = ("reproduce", "--only", "width", "--only", "phase", "--out", "there")
    lines = [line.split() for line in output(capsys, *arguments, code=code).splitlines()]
    assert ["width", "quick", "7.5", "s"] in lines
    assert (["phase", "FAIL", "no", "luck"] in lines) == bool(failures)
    assert lines[-1] == ["see", "figures/index.html"]
    assert calls == [
        {"full": False, "only": ("width", "phase"), "out": Path("there"), "data": None}
    ]
    assert strict(output(capsys, *arguments, "--json", code=code)) == {"failures": failures}
    output(capsys, "reproduce", "--full", code=code)
    assert calls[-1] == {"full": True, "only": (), "out": None, "data": None}
