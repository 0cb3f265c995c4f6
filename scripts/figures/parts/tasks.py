"""What is trained on over learning rates: a teacher's outputs, digits, and the user's own data."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import meanfield as mf
from meanfield.reproduction.run import Run
from meanfield.reproduction.settings import spec

SPEC = spec("tanh")
SAMPLES = 60, 100  # quick, full
TEACHER, DIGITS = "teacher", "digits"

load = cache(mf.load_data)  # some have 60,000 rows


def sources(run: Run) -> dict[str, str | Path]:
    """What to train on, by name: a teacher's outputs, digits, and the user's own data."""
    own = {f"own data {run.data.name}": run.data} if run.data else {}
    return {TEACHER: TEACHER, DIGITS: DIGITS, **own}


def describe(run: Run, task: str) -> dict[str, Any]:
    """What the numbers of a task depend on."""
    depends = {**SPEC, "T": run.choose(*SAMPLES)}
    if task == TEACHER:
        return {**depends, "theory": "white noise"}
    data = load(sources(run)[task])
    content = hashlib.sha256(data.inputs.tobytes() + data.one_hot().tobytes()).hexdigest()
    return {**depends, "theory": "given inputs", "data": content}


def problem(run: Run, cell: dict) -> tuple[mf.Network, np.ndarray, np.ndarray]:
    """The network, its inputs and its targets.

    Standardized, for that is what the outputs of batch norm in the last layer are.
    """
    T, width = run.choose(*SAMPLES), cell["width"]
    if cell["task"] == TEACHER:
        x, y = mf.teacher(mf.Network(**SPEC, width=width), T, seed=run.seed)
    else:
        source = sources(run)[cell["task"]]
        data = load(source, min(T, len(load(source))), seed=run.seed)
        x, y = np.asarray(data), data.one_hot()
    net = mf.Network(**SPEC, width=width, norm=cell["norm"], outputs=y.shape[1])
    spread = y.std(axis=0)
    return net, x, (y - y.mean(axis=0)) / np.where(spread > 0, spread, 1)  # a class may be absent
