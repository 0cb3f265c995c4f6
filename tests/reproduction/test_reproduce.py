"""The frame of the figures, on scripts of the tests' own."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from meanfield.commands.cli import run
from meanfield.reproduction import reproduce as reproduction
from meanfield.reproduction.reproduce import load_script, reproduce


def test_a_failing_figure_does_not_stop_the_others(scripts, tmp_path, capsys):
    out = tmp_path / "figures"
    assert run(["reproduce", "--out", str(out), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [figure["name"] for figure in report["figures"]] == ["made-one", "made-two"]
    assert "RuntimeError: no luck" in report["failures"]["broken"]
    assert "Traceback" in (out / ".runs" / "broken-error.txt").read_text()
    for kind in ("png", "pdf", "csv", "json"):
        assert (out / f"made-one.{kind}").stat().st_size
    record = json.loads((out / "made-one.json").read_text())
    assert record == report["figures"][0]
    assert record["size"] == "quick"
    assert {"meanfield", "jax", "device", "seed", "seconds"} <= set(record)
    html = (out / "index.html").read_text()
    assert html.index('id="made-two"') < html.index('id="made-one"')
    assert "broken" not in html


def test_only_refreshes_one(scripts, tmp_path, capsys):
    out = tmp_path / "figures"
    reproduce(only=["made-one", "made-two"], out=out)
    before = (out / "made-one.json").read_bytes()
    assert run(["reproduce", "--full", "--only", "made-two", "--out", str(out)]) == 0
    assert "made-two  full" in capsys.readouterr().out
    assert (out / "made-one.json").read_bytes() == before
    assert (out / "made-two.csv").read_text() == "x\n2\n"
    assert (out / "index.html").read_text().count("<section") == 2


def test_quick_figures_do_not_replace_those_of_full_size(scripts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert reproduce(full=True, only=["made-one"]).index == Path("figures/index.html")
    assert reproduce(only=["made-one"]).index == Path("figures/quick/index.html")
    assert Path("figures/made-one.csv").read_text() == "x\n2\n"
    assert Path("figures/quick/made-one.csv").read_text() == "x\n1\n"
    ignored = (reproduction.PACKAGE.parent / ".gitignore").read_text().splitlines()
    assert {"figures/quick/", ".runs/"} <= set(ignored)


def test_a_script_is_found_by_being_there(scripts, add_script, tmp_path, capsys):
    assert run(["reproduce", "--only", "one-more", "--out", str(tmp_path / "f")]) == 2
    assert not (tmp_path / "f").exists()
    add_script("one-more", place=1.5)
    reproduce(only=["made-one", "made-two", "one-more"], out=tmp_path / "f")
    html = (tmp_path / "f" / "index.html").read_text()
    places = [html.index(f'id="{name}"') for name in ("made-two", "one-more", "made-one")]
    assert places == sorted(places)


def test_what_lies_beside_a_script_comes_before_the_users_modules(
    add_script, tmp_path, monkeypatch
):
    """A user's module of the same name is not taken for it."""
    (tmp_path / "beside.py").write_text("WHOSE = 'the user'\n")
    monkeypatch.syspath_prepend(tmp_path)
    script = add_script("made-three", first="from beside import WHOSE")
    (script.parent / "beside.py").write_text("WHOSE = 'the figure'\n")
    path = list(sys.path)
    assert load_script("made-three").WHOSE == "the figure"
    assert sys.path == path


def test_what_a_figure_took_is_added_up(scripts, tmp_path):
    """An interrupted run's time counts too: its sweeps are not measured again."""
    for seconds in (100.0, 200.0):
        (tmp_path / ".runs").mkdir(exist_ok=True)
        (tmp_path / ".runs" / "made-one-quick-seconds.json").write_text(str(seconds))
        (record,) = reproduce(only=["made-one"], out=tmp_path).figures
        assert seconds < record["seconds"] < seconds + 60
    reproduce(only=["broken"], out=tmp_path)
    assert (tmp_path / ".runs" / "broken-quick-seconds.json").exists()


def test_an_unknown_figure_is_refused(scripts, tmp_path, capsys):
    assert run(["reproduce", "--only", "made-oen", "--out", str(tmp_path / "x")]) == 2
    said = "only must be one of broken, made-one, made-two, got 'made-oen'"
    assert said in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_the_users_data_are_looked_at_first(scripts, add_script, tmp_path, capsys):
    add_script("trained", first="TAKES_DATA = True")
    out = tmp_path / "figures"
    np.savez(tmp_path / "bare.npz", inputs=np.eye(4))
    for source, said in (("nowhere", "nowhere"), ("bare.npz", "must be integer labels")):
        assert run(["reproduce", "--data", str(tmp_path / source), "--out", str(out)]) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(ValueError, match="data must come with the trained figure, got only"):
        reproduce(only=["made-one"], data=tmp_path / "bare.npz", out=out)
    with pytest.raises(ValueError, match="data must be a file or folder, got 5"):
        reproduce(data=5, out=out)
    assert not out.exists()


def test_the_scripts_of_a_checkout_lie_beside_the_package():
    folder = reproduction.scripts_folder()
    assert folder == reproduction.PACKAGE.parent / "scripts" / "figures"
