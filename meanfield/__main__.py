"""The entry point of the `meanfield` command."""

import sys


def main() -> None:
    """Runs the command line, or says which extra it needs."""
    try:
        from meanfield.cli import run
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit("meanfield: the command needs an extra: pip install 'meanfield[cli]'")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
