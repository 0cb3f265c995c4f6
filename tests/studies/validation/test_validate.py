"""Every case is held; the command passes for the theory and fails for one that is off."""

import json
from dataclasses import replace

import pytest

from meanfield import predict
from meanfield.commands.cli import run
from meanfield.numerics.estimates import Estimate
from meanfield.studies.validation import digits, white_noise
from meanfield.studies.validation import validate as validation
from meanfield.studies.validation.cases import FULL, QUICK, Case, Effort, cases
from meanfield.studies.validation.report import ALLOWANCE, SEMS, check

SMALL = Effort(width=100, sem=0.05, max_draws=24, output_draws=200)


def with_kappa2_times(factor):
    def perturbed(network, samples, **options):
        p = predict(network, samples, **options)
        cross = p.kappa2 * p.alpha * network.width * (1 - 1 / samples)
        return replace(p, eigenvalue_max=p.eigenvalue_max + (factor - 1) * cross)

    return perturbed


def test_command_reports_and_sets_the_exit_code(capsys, monkeypatch):
    monkeypatch.setattr(validation, "cases", lambda quick: [Case("none", "tanh", 1)])
    monkeypatch.setattr(digits, "cases", lambda quick: [])
    monkeypatch.setattr(validation, "QUICK", SMALL)
    assert run(["validate", "--quick", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["passed"] is True
    assert [check["quantity"] for check in report["checks"]] == ["m_λ", "λ_max"]
    assert run(["validate", "--quick"]) == 0
    assert "2 passed, 0 failed" in capsys.readouterr().out

    monkeypatch.setattr(validation.validate, "__kwdefaults__", {
        **validation.validate.__kwdefaults__, "predict": with_kappa2_times(2),
    })  # fmt: skip
    assert run(["validate", "--quick"]) == 1
    assert "1 passed, 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize(("quick", "effort"), [(True, QUICK), (False, FULL)])
def test_every_case_is_held_with_the_effort_and_the_seed(monkeypatch, quick, effort):
    seen, theory = [], object()

    def hold(case, effort, seed, predict):
        seen.append((case, effort, seed, predict))
        yield check(case, "m_λ", Estimate(1.0, 0.0), Estimate(1.0, 0.0), effort.width)

    def on_noise(*arguments):
        assert arguments[0].inputs == "white noise"
        return hold(*arguments)

    def on_digits(*arguments):
        assert arguments[0].inputs == digits.DIGITS
        return hold(*arguments)

    monkeypatch.setattr(white_noise, "compare", on_noise)
    monkeypatch.setattr(digits, "compare", on_digits)
    report = validation.validate(quick=quick, seed=5, predict=theory)
    every = [*cases(quick), *digits.cases(quick)]
    assert seen == [(case, effort, 5, theory) for case in every]
    assert [held.case for held in report.checks] == every
    assert report.passed
    assert (report.width, report.allowance, report.sems) == (effort.width, ALLOWANCE, SEMS)
    assert report.seconds >= 0
