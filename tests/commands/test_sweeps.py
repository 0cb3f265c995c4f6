"""`meanfield sweep`, `show` and `scaling`: tables and exit codes, on a sweep made by hand."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
import xarray
from command_line import output, strict

from meanfield.commands import sweeps
from meanfield.commands.cli import run
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.words import DONE, FAILED, MISSING

WIDTHS, NORMS = [10, 20, 40], ["none", "batch@last"]
GRID = "depth = 2\nwidth = [10, 20, 40]\nnorm = ['none', 'batch@last']\nsamples = 7\ndraws = 3\n"


@pytest.fixture
def dataset(monkeypatch):
    """λ_max = M (1 ± 0.1) under no norm and M/2 under the other, one draw failed, one missing."""
    lines = ("norm", "width")
    mean = np.array([WIDTHS, np.divide(WIDTHS, 2)])
    measured = mean[:, :, None] * np.array([0.9, 1.0, 1.1])
    status = np.full(measured.shape, DONE)
    status[1, 2, 1:] = FAILED, MISSING
    measured[1, 2, 1:] = np.nan
    names = ("eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment")
    kinds = np.array([["outlier"] * 3, ["lower-bound"] * 3])
    made = xarray.Dataset(
        {
            **{name: ((*lines, "draw"), measured) for name in names},
            **{f"theory_{name}": (lines, mean) for name in names},
            "theory_bulk_edge": (lines, mean),
            "theory_eigenvalue_max_kind": (lines, kinds),
            "status": ((*lines, "draw"), status),
        },
        {"norm": NORMS, "width": WIDTHS, "draw": np.arange(3)},
        {"grid": json.dumps({"samples": 7}), "failures": {"1,2,1": "not finite"}},
    )
    monkeypatch.setattr(sweeps, "load", lambda store: made)
    return made


def rows(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def test_cells_are_shown_with_theory_beside_measurement(capsys, dataset, tmp_path):
    shown = rows(output(capsys, "show", str(tmp_path), "--csv", str(tmp_path / "cells.csv")))
    assert shown[0] == "norm width draws λ_max theory λ_max m_λ theory m_λ"
    assert shown[1] == "none 10 3 10 10 ± 0.58 10 10 ± 0.58"
    assert shown[5] == "batch@last 20 3 ≥ 10 10 ± 0.58 10 10 ± 0.58"
    assert shown[6] == "batch@last 40 1 ≥ 20 18 20 18"  # the error of a single draw is not known
    written = pandas.read_csv(tmp_path / "cells.csv", keep_default_na=False)
    assert written["norm"].tolist() == ["none"] * 3 + ["batch@last"] * 3
    assert written.eigenvalue_max.tolist() == [10.0, 20.0, 40.0, 5.0, 10.0, 18.0]


def test_cells_can_be_selected_and_printed_in_full(capsys, dataset, tmp_path):
    arguments = ("show", str(tmp_path), "--select", "norm=none", "--select", "width=20", "--json")
    (cell,) = strict(output(capsys, *arguments))["cells"]
    assert (cell["norm"], cell["width"], cell["draws"]) == ("none", 20, 3)
    assert cell["theory_eigenvalue_max_kind"] == "outlier"
    assert cell["eigenvalue_max_sem"] == pytest.approx(2 / 3**0.5, rel=1e-14)


def test_lines_are_drawn(capsys, dataset, tmp_path):
    picture = tmp_path / "cells.svg"
    output(capsys, "show", str(tmp_path), "--plot", str(picture))
    assert "batch@last" in picture.read_text()
    line = ["show", str(tmp_path), "--plot", str(picture), "--along", "depth"]
    assert run(line) == 2
    assert "axis must be one of" in capsys.readouterr().err


def test_exponents_are_fitted(capsys, dataset, tmp_path):
    shown = rows(output(capsys, "scaling", str(tmp_path)))
    assert shown[0] == "norm exponent 95 %: from to theory's limit cells"
    assert shown[1].startswith("none 1.000 ")
    assert shown[1].endswith(" 1.000 – 3")
    assert shown[2].endswith(" 1.000 – 2")
    arguments = ("scaling", str(tmp_path), "--variable", "eigenvalue_mean", "--json")
    printed = strict(output(capsys, *arguments))
    assert printed["along"] == "width"
    assert [line["norm"] for line in printed["lines"]] == NORMS
    assert printed["lines"][0]["exponent"] == pytest.approx(1)


@pytest.mark.parametrize(("failed", "code"), [(True, 3), (False, 0)])
def test_a_sweep_sums_up_what_it_holds(capsys, monkeypatch, dataset, tmp_path, failed, code):
    calls, found = [], dataset if failed else dataset.isel(norm=[0])
    found.attrs = {} if not failed else {**found.attrs, "compile_seconds": 1.25, "run_seconds": 3}
    monkeypatch.setattr(sweeps, "sweep", lambda *given, **named: calls.append(given) or found)
    (tmp_path / "grid.toml").write_text(GRID)
    arguments = ("sweep", str(tmp_path / "grid.toml"), "--store", str(tmp_path), "--draws", "5")
    shown = rows(output(capsys, *arguments, code=code))
    ((grid, store),) = calls
    assert (grid.draws, len(grid), store) == (5, 6, tmp_path)
    if failed:
        assert shown == [
            "6 cells, 16 draws measured, 1 failed, 1 missing",
            "1.2 s of compilation, 3.0 s of measuring, summed over workers",
            "1,2,1: not finite",
        ]
    else:
        assert shown == ["3 cells, 9 draws measured, 0 failed, 0 missing"]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(50.0, "50 s"), (119.0, "119 s"), (180.0, "3.0 min"), (9000.0, "2.5 h")]
)
def test_a_plan_says_how_long_it_takes(capsys, monkeypatch, tmp_path, seconds, shown):
    calibration = {
        "start_seconds": 2.0,
        "compile_seconds": 1.5,
        "draw_seconds": 0.0012,
        "flops_per_second": 3.4e9,
        "kinds": 2,
    }
    plan = {
        "cells": 6,
        "draws": 18,
        "kinds": 3,
        "flops": 1.5e9,
        "memory": 2.5e8,
        "memory_share": 2 * 10**9,
        "workers": 2,
        "seconds": seconds,
        "calibration": SimpleNamespace(**calibration),
    }
    made = SimpleNamespace(**plan, to_dict=lambda: {**plan, "calibration": calibration})
    monkeypatch.setattr(sweeps, "plan", lambda *_, **__: made)
    (tmp_path / "grid.toml").write_text(GRID)
    arguments = ("sweep", str(tmp_path / "grid.toml"), "--store", str(tmp_path), "--dry-run")
    assert rows(output(capsys, *arguments)) == [
        "6 cells; left: 18 draws of 3 kinds, 1.5e+09 flops",
        "largest cell: 0.25 GB of 2 GB per worker",
        f"about {shown} on 2 workers",
        "measured on 2 kinds: 2 s to start, 1.5 s to compile each, 1.2 ms per draw, 3.4 GFLOP/s "
        "per worker",
    ]
    assert strict(output(capsys, *arguments, "--json"))["seconds"] == seconds
    made.calibration = None
    assert len(rows(output(capsys, *arguments))) == 1


EVIL = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\nimport jax.numpy\n"
EVIL += "f = jax.numpy.tanh\n"


def test_only_trust_imports_what_a_file_names(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil_here.py").write_text(EVIL)
    text = 'depth = 2\nwidth = 3\nsamples = 5\nactivation = "evil_here:f"\n'
    (tmp_path / "grid.toml").write_text(text)
    line = ["sweep", "grid.toml", "--store", "s"]
    assert run(line) == 2
    assert "'evil_here:f' is named by a file" in capsys.readouterr().err
    planned = strict(output(capsys, *line, "--dry-run", "--json"))
    assert (planned["cells"], planned["draws"], planned["seconds"]) == (1, 10, None)
    assert "--trust" in output(capsys, *line, "--dry-run")
    kept = {"grid": json.dumps(Grid.from_toml("grid.toml").to_dict())}
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "zarr.json").write_text(json.dumps({"attributes": kept}))
    for reading in ("show", "scaling"):
        assert run([reading, "s"]) == 2
    assert not (tmp_path / "ran").exists()

    def measure(grid, *_, **__):
        raise ValueError(f"left: {grid.unimported}, {len(grid)}")

    monkeypatch.setattr("meanfield.commands.sweeps.sweep", measure)
    assert run([*line, "--trust"]) == 2
    assert "left: (), 1" in capsys.readouterr().err
    assert (tmp_path / "ran").exists()
    assert str(tmp_path) not in sys.path
