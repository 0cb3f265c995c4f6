"""A folder where a training is kept as it proceeds, so that whatever interrupts it costs little."""

import json
import os
from pathlib import Path

import jax
import numpy as np

from meanfield.checks import local_folder, shown
from meanfield.training.descent import Lanes

REQUEST = "request.json"


class TrainingStore:
    """The request, and the lanes of every group in a file of their own.

    A file is written beside its name and then renamed: it is whole or it is not there.

    Attributes:
        path: The folder.
        size: Lanes per group, those of the first run, whatever a later machine's memory.
    """

    def __init__(self, path: Path | str, request: dict, size: int):
        """Opens the folder, or makes it.

        Args:
            path: The folder.
            request: What tells trainings apart, in plain Python types; `steps` may grow from run
                to run.
            size: Lanes per group, if the folder is new.

        Raises:
            ValueError: It is named by a URL, or holds another training.
            OSError: It cannot be written.
        """
        self.path = local_folder("store", path)
        self.path.mkdir(parents=True, exist_ok=True)
        kept = self._read_request()
        if kept is not None:
            self._check(kept["request"], request)
        self.size: int = size if kept is None else kept["lanes"]
        text = json.dumps({"request": request, "lanes": self.size})
        self._replace(REQUEST, lambda file: file.write(text.encode()))

    def read(self, group: int, like: Lanes) -> Lanes | None:
        """The lanes of a group as they were kept, in the shape of `like`; None if never.

        Raises:
            ValueError: The file is damaged.
        """
        path = self.path / _name(group)
        if not path.exists():
            return None
        leaves, tree = jax.tree.flatten(like)
        try:
            with np.load(path) as file:
                arrays = [file[f"arr_{i}"] for i in range(len(leaves))]
        except Exception as error:  # zip and header parsers raise a dozen types when damaged
            raise ValueError(
                f"store must hold a training, got a damaged {path}: remove it to train these "
                f"lanes anew"
            ) from error
        return jax.tree.unflatten(tree, arrays)

    def write(self, group: int, lanes: Lanes) -> None:
        """Keeps the lanes of a group."""
        arrays = [np.asarray(leaf) for leaf in jax.tree.leaves(lanes)]
        self._replace(_name(group), lambda file: np.savez(file, *arrays))

    def _replace(self, name: str, write) -> None:
        beside = self.path / f"{name}.new"
        with beside.open("wb") as file:
            write(file)
        os.replace(beside, self.path / name)

    def _read_request(self) -> dict | None:
        path = self.path / REQUEST
        if not path.exists():
            return None
        try:
            kept = json.loads(path.read_text())
            kept["request"]["steps"], kept["lanes"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"store must hold a training, got a damaged {path}") from error
        return kept

    def _check(self, was: dict, now: dict) -> None:
        """Raises: ValueError: The training asked for is not the one kept, with as many steps."""
        differences = [
            f"{name} is {shown(now.get(name))}, it was {shown(was[name])}"
            for name in sorted({*was} - {"steps"})  # an earlier version may have kept less
            if was[name] != now.get(name)
        ]
        if now["steps"] < was["steps"]:
            differences.append(f"steps is {now['steps']}, it was {was['steps']}")
        if differences:
            raise ValueError(
                f"the training is not that of the store {self.path}: {'; '.join(differences)}"
            )


def _name(group: int) -> str:
    return f"lanes-{group:04d}.npz"
