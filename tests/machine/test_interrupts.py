"""What Ctrl-C does to a command, in this process: ends of the process are recorded only."""

import signal
import sys

import pytest

from meanfield.machine import interrupts
from meanfield.machine.interrupts import leave_at_once, watched


class Left(BaseException):
    """The process would have ended."""


@pytest.fixture(autouse=True)
def _recorded(monkeypatch):
    def end(code):
        raise Left(code)

    monkeypatch.setattr(interrupts.os, "_exit", end)
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


def test_during_imports_the_process_ends_at_once(capfd):
    leave_at_once()
    with pytest.raises(Left, match="130"):
        ctrl_c()
    assert capfd.readouterr().err == "meanfield: interrupted\n"


def test_the_first_one_is_an_exception_and_the_second_one_the_end():
    before = signal.getsignal(signal.SIGINT)
    with watched() as watch:
        assert not watch.rung
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
        assert watch.rung
        with pytest.raises(Left):
            ctrl_c()
    assert signal.getsignal(signal.SIGINT) == before


class Swallowing:
    """Python ignores what a finalizer raises."""

    def __del__(self):
        ctrl_c()


def test_what_nobody_can_catch_is_the_end(capfd):
    hook, ends = sys.unraisablehook, []
    with watched() as watch, pytest.MonkeyPatch.context() as patch:
        patch.setattr(interrupts.os, "_exit", ends.append)
        Swallowing()  # its last reference is gone at once
        assert watch.rung
    assert ends == [130]
    assert sys.unraisablehook == hook
    assert capfd.readouterr().err.startswith("meanfield: interrupted\n")


def test_a_job_that_ignores_it_goes_on_ignoring_it():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_at_once()
    ctrl_c()
    with watched() as watch:
        ctrl_c()
    assert not watch.rung
