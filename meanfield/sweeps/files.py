"""The folder of a store: what may be in it, who writes to it, and whether there is room.

Stores come from anywhere. Nothing outside of their folder is ever read, written or deleted: a
link in one is refused before anything else in it is looked at.
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meanfield.checks import local_folder

# What a call leaves that was killed before it had written anything else.
LITTER = re.compile(r"zarr\.[0-9a-f]+\.partial|\.write")
HEADROOM = 2**20  # bytes on the disk, beyond what is needed


def store_folder(store: Path | str) -> Path:
    """The folder of a store.

    Raises:
        ValueError: It is named by a URL, or holds what is neither a file nor a folder.
    """
    path = local_folder("store", store)
    _check_plain(path)
    return path


def _check_plain(path: Path) -> None:
    """Refuses links, also to folders, and devices, pipes and the like, all without opening them."""
    folders = [path] if path.is_dir() else []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif not entry.is_file(follow_symlinks=False):
                    what = "a link" if entry.is_symlink() else "neither a file nor a folder"
                    raise ValueError(
                        f"store must hold files and folders only, {entry.path} is {what}"
                    )


def is_new(path: Path) -> bool:
    """Whether there is nothing at `path`, or no more than what a killed call left of nothing.

    Raises:
        ValueError: There is something that is no store.
    """
    if not path.exists():
        return True
    if path.is_dir():
        names = {name for name in os.listdir(path) if not LITTER.fullmatch(name)}
        if not names or (names == {"zarr.json"} and _is_blank(path / "zarr.json")):
            return True
        if "zarr.json" in names:
            return False
    raise ValueError(f"store must be new or the store of a sweep, got {path}")


def _is_blank(file: Path) -> bool:
    """Whether it is a group that says nothing yet."""
    try:
        return not json.loads(file.read_text(encoding="utf-8"))["attributes"]
    except (ValueError, KeyError, TypeError):
        return False


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Holds the folder, made if need be, against other processes that ask for this too.

    The lock is the operating system's, on the folder itself: it leaves no file, goes with the
    process however that ends, and a disk that cannot be written to has it too. A file system that
    knows no locks on folders has none.

    Raises:
        ValueError: There is something else than a store.
        OSError: Another process holds it, or it cannot be made.
    """
    if is_new(path):
        path.mkdir(parents=True, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(folder)
        raise OSError(
            f"another sweep is writing to the store {path}: run this one again once that is "
            f"through or stopped"
        ) from None
    except OSError:
        pass  # no locks here, as on some network file systems
    try:
        yield
    finally:
        os.close(folder)


def check_room(path: Path, needed: int) -> None:
    """Finds out before any compute whether so many bytes can be written.

    Raises:
        OSError: They cannot.
    """
    with tempfile.TemporaryFile(dir=path):
        pass
    free = shutil.disk_usage(path).free
    if free < needed + HEADROOM:
        raise OSError(
            f"the disk of {path} has {free / 1e6:.3g} MB left, the sweep needs "
            f"{(needed + HEADROOM) / 1e6:.3g} MB"
        )
