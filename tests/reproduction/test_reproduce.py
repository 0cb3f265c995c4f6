"""The frame of the figures on scripts of its own, one real figure, and the page in a browser."""

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from meanfield.commands.cli import run
from meanfield.reproduction import reproduce as reproduction
from meanfield.reproduction.page import page
from meanfield.reproduction.reproduce import FIGURES, reproduce, scripts_folder
from meanfield.reproduction.run import Number, Run, Workers
from meanfield.sweeps.grid import Grid
from meanfield.theory.predict import predict

matplotlib.use("Agg")

SCRIPT = """
import pandas
from meanfield.plot import style
from meanfield.reproduction.run import Made, Number

def make(run):
    figure, axes = style.pyplot().subplots(figsize=(2, 1))
    run.save(figure, pandas.DataFrame({{"x": [run.choose(1, 2)]}}))
    return Made("{name} <title>", "See & believe.", {{"M": [1, 2]}}, [Number("a", 2.0, 1.0, 0.1)])
"""
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """Three figures, the second of which fails."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name in ("made-one", "made-two"):
        (folder / f"figure_{name.replace('-', '_')}.py").write_text(SCRIPT.format(name=name))
    (folder / "figure_broken.py").write_text("def make(run):\n    raise RuntimeError('no luck')\n")
    monkeypatch.setattr(reproduction, "FIGURES", ("made-one", "broken", "made-two"))
    monkeypatch.setattr(reproduction, "scripts_folder", lambda: folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return folder


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
    assert html.index('id="made-one"') < html.index('id="made-two"')
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


def test_what_a_figure_took_is_added_up(scripts, tmp_path):
    """An interrupted run's time counts too: its sweeps are not measured again."""
    for seconds in (100.0, 200.0):
        (tmp_path / ".runs").mkdir(exist_ok=True)
        (tmp_path / ".runs" / "made-one-quick-seconds.json").write_text(str(seconds))
        (record,) = reproduce(only=["made-one"], out=tmp_path).figures
        assert seconds < record["seconds"] < seconds + 60
    reproduce(only=["broken"], out=tmp_path)
    assert (tmp_path / ".runs" / "broken-quick-seconds.json").exists()


def test_an_unknown_figure_is_refused(tmp_path, capsys):
    assert run(["reproduce", "--only", "widht", "--out", str(tmp_path / "x")]) == 2
    said = f"only must be one of {', '.join(FIGURES)}, got 'widht'"
    assert said in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_every_script_is_there_and_in_the_wheel():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for name in FIGURES:
        script = scripts_folder() / f"figure_{name.replace('-', '_')}.py"
        imported = re.findall(r"^(?:import|from) (\w+)", script.read_text(), re.MULTILINE)
        shared = [scripts_folder() / f"{module}.py" for module in imported]
        for path in (script, *filter(Path.is_file, shared)):
            assert packed[f"scripts/{path.name}"] == f"meanfield/figure_scripts/{path.name}"


def test_a_script_runs_by_itself(scripts, tmp_path, monkeypatch):
    arguments = [str(scripts / "figure_made_one.py"), "--out", str(tmp_path / "f")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        reproduction.main(arguments[0])
    assert ended.value.code == 0
    assert (tmp_path / "f" / "made-one.png").exists()


def test_numbers_are_kept(tmp_path):
    kept = Run("x", full=True, out=tmp_path, workers=Workers())
    assert kept.keep("cell", {"widths": (3,)}, lambda: {"value": (1,)}) == {"value": [1]}
    assert kept.keep("cell", {"widths": (3,)}, lambda: 1 / 0) == {"value": [1]}
    with pytest.raises(ZeroDivisionError):
        kept.keep("other", {"widths": (3,)}, lambda: 1 / 0)


def test_numbers_of_something_else_are_not_taken(tmp_path):
    kept = Run("x", full=True, out=tmp_path, workers=Workers())
    kept.keep("cell", {"width": 3}, lambda: {"value": 1})
    assert kept.keep("cell", {"width": 4}, lambda: {"value": 2}) == {"value": 2}
    other = Run("x", full=True, out=tmp_path, workers=Workers(), seed=1)
    assert other.keep("cell", {"width": 4}, lambda: {"value": 3}) == {"value": 3}


def test_the_users_data_are_looked_at_first(tmp_path, capsys):
    out = tmp_path / "figures"
    np.savez(tmp_path / "bare.npz", inputs=np.eye(4))
    for source, said in (("nowhere", "nowhere"), ("bare.npz", "must be integer labels")):
        assert run(["reproduce", "--data", str(tmp_path / source), "--out", str(out)]) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(ValueError, match="data must come with the learning-rate figure, got only"):
        reproduce(only=["width"], data=tmp_path / "bare.npz", out=out)
    with pytest.raises(ValueError, match="data must be a file or folder, got 5"):
        reproduce(data=5, out=out)
    assert not out.exists()


def test_the_users_data_are_trained_on_as_well(tmp_path, monkeypatch):
    """A class that none of the rows chosen is of has no variance to divide by."""
    monkeypatch.syspath_prepend(scripts_folder())
    import figure_learning_rate

    labels, images = np.arange(12) % 3, np.random.default_rng(0).normal(size=(12, 5))
    np.savez(tmp_path / "own.npz", x=images, y=labels)
    for name, value in {
        "SAMPLES": (2, 2), "WIDTHS": ([7], [7]), "PLACEMENTS": ["none"], "STEPS": (2, 3),
        "RATES": (2, 2),
    }.items():  # fmt: skip
        monkeypatch.setattr(figure_learning_rate, name, value)
    drawn = Run("x", full=False, out=tmp_path, workers=Workers(), data=tmp_path / "own.npz")
    *_, own = figure_learning_rate.tasks(drawn)
    network, x, y = figure_learning_rate.problem(drawn, own, "batch@last", 7)
    assert network.widths == (7, 7, 7)
    assert network.outputs == 3
    assert x.shape == (2, 5)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-15)
    assert set(y.std(axis=0)) == {0, 1}

    rows = figure_learning_rate.measure(drawn, own)
    assert rows["loss"].notna().any()
    assert figure_learning_rate.measure(drawn, own).equals(rows)
    figure_learning_rate.load.cache_clear()
    np.savez(tmp_path / "own.npz", x=2 * images[::-1], y=labels)
    assert not figure_learning_rate.measure(drawn, own)["loss"].equals(rows["loss"])


