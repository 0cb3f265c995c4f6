"""The scripts of the figures: what holds for all, and each at sizes that take seconds."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from meanfield.commands.cli import run
from meanfield.reproduction.reproduce import load_script, reproduce, scripts, scripts_folder
from meanfield.reproduction.run import Run, Workers
from meanfield.spec.network import Network
from meanfield.sweeps.grid import Grid
from meanfield.theory.predict import predict

matplotlib.use("Agg")

ROOT = Path(__file__).parents[2]
LONGEST = 80  # lines


def a_run(tmp_path, **options):
    return Run("x", **{"full": False, "out": tmp_path, "workers": Workers(), **options})


@pytest.mark.parametrize("path", sorted((ROOT / "scripts" / "figures").rglob("*.py")), ids=str)
def test_a_script_is_short(path):
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("name", scripts())
def test_every_script_makes_the_figure_of_its_name(name):
    text = scripts()[name].read_text()
    assert callable(load_script(name).make)
    assert text.endswith(
        f'if __name__ == "__main__":\n    main(["reproduce", "--only", "{name}"])\n'
    )


def test_the_committed_figures_are_those_of_the_scripts_in_their_order():
    records = {
        path.stem: json.loads(path.read_text()) for path in (ROOT / "figures").glob("*.json")
    }
    places = {name: record["place"] for name, record in records.items() if "place" in record}
    assert places.keys() == scripts().keys()
    assert len(set(places.values())) == len(places)
    for name, place in places.items():
        assert f"place={place}," in scripts()[name].read_text()


def test_the_wheel_holds_the_folder_of_scripts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert packed == {"scripts/figures": "meanfield/figure_scripts"}
    assert scripts_folder() == ROOT / "scripts" / "figures"


def test_a_script_runs_by_itself(tmp_path):
    script = [sys.executable, str(scripts()["width"]), "--out", str(tmp_path), "--data", "nowhere"]
    done = subprocess.run(script, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2  # the options of the command are read
    assert "nowhere" in done.stderr


def test_a_real_figure_from_the_command(tmp_path, monkeypatch, capsys):
    """Its sweep runs on shared workers, and a second run only reads it."""
    import placement

    monkeypatch.setattr(placement, "DEPTH", 2)
    monkeypatch.setattr(placement, "WIDTH", (8, 8))
    monkeypatch.setattr(placement, "SHOWN", (["linear"], []))
    monkeypatch.setattr("meanfield.reproduction.run.check_workers", lambda *_: 1)
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


def test_the_users_data_are_trained_on_as_well(tmp_path, monkeypatch):
    """A class that none of the rows chosen is of has no variance to divide by."""
    from parts import tasks, training

    labels, images = np.arange(12) % 3, np.random.default_rng(0).normal(size=(12, 5))
    np.savez(tmp_path / "own.npz", x=images, y=labels)
    monkeypatch.setattr(tasks, "SAMPLES", (2, 2))
    tiny = {"WIDTHS": ([7], [7]), "PLACEMENTS": ["none"], "STEPS": (2, 3), "RATES": (2, 2)}
    for name, value in tiny.items():
        monkeypatch.setattr(training, name, value)
    drawn = a_run(tmp_path, data=tmp_path / "own.npz")
    *_, own = tasks.sources(drawn)
    network, x, y = tasks.problem(drawn, {"task": own, "norm": "batch@last", "width": 7})
    assert network.widths == (7, 7, 7)
    assert network.outputs == 3
    assert x.shape == (2, 5)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-15)
    assert set(y.std(axis=0)) == {0, 1}

    rows = training.measure(drawn, own)
    assert rows["loss"].notna().any()
    assert training.measure(drawn, own).equals(rows)
    tasks.load.cache_clear()
    np.savez(tmp_path / "own.npz", x=2 * images[::-1], y=labels)
    assert not training.measure(drawn, own)["loss"].equals(rows["loss"])


def test_a_failed_draw_does_not_cost_a_median(tmp_path):
    from parts import placements

    grid = Grid(depth=2, width=9, samples=5, outputs=4, norm=["rms@last"])
    (cell,), drawn = grid.cells(), a_run(tmp_path)
    found = placements.medians(drawn, cell, np.array([1.0, np.nan, 3.0, 2.0]))
    assert found["eigenvalue_max"] == 2
    theory = predict(cell.network, 5, output_draws=placements.OUTPUT_DRAWS, seed=drawn.seed)
    median = theory.eigenvalue_max_at_samples["50%"]
    assert found["theory_eigenvalue_max"] == median["value"]
    assert found["eigenvalue_max_sem"] > 2 * median["sem"] / median["value"]


def test_without_an_outlier_the_bulk_is_all_there_is():
    import bulk

    network = Network(depth=2, width=12, activation="linear", weight_var=1.0, norm=bulk.NORM)
    p = predict(network, 10)
    found = bulk.means(10, p.eigenvalue_mean, p.parameters)
    assert found == pytest.approx(p.bulk.mean, rel=1e-12)


@pytest.mark.parametrize("full", [False, True])
def test_grids_of_the_figures_are_possible(tmp_path, monkeypatch, full):
    """A grid builds every network; the width's is shared by two figures."""
    import samples
    from parts import along_width

    grids = {}
    monkeypatch.setattr(Run, "sweep", lambda self, name, grid: grids.update({name: grid}))
    for module, count in ((along_width, 9), (samples, 8)):
        grids.clear()
        for activation in getattr(module, "ACTIVATIONS", ("tanh", "relu", "linear")):
            list(module.sweeps(a_run(tmp_path, full=full), activation))
        assert len(grids) == count
        assert all("norm" in grid.axes for grid in grids.values())
    assert grids["samples-relu-batch@last"].axes["samples"][0] >= 4
    assert grids["samples-relu-none"].axes["samples"][0] == 2
