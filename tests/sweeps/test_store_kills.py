"""Stores after a kill at any of their operations on files: each can be taken up again.

The process is not killed really: the operation raises, and so does every one after it.
"""

import contextlib
import errno
import shutil
import sys

import pytest

from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.kept import left
from meanfield.sweeps.sweep import sweep
from meanfield.sweeps.words import DONE
from meanfield.sweeps.worker import Host, measure

OPERATIONS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.truncate"}
WRITING = 3  # the bits of a file's flags that say so
ONE = Grid(depth=2, width=[4], samples=3, draws=1)
MORE = Grid(depth=2, width=[4, 5], samples=3, draws=2)
EVERY = 23  # of the operations: all of them were tried once


class Killed(BaseException):
    """No library catches it."""


class Operations:
    """The operations on files of a folder, told by the interpreter itself."""

    folder, count, last, error = None, 0, None, None

    def __call__(self, event, arguments):
        if self.folder is None or not self._writes(event, arguments):
            return
        if self.count == self.last:
            raise self.error
        self.count += 1

    def _writes(self, event, arguments):
        if event == "open":
            path, _, flags = arguments
            return str(path).startswith(self.folder) and flags & WRITING
        return event in OPERATIONS and any(str(a).startswith(self.folder) for a in arguments)

    @contextlib.contextmanager
    def until(self, last, folder, error):
        """After so many of them all further ones raise `error`."""
        self.folder, self.count, self.last, self.error = str(folder), 0, last, error
        try:
            yield
        finally:
            self.folder = None


OPERATION = Operations()
sys.addaudithook(OPERATION)  # for good; it costs next to nothing where no folder is watched


@pytest.fixture
def here(monkeypatch):
    """Sweeps measure in this process; every draw only once, however often it is asked for."""
    known = {}

    def measured(client, batches, share):
        for batch in batches:
            for task in batch.tasks:
                if repr(task) not in known:
                    known[repr(task)] = measure(task)
                yield known[repr(task)]

    client = contextlib.nullcontext(None)
    monkeypatch.setattr("meanfield.sweeps.sweep.connect", lambda *_: client)
    monkeypatch.setattr("meanfield.sweeps.sweep.smallest_share", lambda _: Host(2**30, "cpu"))
    monkeypatch.setattr("meanfield.sweeps.sweep.measured", measured)


def killed(grid, store, last):
    """Whether the sweep was killed before so many operations were all."""
    with OPERATION.until(last, store, Killed):
        try:
            sweep(grid, store)
        except Killed:
            return True
    return False


@pytest.mark.parametrize(
    ("before", "after"), [(None, ONE), (ONE, MORE)], ids=["a new store", "one that is extended"]
)
def test_a_kill_at_any_operation_loses_nothing(here, tmp_path, before, after):
    start, reference = tmp_path / "start", tmp_path / "whole"
    if before is not None:
        sweep(before, start)
        shutil.copytree(start, reference)
    assert not killed(after, reference, None)
    expected, operations = load(reference), OPERATION.count
    assert operations > 20
    for last in range(0, operations, EVERY):
        store = tmp_path / f"killed-{last}"
        if before is not None:
            shutil.copytree(start, store)
        assert killed(after, store, last)
        if before is None:
            with contextlib.suppress(ValueError):  # there is none, or it has no theory yet
                load(store)
        else:
            assert load(store).status.values.ravel()[0] == DONE
        measured = sum(len(cell.draws) for cell in left(store, after)[1])
        assert sweep(after, store).drop_attrs().identical(expected.drop_attrs())
        assert left(store, after) == (after, [])
        assert measured <= expected.status.size - (before is not None)


def test_a_finished_sweep_is_not_written_to(here, tmp_path):
    """So its disk may be one that cannot be."""
    first = sweep(ONE, tmp_path / "s")
    with OPERATION.until(0, tmp_path / "s", OSError(errno.EROFS, "Read-only file system")):
        assert sweep(ONE, tmp_path / "s").equals(first)
        assert load(tmp_path / "s").equals(first)


def test_a_sweep_that_fills_the_disk_says_so_and_is_taken_up_again(here, tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    with OPERATION.until(135, tmp_path / "s", full), pytest.raises(OSError, match="No space left"):
        sweep(MORE, tmp_path / "s")
    assert sweep(MORE, tmp_path / "s").equals(sweep(MORE, tmp_path / "other"))
