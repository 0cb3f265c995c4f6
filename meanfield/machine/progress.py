"""A progress bar on a terminal, silence anywhere else."""

import sys
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

_showing = threading.Lock()


@contextmanager
def progress_bar(items: Iterable, description: str, total: int | None = None) -> Iterator[Iterable]:
    """Wraps an iterable; the bar goes to stderr and needs the `cli` extra.

    A bar inside a bar stays silent: a terminal has room for one.
    """
    try:
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress
    except ModuleNotFoundError:
        yield items
        return
    if not sys.stderr.isatty() or not _showing.acquire(blocking=False):
        yield items
        return
    console = Console(file=sys.stderr)
    if total is None and isinstance(items, Collection):
        total = len(items)
    try:
        columns = (*Progress.get_default_columns(), MofNCompleteColumn(), _rate_column())
        with Progress(*columns, console=console, transient=True) as bar:
            yield bar.track(items, total=total, description=description)
    finally:
        _showing.release()


def _rate_column():
    """Items per second."""
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task):
            return Text(
                "" if task.speed is None else f"{task.speed:.3g}/s", style="progress.data.speed"
            )

    return Rate()
