"""The command as a whole: help, exit codes, and as a process of its own."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from command_line import output, strict

from meanfield import ACTIVATIONS, NORMS, Network, __version__, simulate
from meanfield.__main__ import main
from meanfield.commands.cli import cli, run
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


def test_without_a_command_there_is_help(capsys):
    assert output(capsys) == output(capsys, "--help")


@pytest.mark.parametrize("name", cli.commands)
def test_every_command_has_examples_that_it_understands(capsys, tmp_path, monkeypatch, name):
    text = output(capsys, name, "--help").partition("Examples:\n")[2]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "a.zarr").mkdir(parents=True)
    (tmp_path / "grid.toml").touch()
    lines = [line.split() for line in text.splitlines()]
    assert lines
    for program, command, *arguments in lines:
        assert (program, command) == ("meanfield", name)
        cli.commands[name].make_context(name, arguments)  # parsed, but not run


def test_help_lists_what_there_is(capsys):
    words = output(capsys, "predict", "--help").replace(",", " ").split()
    assert {*NORMS, *ACTIVATIONS} <= set(words)


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


def test_an_interrupt_that_something_swallowed_is_told_of(capfd, monkeypatch):
    def swallow(_):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        print("result")
        return 0

    def end(code):
        raise SystemExit(code)

    monkeypatch.setattr("meanfield.commands.cli.run", swallow)
    monkeypatch.setattr("meanfield.machine.interrupts.os._exit", end)
    monkeypatch.setattr(sys, "argv", ["meanfield"])
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit, match="130"):
            main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert capfd.readouterr() == ("result\n", "meanfield: interrupted\n")


INTERRUPTED_IMPORT = """
import os, signal, sys
class Finder:  # Ctrl-C arrives when this module is looked for, in the middle of the imports
    def find_spec(name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
from meanfield.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["click", "jax"])
def test_an_interrupt_during_imports_leaves_one_line(module):
    done = command(module, start=("-c", INTERRUPTED_IMPORT))
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "meanfield: interrupted\n"


TOO_MUCH = [OverflowError("int too large"), MemoryError(), ZeroDivisionError("by 0"), KeyError("x")]


@pytest.mark.parametrize("error", [*TOO_MUCH, RecursionError("too deep")])
def test_what_no_check_has_caught_is_one_line_too(capsys, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("meanfield.commands.spectrum.predict", fail)
    assert run(["predict", *ARGUMENTS]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"meanfield: {type(error).__name__}: ")
    assert err.count("\n") == 1


LONG = "a" * 100_000


@pytest.mark.parametrize(
    "line",
    [
        ["predict", "--depth", "2", "--width", "5", "--samples", "5", "--activation", LONG],
        ["predict", "--depth", "2", "--width", "5", "--samples", "5", "--activation", f"{LONG}:f"],
        ["predict", "--depth", "2", "--width", "5", "--samples", "5", f"--norm={LONG}"],
        ["predict", "--depth", "2", "--width", "5", "--samples", "5", "--data", LONG],
        ["predict", "--depth", "2", "--width", "5", "--samples", "5", "--data", f"{LONG}.npy"],
        ["predict", "--depth", "9" * 5000, "--width", "5", "--samples", "5"],
        ["predict", "--depth", LONG],
        ["predict", "--widths", "a, " * 9999],
        ["train", "--learning-rates", f"{LONG}:1:2"],
        ["sweep", LONG, "--store", "x"],
        ["show", "a b\n" * 9999],
        ["show", ".", "--select", LONG],
        [LONG],
        [f"--{LONG}"],
    ],
    ids=range(14),
)
def test_nothing_long_is_repeated(capsys, line):
    assert run(line) in (1, 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert len(err) < 700


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


# What others import if it is there, of what is not installed here.
OPTIONAL = ("libtpu", "jax_plugins", "etils", "zstandard", "pyarrow", "lz4", "snappy", "cupy")


def test_files_of_the_current_folder_are_not_run_and_terminals_may_lack_unicode(
    tmp_path, monkeypatch
):
    """A terminal without it gets question marks."""
    monkeypatch.chdir(tmp_path)
    for name in OPTIONAL:
        (tmp_path / f"{name}.py").write_text("raise SystemExit(f'{__file__} was run')")
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
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit, match=r"needs an extra: pip install 'meanfield\[cli\]'"):
            main()
    finally:
        signal.signal(signal.SIGINT, before)
