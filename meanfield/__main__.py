"""The entry point of the `meanfield` command."""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper


def main(first: Sequence[str] = ()) -> None:
    """Runs the command line, or says which extra it needs.

    Args:
        first: What comes before the arguments that the process was started with: a script that is
            one command, such as a figure's, names it and its user adds the options.
    """
    sys.path.append(os.getcwd())  # for activations of the user's own modules
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
    sys.exit(run([*first, *sys.argv[1:]]))


if __name__ == "__main__":
    main()
