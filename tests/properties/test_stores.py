"""Stores of sweeps under random damage: the numbers that were written, or a line that names it."""

import shutil
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from fuzzing import count, tries
from hypothesis import given
from random_damage import DAMAGE, GRID, damage, intact

from meanfield.commands.cli import run
from meanfield.sweeps.dataset import load
from meanfield.sweeps.kept import left
from meanfield.sweeps.store import Store
from meanfield.sweeps.words import DONE, DRAW, FAILED, STATISTICS, STATUS

LONGEST = 800  # characters of a message, which names a path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The store before any damage, its dataset, and what `show` and `scaling` print of it."""
    path = intact(tmp_path_factory.mktemp("whole") / "s")
    return path, load(path), {name: ran(name, path) for name in ("show", "scaling")}


def ran(command, path):
    """The exit code, stdout and stderr of a command on the store."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = run([command, str(path), "--json"])
    return code, out.getvalue(), err.getvalue()


def assert_said(message, path):
    assert str(path) in message
    assert "\n" not in message
    assert len(message) <= LONGEST


def assert_true(found, expected):
    """Every number is what was written, or says that it is missing; all theory is there."""
    done = found[STATUS].values == DONE
    failed = found[STATUS].values == FAILED
    assert (expected[STATUS].values[done] == DONE).all()
    assert (expected[STATUS].values[failed] == FAILED).all()
    for name in STATISTICS:
        np.testing.assert_array_equal(found[name].values[done], expected[name].values[done])
    for name, variable in expected.data_vars.items():
        if DRAW not in variable.dims:
            assert variable.equals(found[name]), name
    for axis in GRID.axes:
        assert found[axis].equals(expected[axis])


def taken_up(path):
    """The draws that a sweep says are left, and those that it leaves before it measures."""
    planned = left(path, GRID)[1]
    missing = Store(path, GRID).missing()
    return tuple({(c.place, d) for c in cells for d in c.draws} for cells in (planned, missing))


@tries(8, 400)
@given(damages=DAMAGE)
def test_a_damaged_store_holds_what_was_written_or_says_what_is_wrong(whole, damages):
    original, expected, printed = whole
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copytree(original, Path(folder) / "s"))
        for one in damages:
            damage(path, *one)
        count("stores")
        try:
            found = load(path)
        except ValueError as error:
            count("stores", "refused")
            assert_said(str(error), path)
            found = None
        else:
            assert_true(found, expected)
        for command, (_, out, _) in printed.items():
            code, now, err = ran(command, path)
            assert (code == 0) == (found is not None)
            assert err.count("\n") == (code == 2)
            if found is not None and found.identical(expected):
                assert now == out
        try:
            said, missing = taken_up(path)
        except ValueError as error:
            assert_said(str(error), path)
        else:
            assert missing <= said  # an array whose description was lost has its chunks again
            assert_true(load(path) if found is not None else expected, expected)
