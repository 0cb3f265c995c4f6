"""Figures of scripts of the tests' own."""

import sys

import matplotlib
import pytest

from meanfield.reproduction import reproduce as reproduction

SCRIPT = """
import pandas
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.numbers import Number
from meanfield.reproduction.run import Made

{first}

def make(run):
    figure, axes = style.pyplot().subplots(figsize=(2, 1))
    run.save(figure, pandas.DataFrame({{"x": [run.choose(1, 2)]}}))
    numbers = [Number("a", 2.0, 1.0, 0.1)]
    return Made("{name} <title>", "See & believe.", {{"M": [1, 2]}}, numbers, place={place})

if __name__ == "__main__":
    main(["reproduce", "--only", "{name}"])
"""


@pytest.fixture
def add_script(tmp_path, monkeypatch):
    """Puts a script of that name into a folder that the figures come from, for one test."""
    matplotlib.use("Agg")
    folder = tmp_path / "scripts"
    folder.mkdir()
    monkeypatch.setattr(reproduction, "scripts_folder", lambda: folder)

    def add(name, place=0.0, first=""):
        path = folder / f"{name.replace('-', '_')}.py"
        path.write_text(SCRIPT.format(name=name, place=place, first=first))
        return path

    yield add
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def scripts(add_script):
    """Three figures, the first of which fails; the last comes before the second on the page."""
    add_script("made-one", place=2)
    add_script("made-two", place=1)
    add_script("broken").write_text("def make(run):\n    raise RuntimeError('no luck')\n")
