"""An interrupted validation is taken up again, and no other one in its place."""

import json

import pytest

from meanfield.numerics.estimates import Estimate
from meanfield.studies.validation import digits, white_noise
from meanfield.studies.validation import validate as validation
from meanfield.studies.validation.cases import Case
from meanfield.studies.validation.report import check
from meanfield.studies.validation.validate import validate

CASES = [Case("none", "tanh", 1), Case("mean@last", "relu", 4), Case("batch@1", "linear", 1)]


@pytest.fixture
def held(monkeypatch):
    """The cases that are measured, each in no time."""
    seen = []

    def hold(case, effort, seed, predict):
        seen.append(case)
        yield check(case, "m_λ", Estimate(1.0, 0.0), Estimate(1.0 + len(seen), 0.1), 400)

    monkeypatch.setattr(validation, "cases", lambda quick: CASES)
    monkeypatch.setattr(digits, "cases", lambda quick: [])
    monkeypatch.setattr(white_noise, "compare", hold)
    return seen


def test_every_state_that_a_kill_leaves_is_taken_up(held, tmp_path):
    store = tmp_path / "runs" / "validation.jsonl"
    whole = validate(store=store)
    content = store.read_bytes()
    ends = [i for i, byte in enumerate(content) if byte == ord("\n")]
    assert len(ends) == 1 + len(CASES)
    for cut in range(0, len(content) + 1, 7):
        store.write_bytes(content[:cut])
        finished = max(sum(end < cut for end in ends) - 1, 0)
        held[:] = CASES[:finished]  # so that the numbers come out the same
        assert validate(store=store).checks == whole.checks
        assert held == CASES  # the others, once
        assert len(store.read_bytes().splitlines()) == 1 + len(CASES)


def test_another_validation_is_refused(held, tmp_path):
    store = tmp_path / "validation.jsonl"
    validate(store=store)
    before = store.read_bytes()
    for other in ({"seed": 1}, {"quick": True}):
        with pytest.raises(ValueError, match="store must hold a validation of"):
            validate(store=store, **other)
    for content in (b"[]\n", b"{}\n1\n", before.replace(b'"checks"', b'"chucks"')):
        store.write_bytes(content)
        with pytest.raises(ValueError, match="holds something else"):
            validate(store=store)
        assert store.read_bytes() == content
    assert json.loads(before.splitlines()[0])["seed"] == 0
