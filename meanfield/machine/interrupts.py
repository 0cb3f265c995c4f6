"""Ctrl-C in a command: never a traceback, never without effect.

Only what is loaded in every Python process is imported here, so that this is in place at once.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130  # the exit code
MESSAGE = b"meanfield: interrupted\n"


def leave(*_) -> None:
    """Ends the process here and now."""
    os.write(2, MESSAGE)
    os._exit(INTERRUPTED)


def leave_at_once() -> None:
    """From now on Ctrl-C ends the process: for imports and the end, where nothing is to be kept.

    An exception in the middle of an import may be swallowed there, or abort a library.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as the shell has it for a job
        signal.signal(signal.SIGINT, leave)


class Watch:
    """Whether Ctrl-C has come.

    Attributes:
        rung: True from then on.
    """

    def __init__(self):
        """Not yet."""
        self.rung = False

    def __call__(self, *_):
        """The first one raises KeyboardInterrupt, so that results are shown; a second one leaves.

        Raises:
            KeyboardInterrupt: The first time.
        """
        if self.rung:
            leave()
        self.rung = True
        raise KeyboardInterrupt

    def unraisable(self, ignored) -> None:
        """Python's report of an exception that nobody can catch: an interrupt is obeyed."""
        if issubclass(ignored.exc_type, KeyboardInterrupt):
            leave()
        else:
            sys.__unraisablehook__(ignored)


@contextmanager
def watched() -> Iterator[Watch]:
    """For this block Ctrl-C raises KeyboardInterrupt, as it does in Python, but not in vain."""
    watch, before = Watch(), signal.getsignal(signal.SIGINT)
    hook = sys.unraisablehook
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, watch)
    sys.unraisablehook = watch.unraisable
    try:
        yield watch
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, before)
