"""The command as a whole: help, exit codes, and as a process of its own."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from command_line import output, strict

from meanfield import Network, __version__, simulate
from meanfield.__main__ import main
from meanfield.commands.cli import run
from meanfield.sampling import methods
from meanfield.sampling.measurement import Measurement

CACHE = "JAX_COMPILATION_CACHE_DIR"
ARGUMENTS = ("--widths", "6,5", "--bias-var", "0.2", "--samples", "7")
NET = Network(widths=(6, 5), bias_var=0.2)


def test_help_and_version(capsys):
    assert output(capsys, "--version").strip().endswith(__version__)
    assert {"compare", "predict", "simulate", "validate"} <= set(output(capsys, "--help").split())
    for command in ("compare", "predict", "simulate"):
        text = output(capsys, command, "--help")
        for option in ("--depth", "--widths", "--activation", "--norms", "--samples", "--json"):
            assert option in text


@pytest.fixture
def interrupted(monkeypatch, request):
    """Ctrl-C arrives in the draw of that number."""
    calls = count()

    def measure(*_):
        if next(calls) == request.param:
            raise KeyboardInterrupt
        return Measurement(np.ones(1), 2.0, 3.0)

    record = replace(methods.METHODS["dual"], measure=measure)
    monkeypatch.setitem(methods.METHODS, "dual", record)


@pytest.mark.parametrize("interrupted", [2], indirect=True)
def test_an_interrupt_prints_the_finished_draws(capsys, interrupted):
    printed = strict(output(capsys, "simulate", *ARGUMENTS, "--json", code=130))
    assert len(printed["eigenvalue_max"]["draws"]) == 2
    assert "interrupted: 2 of 10 draws" in printed["notes"]


@pytest.mark.parametrize("interrupted", [0], indirect=True)
def test_an_interrupt_without_draws_prints_nothing(capsys, interrupted):
    assert run(["simulate", *ARGUMENTS, "--json"]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip() == "meanfield: interrupted"  # on a line of its own, below the ^C


COMMAND = """
import runpy
from meanfield.machine import compilations
compilations.WORTH_KEEPING = 0  # however fast the machine compiles, everything is kept
runpy.run_module("meanfield", run_name="__main__")
"""


def command(*arguments, start=("-m", "meanfield"), **environment):
    line = [sys.executable, *start, *arguments]
    inherited = {name: value for name, value in os.environ.items() if name != CACHE}
    environment = {**inherited, **environment}
    return subprocess.run(line, capture_output=True, text=True, timeout=600, env=environment)


def test_the_real_command_keeps_its_compilations(tmp_path):
    """The second call reads what the first one compiled, and gives the same result."""
    draws, written = [], []
    for _ in range(2):
        arguments = ("simulate", *ARGUMENTS, "--draws", "2", "--json")
        done = command(*arguments, start=("-c", COMMAND), XDG_CACHE_HOME=str(tmp_path))
        assert (done.returncode, done.stderr) == (0, "")
        draws.append(strict(done.stdout)["eigenvalue_max"]["draws"])
        written.append(sorted((tmp_path / "meanfield" / "jax").glob("*-cache")))
    assert draws[0] == draws[1]
    assert written[0]
    assert written[0] == written[1]
    # Another process, the same compiler: the same network, to the rounding of float32.
    assert draws[0] == pytest.approx(simulate(NET, 7, draws=2).eigenvalue_max.draws, rel=1e-5)


def test_a_terminal_without_unicode_gets_question_marks():
    arguments = ("predict", *ARGUMENTS)
    done = command(*arguments, PYTHONIOENCODING="ascii", **{CACHE: os.environ[CACHE]})
    assert (done.returncode, done.stderr) == (0, "")
    assert "largest eigenvalue ?_max" in done.stdout


def test_the_real_command_refuses_bad_input():
    done = command("predict", "--depth", "3", "--width", "0", "--samples", "7")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "meanfield: width must be a positive integer, got 0\n"


def test_the_command_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "click", None)
    monkeypatch.delitem(sys.modules, "meanfield.commands.cli")
    with pytest.raises(SystemExit, match=r"needs an extra: pip install 'meanfield\[cli\]'"):
        main()
