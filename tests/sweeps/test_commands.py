"""The commands of sweeps, on real processes."""

import json

import pandas
import pytest
from small_sweep import marks

from meanfield.commands.cli import run
from meanfield.sampling import dual
from meanfield.sampling.measurement import Request
from meanfield.spec.network import Network
from meanfield.sweeps.dataset import load


def test_the_command_sweeps_and_shows(cluster, tmp_path, capsys):
    path, store = tmp_path / "grid.toml", tmp_path / "e.zarr"
    path.write_text("depth = 2\nwidth = 6\nsamples = 5\nweight_var = [1.0, 2.0]\ndraws = 2\n")
    on = ["--scheduler", cluster.scheduler_address]
    assert run(["sweep", str(path), "--store", str(store), *on, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["cells"], summary["measured"], summary["failed"]) == (2, 4, 0)
    assert run(["show", str(store), "--select", "weight_var=2.0", "--json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    dataset = load(store).sel(weight_var=2.0)
    assert cell["weight_var"] == 2.0
    assert cell["eigenvalue_max"] == pytest.approx(float(dataset.eigenvalue_max.mean()), rel=1e-12)
    sem = dataset.eigenvalue_max.values.std(ddof=1) / 2**0.5
    assert cell["eigenvalue_max_sem"] == pytest.approx(sem, rel=1e-9)
    assert run(["show", str(store), "--csv", str(tmp_path / "cells.csv")]) == 0
    written = pandas.read_csv(tmp_path / "cells.csv")
    assert written.eigenvalue_max[1] == pytest.approx(float(dataset.eigenvalue_max.mean()), 1e-15)
    assert f"{cell['eigenvalue_max']:.5g}" in capsys.readouterr().out
    picture = tmp_path / "cells.png"
    assert run(["show", str(store), "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert run(["show", str(store), "--plot", str(picture), "--along", "norm"]) == 2
    assert "axis must be one of" in capsys.readouterr().err
    assert run(["scaling", str(store), "--along", "weight_var", "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)["lines"]
    assert line["points"] == 2
    for bad in ("weight_var", "depth=2", "weight_var=7"):
        assert run(["show", str(store), "--select", bad]) == 2
        assert "select must" in capsys.readouterr().err


def test_failures_are_recorded_and_set_the_exit_code(cluster, tmp_path, capsys):
    """Dead relu units under rms are 0/0 in draw 0 of seed 1; the other draw is measured."""
    path, store = tmp_path / "grid.toml", tmp_path / "f.zarr"
    path.write_text(
        'widths = [2, 2, 2, 2, 2, 2, 2]\nnorm = "rms@6"\nsamples = [4]\ndraws = 2\nseed = 1\n'
    )
    on = ["--scheduler", cluster.scheduler_address]
    assert run(["sweep", str(path), "--store", str(store), *on, "--json"]) == 3
    summary = json.loads(capsys.readouterr().out)
    assert summary["failed"] >= 1
    assert all("not finite" in message for message in summary["failures"].values())
    assert summary["failed"] + summary["measured"] == 2


def test_what_is_left_is_planned(cluster, whole, tmp_path, capsys):
    path = tmp_path / "grid.toml"
    path.write_text(
        "depth = 2\nwidth = 6\nsamples = [5]\nbias_var = [0.0, 0.1, 0.2]\n"
        "weight_var = [1.0, 1.5, 2.0]\ndraws = 4\n"
    )
    before = marks(whole)
    on = ["--scheduler", cluster.scheduler_address]
    arguments = ["sweep", str(path), "--store", str(whole), *on, "--dry-run", "--json"]
    assert run(arguments) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["cells"], planned["draws"], planned["seconds"]) == (9, 0, 0.0)
    assert run([*arguments, "--draws", "7"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["draws"], planned["kinds"]) == (27, 1)
    cost = dual.cost(Network(depth=2, width=6), 5, Request())
    assert planned["flops"] == pytest.approx(27 * cost.flops)
    c = planned["calibration"]
    measuring = 27 * c["draw_seconds"] + planned["flops"] / c["flops_per_second"]
    expected = c["start_seconds"] + (c["compile_seconds"] + measuring) / planned["workers"]
    assert planned["seconds"] == pytest.approx(expected)
    assert marks(whole) == before
