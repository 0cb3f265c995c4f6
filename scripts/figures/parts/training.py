"""Training over learning rates: 2/λ_max of every network, and what descent then comes to."""

from functools import partial
from typing import Any

import numpy as np
import pandas

import meanfield as mf
from meanfield.reproduction.run import Run
from parts import tasks

PLACEMENTS = ["none", "layer@hidden", "batch@hidden", "batch@last"]
WIDTHS = [32, 64, 128], [50, 100, 200, 400, 800]  # quick, full
STEPS, RATES = (80, 300), (16, 20)
DRAWS = 5


def measure(run: Run, task: str) -> pandas.DataFrame:
    """A row per placement, width and learning rate."""
    cells: list[dict[str, Any]] = [
        {"task": task, "norm": norm, "width": width}
        for norm in PLACEMENTS
        for width in run.choose(*WIDTHS)
    ]
    depends = {**tasks.describe(run, task), "draws": DRAWS}
    limits = run.table("limit", cells, partial(limit, run), depends)
    ends = limits["limit"].min() / 2, limits["limit"].max() * 4
    rates = np.geomspace(*ends, run.choose(*RATES)).tolist()
    depends |= {"steps": run.choose(*STEPS), "rates": rates}
    trained = run.table("training", cells, partial(train, run, rates), depends)
    rows = limits.merge(trained, on=["task", "norm", "width"])
    return rows.explode(["learning_rate", "loss", "diverged"], ignore_index=True).infer_objects()


def limit(run: Run, cell: dict) -> dict:
    """2/λ_max: theory's on data or white noise or, where that is but a bound, the measured one."""
    net, x, _ = tasks.problem(run, cell)
    on: dict[str, Any] = {} if cell["task"] == tasks.TEACHER else {"inputs": x, "seed": run.seed}
    theory = mf.predict(net, len(x), **on)
    if not theory.eigenvalue_max_kind.is_bound:
        return {"limit": theory.learning_rate_max, "source": "theory"}
    found = mf.simulate(net, inputs=x, **run.effort(DRAWS, DRAWS))
    return {"limit": 2 / found.eigenvalue_max.mean, "source": "measured"}


def train(run: Run, rates: list[float], cell: dict) -> dict:
    """What gradient descent comes to at every learning rate, and from which one on it fails."""
    net, x, y = tasks.problem(run, cell)
    effort = {"draws": DRAWS, "steps": run.choose(*STEPS), "seed": run.seed}
    trained = mf.train(net, x, y, learning_rates=rates, **effort)
    row = {
        "learning_rate": rates,
        "loss": [np.nan if loss is None else loss.mean for loss in trained.loss],
        "diverged": trained.diverged.mean(axis=1).tolist(),
    }
    for event in ("instability", "threshold"):
        found = getattr(trained, event)
        row[event], row[f"{event}_sem"] = np.array([found.mean, found.sem], float).tolist()
    return row
