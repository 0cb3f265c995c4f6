"""The command passes for the theory and fails for a theory that is off."""

import json
from dataclasses import replace

from meanfield import predict
from meanfield.commands.cli import run
from meanfield.studies.validation import digits
from meanfield.studies.validation import validate as validation
from meanfield.studies.validation.cases import Case, Effort

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
    assert [check["quantity"] for check in report["checks"]] == ["m_λ", "λ_max, 1-fold"]
    assert run(["validate", "--quick"]) == 0
    assert "2 passed, 0 failed" in capsys.readouterr().out

    monkeypatch.setattr(validation.validate, "__kwdefaults__", {
        **validation.validate.__kwdefaults__, "predict": with_kappa2_times(2),
    })  # fmt: skip
    assert run(["validate", "--quick"]) == 1
    assert "1 passed, 1 failed" in capsys.readouterr().out