def test_a_failed_draw_does_not_cost_a_median(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(scripts_folder())
    import figure_table

    drawn = Run("x", full=False, out=tmp_path, workers=Workers())
    grid = Grid(depth=2, width=9, samples=5, outputs=4, norm=["rms@last"])
    (cell,) = grid.cells()
    found = figure_table.medians(drawn, cell, np.array([1.0, np.nan, 3.0, 2.0]))
    assert found["eigenvalue_max"] == 2
    theory = predict(cell.network, 5, output_draws=figure_table.OUTPUT_DRAWS, seed=drawn.seed)
    median = theory.eigenvalue_max_at_samples["50%"]
    assert found["theory_eigenvalue_max"] == median["value"]
    assert found["eigenvalue_max_sem"] > 2 * median["sem"] / median["value"]


def test_a_real_figure_from_the_command(tmp_path, monkeypatch, capsys):
    """Its sweep runs on shared workers, and a second run only reads it."""
    monkeypatch.syspath_prepend(scripts_folder())
    import figure_placement

    monkeypatch.setattr(figure_placement, "DEPTH", 2)
    monkeypatch.setattr(figure_placement, "WIDTH", (8, 8))
    monkeypatch.setattr(figure_placement, "SHOWN", (["linear"], []))
    monkeypatch.setitem(figure_placement.ACTIVATIONS, "linear", (1.0, 0.1))
    assert run(["reproduce", "--only", "placement", "--out", str(tmp_path), "--json"]) == 0
    (figure,) = json.loads(capsys.readouterr().out)["figures"]
    assert [number["what"] for number in figure["numbers"]] == [
        "linear, none",
        "linear, batch@1",
        "linear, batch@2",
    ]
    assert all(number["sem"] > 0 for number in figure["numbers"])
    monkeypatch.setattr("meanfield.reproduction.run.connect", None)
    again = reproduce(only=["placement"], out=tmp_path).figures
    assert again[0]["numbers"] == figure["numbers"]


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome is installed")
def test_the_page_opens_in_a_browser(scripts, tmp_path):
    """Every picture is there, and nothing goes wrong or is asked for elsewhere."""
    from playwright.sync_api import sync_playwright

    report = reproduce(only=["made-one", "made-two"], out=tmp_path / "f")
    problems, requests = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=list(QUIET))
        tab = browser.new_page()
        tab.on("console", lambda message: problems.append(message.text))
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("requestfailed", lambda request: problems.append(request.url))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(report.index.as_uri())
        widths = tab.eval_on_selector_all("img", "images => images.map(i => i.naturalWidth)")
        words = tab.inner_text("body")
        browser.close()
    assert problems == []
    assert len(widths) == 2
    assert all(width > 0 for width in widths)
    assert all(url.startswith(("data:", "file:")) for url in requests)
    assert "made-one <title>" in words
    assert "-50.0%" in words


def page_of(*numbers):
    record = {
        "name": "a", "title": "t", "sentence": "s", "size": "full", "seed": 0, "seconds": 1.0,
        "device": "cpu", "meanfield": "0", "jax": "0", "parameters": {"T": "M"},
        "numbers": [number._asdict() for number in numbers],
    }  # fmt: skip
    return page([(record, b"\x89PNG" + bytes(30))])


def test_the_page_sets_exponents_side_by_side():
    """A ratio to an exponent of about 0 says nothing."""
    html = page_of(Number("x", -1e-16, 0.018, 0.003, is_exponent=True), Number("y", 2.0, 3.0, 0.1))
    assert "<td>+0.018</td>" in html
    assert "<td>+50.0%</td>" in html


def test_the_page_marks_bounds_and_folds_long_tables():
    html = page_of(*[Number("x", 1.5, 6.0, 0.5, is_bound=True)] * 20)
    assert "≥ 1.5" in html
    assert "20 numbers" in html
    assert "%" not in re.sub("<style>.*</style>", "", html, flags=re.DOTALL)


def test_grids_of_the_widths_are_possible(tmp_path, monkeypatch):
    """Both sizes of the sweep that two figures share."""
    monkeypatch.syspath_prepend(scripts_folder())
    import along_width

    grids = []
    for full in (False, True):
        here = Run("width", full, tmp_path, Workers())
        monkeypatch.setattr(Run, "sweep", lambda self, name, grid: grids.append((name, grid)))
        for activation in along_width.ACTIVATIONS:
            along_width.sweeps(here, activation)
    assert len({name for name, _ in grids}) == 9
    assert all(isinstance(grid, Grid) and "norm" in grid.axes for _, grid in grids)
