import os
import re
import sys
from contextlib import contextmanager
from select import select

import pytest
from rich.progress import Progress

from meanfield.machine.progress import progress_bar


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


MARK = "<end of what was shown>"


@contextmanager
def terminal():
    """Makes stderr a pseudo-terminal; what it yields returns what has been shown since."""
    reader, writer = os.openpty()
    with open(writer, "w") as stderr, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)

        def shown():
            stderr.write(MARK)  # a terminal passes text on in order, but takes its time
            stderr.flush()
            text = b""
            while not text.endswith(MARK.encode()):
                assert select([reader], [], [], 60)[0], "the terminal is silent"
                text += os.read(reader, 10**5)
            return text.decode().removesuffix(MARK)

        yield shown
    os.close(reader)


def run(items, description, total=None):
    with progress_bar(items, description, total) as wrapped:
        return list(wrapped)


@pytest.mark.parametrize("environment", ["TERM", "FORCE_COLOR"])
def test_silence_without_a_terminal(capsys, monkeypatch, environment):
    monkeypatch.setenv(environment, "1")  # what asks for colours does not ask for a bar
    assert run(range(3), "counting") == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_description_and_the_end(capsys):
    with terminal() as shown:
        assert run(range(3), "counting") == [0, 1, 2]
        text = shown()
    assert "counting" in text
    assert "100%" in text
    assert "3/3" in text
    assert capsys.readouterr().out == ""


def test_the_total_may_be_given_for_an_iterator():
    with terminal() as shown:
        assert run(iter("abcd"), "letters", total=4) == list("abcd")
        assert "100%" in shown()
        assert run(iter("abcd"), "unknown") == list("abcd")
        assert "unknown" in shown()


@pytest.fixture
def clock(monkeypatch):
    """The bar's time passes when the test says so, and it looks at every item at once."""
    seconds = [0.0]

    class Clocked(Progress):
        def __init__(self, *columns, **options):
            clocked = {"get_time": lambda: seconds[0], "auto_refresh": False}
            super().__init__(*columns, **options, **clocked)

    monkeypatch.setattr("rich.progress.Progress", Clocked)
    return seconds


def test_the_rate_is_shown(clock):
    def slowly():
        for i in range(4):
            clock[0] += 0.4
            yield i

    with terminal() as shown:
        run(slowly(), "counting", total=4)
        rates = re.findall(r"([\d.]+)/s", shown())
    assert rates
    assert set(rates) == {"2.5"}  # one in 0.4 s, from the first on


def test_a_bar_inside_a_bar_is_silent():
    with terminal() as shown:
        with progress_bar("ab", "outer") as outer:
            seen = [(letter, number) for letter in outer for number in run(range(2), "inner")]
        text = shown()
    assert seen == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert "outer" in text
    assert "inner" not in text


def test_a_bar_after_a_bar_is_shown():
    with terminal() as shown:
        for name in ("first", "second"):
            run(range(2), name)
            assert name in shown()


def test_an_error_passes_through_and_frees_the_terminal():
    def fail():
        with progress_bar(range(2), "failing") as numbers:
            for number in numbers:
                raise ArithmeticError(f"at {number}")

    with terminal() as shown:
        with pytest.raises(ArithmeticError, match="at 0"):
            fail()
        assert "failing" in shown()
        run(range(2), "afterwards")
        assert "afterwards" in shown()


def test_the_bar_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with terminal() as shown:
        assert run(range(3), "counting") == [0, 1, 2]
        assert shown() == ""
