"""What users name as MODULE:NAME. To import is to run code, so that is done on their word only."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import Any

from meanfield.checks import reason, shown


def is_path(name: object) -> bool:
    """Whether a name leads into a module."""
    return isinstance(name, str) and ":" in name


def imported(path: str, folder: str | None = None) -> Any:
    """What MODULE:NAME leads to.

    Args:
        path: The name.
        folder: Where the module may lie if it is nowhere else.

    Raises:
        ValueError: It leads nowhere, or the module raises anything.
    """
    module, _, name = path.partition(":")
    try:
        with _searched_too(folder):
            return attrgetter(name)(import_module(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a module is not to end the process with 0
        raise ValueError(f"activation {shown(path)} cannot be imported: {reason(error)}") from error


@contextmanager
def _searched_too(folder: str | None) -> Iterator[None]:
    """Modules are looked for in that folder, last and for this block only.

    Any longer, and every optional dependency of ours that is not installed would be taken from it.
    """
    if folder is None or folder in sys.path:
        yield
        return
    sys.path.append(folder)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)


@dataclass(frozen=True)
class Unimported:
    """Stands in for the function of a path that a file names, and nobody in this process.

    Attributes:
        path: MODULE:NAME.
    """

    path: str

    def __call__(self, *_):
        """Refuses to be computed with."""
        raise ValueError(unvouched(self.path))


def unvouched(path: str) -> str:
    """What to say where the function of a path is needed that only a file names."""
    return (
        f"activation {shown(path)} is named by a file, and to import it is to run its code; where "
        f"you trust that, say --trust, or in Python Grid.from_toml(..., trust=True)"
    )
