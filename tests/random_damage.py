"""A small store of a sweep whose every number is known, and damage to its files."""

import shutil
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.store import Store
from meanfield.sweeps.words import STATISTICS
from meanfield.theory.kinds import Kind
from meanfield.theory.white_noise.many import Theory

GRID = Grid(depth=2, width=[5, 6, 7], samples="width", bias_var=[0.0, 0.1], draws=3)
KINDS = ("cut", "flip", "lengthen", "empty", "delete", "copy", "swap", "rename", "remove folder")


def intact(path: Path) -> Path:
    """The store of a finished sweep, all of whose numbers differ; a single draw failed."""
    store, number = Store(path, GRID), iter(np.arange(1.0, 1000.0))
    cells = list(GRID.cells())
    for cell in cells:
        results: dict = {d: {name: next(number) for name in STATISTICS} for d in range(GRID.draws)}
        if cell.place == (1, 1):
            results[2] = "ArithmeticError: a failure"
        store.write(cell.place, results)
    columns = {name: np.array([next(number) for _ in cells]) for name in Theory._fields}
    kinds = np.arange(len(cells)) % len(Kind)
    store.write_theory(Theory(**{**columns, "eigenvalue_max_kind": kinds}))
    assert not store.missing()
    load(path)
    return path


# What is done to which files, by numbers that are taken modulo what there is.
DAMAGE = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 10**4), st.integers(0, 10**4)),
    min_size=1,
    max_size=3,
)


def damage(store: Path, kind: str, first: int, second: int) -> None:
    """Does it to a file, or to two."""
    files = sorted(path for path in store.rglob("*") if path.is_file())
    if not files:
        return
    one, other = files[first % len(files)], files[second % len(files)]
    content = bytearray(one.read_bytes())
    if kind == "cut":
        one.write_bytes(content[: second % (len(content) or 1)])
    elif kind == "flip" and content:
        content[second // 8 % len(content)] ^= 1 << second % 8
        one.write_bytes(content)
    elif kind == "lengthen":
        one.write_bytes(content + b"x" * (1 + second % 9))
    elif kind == "empty":
        one.write_bytes(b"")
    elif kind == "delete":
        one.unlink()
    elif kind == "copy":
        other.write_bytes(content)
    elif kind == "swap":
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)
    elif kind == "rename":
        one.rename(one.with_name(f"{second}"))
    elif kind == "remove folder" and one.parent != store:
        shutil.rmtree(one.parent)
