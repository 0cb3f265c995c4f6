"""The entry point of the `meanfield` command."""

import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper


def main(first: Sequence[str] = ()) -> None:
    """Runs the command line, or says which extra it needs.

    Args:
        first: What comes before the arguments that the process was started with: a script that is
            one command, such as a figure's, names it and its user adds the options.
    """
    try:
        from meanfield.machine.interrupts import INTERRUPTED, leave, leave_at_once, watched

        leave_at_once()
        run = _imported()
        with watched() as watch:
            code = run([*first, *sys.argv[1:]])
        sys.stdout.flush()
    except KeyboardInterrupt:  # before the first handler, or between two
        os.write(2, b"meanfield: interrupted\n")
        os._exit(130)
    if watch.rung and code != INTERRUPTED:  # something that was running has swallowed it
        leave()
    sys.exit(code)


def _imported() -> Callable[[Sequence[str]], int]:
    """The command, once all that it needs is there."""
    try:
        from meanfield.commands.cli import run
        from meanfield.machine.compilations import keep_compilations

        keep_compilations()
    except ModuleNotFoundError as error:
        if error.name not in ("click", "platformdirs", "rich"):
            raise
        sys.exit("meanfield: the command needs an extra: pip install 'meanfield[cli]'")
    # A terminal without Unicode shows a question mark where it has no Greek letter.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    return run


def _forget_this_folder() -> None:
    """Takes the current folder off the path, where `python -m` puts it in front of all others.

    What lies there is not to pass for a dependency. Where this package does too, it has to stay.
    """
    here = os.getcwd()
    inside = os.path.realpath(__file__).startswith(os.path.realpath(here) + os.sep)
    if not sys.flags.safe_path and sys.path[:1] == [here] and not inside:
        del sys.path[0]


if __name__ == "__main__":
    _forget_this_folder()
    main()
