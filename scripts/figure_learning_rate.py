"""Gradient descent over widths and learning rates: where 2/λ_max lies, and where it diverges."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas

import meanfield as mf
from meanfield.plot import style
from meanfield.reproduction.reproduce import main
from meanfield.reproduction.run import RUNS, Made, Number, Run

SPEC: dict[str, Any] = {"depth": 3, "activation": "tanh", "weight_var": 3.0, "bias_var": 0.64}
PLACEMENTS = ["none", "layer@hidden", "batch@hidden", "batch@last"]
TEACHER, DIGITS = "teacher", "digits"
WIDTHS = [32, 64, 128], [50, 100, 200, 400, 800]  # quick, full
SAMPLES, STEPS, RATES = (60, 100), (80, 300), (16, 20)
DRAWS = 5


load = cache(mf.load_data)  # some have 60,000 rows


def digest(content: bytes) -> str:
    """What tells contents apart."""
    return hashlib.sha256(content).hexdigest()[:12]


def tasks(run: Run) -> dict[str, str | Path]:
    """What to train on, by name: a teacher's outputs, digits, and the user's own data."""
    own = {f"own data {run.data.name}": run.data} if run.data else {}
    return {TEACHER: TEACHER, DIGITS: DIGITS, **own}


def described(run: Run, task: str) -> dict[str, Any]:
    """What a cell's numbers depend on beside its norm and width."""
    of = {**SPEC, "T": run.choose(*SAMPLES), "draws": DRAWS, "theory": "white noise"}
    if task == TEACHER:
        return of
    data = load(tasks(run)[task])
    content = digest(data.inputs.tobytes() + data.one_hot().tobytes())
    return {**of, "theory": "given inputs", "data": content}


def problem(run: Run, task: str, norm: str, width: int):
    """The network, its inputs and its targets.

    Standardized, for that is what the outputs of batch norm in the last layer are.
    """
    T = run.choose(*SAMPLES)
    if task == TEACHER:
        x, y = mf.teacher(mf.Network(**SPEC, width=width), T, seed=run.seed)
    else:
        source = tasks(run)[task]
        data = load(source, min(T, len(load(source))), seed=run.seed)
        x, y = np.asarray(data), data.one_hot()
    net = mf.Network(**SPEC, width=width, norm=norm, outputs=y.shape[1])
    spread = y.std(axis=0)
    return net, x, (y - y.mean(axis=0)) / np.where(spread > 0, spread, 1)  # a class may be absent


def limit(run: Run, task: str, norm: str, width: int) -> dict:
    """2/λ_max: theory's on data or white noise or, where that is but a bound, the measured one."""
    net, x, _ = problem(run, task, norm, width)
    on = {} if task == TEACHER else {"inputs": x, "seed": run.seed}
    theory = mf.predict(net, len(x), **on)
    if not theory.eigenvalue_max_kind.is_bound:
        return {"limit": theory.learning_rate_max, "source": "theory"}
    found = mf.simulate(net, inputs=x, draws=DRAWS, seed=run.seed, second_moment=False)
    return {"limit": 2 / found.eigenvalue_max.mean, "source": "measured"}


def training(run: Run, task: str, norm: str, width: int, of: dict[str, Any]) -> dict:
    net, x, y = problem(run, task, norm, width)
    name = f"training-{task}-{norm}-{width}-{run.size}-{digest(json.dumps(of).encode())}"
    store = run.out / RUNS / name
    effort = {"draws": DRAWS, "steps": of["steps"], "seed": run.seed}
    trained = mf.train(net, x, y, learning_rates=of["rates"], store=store, **effort)
    shutil.rmtree(store)  # what is kept from here on is the result
    return trained.to_dict()


def measure(run: Run, task: str) -> pandas.DataFrame:
    """A row per placement, width and learning rate."""
    cells = [(norm, width) for norm in PLACEMENTS for width in run.choose(*WIDTHS)]
    of = described(run, task)
    limits = {
        cell: run.keep(f"limit-{task}-{cell[0]}-{cell[1]}", of, partial(limit, run, task, *cell))
        for cell in cells
    }
    found = [here["limit"] for here in limits.values()]
    rates = np.geomspace(min(found) / 2, max(found) * 4, run.choose(*RATES))
    frames, of = [], {**of, "steps": run.choose(*STEPS), "rates": rates.tolist()}
    for norm, width in cells:
        compute = partial(training, run, task, norm, width, of)
        result = run.keep(f"training-{task}-{norm}-{width}", of, compute)
        rows = {
            "learning_rate": rates,
            "loss": [s["mean"] if s else np.nan for s in result["loss"]],
            "diverged": np.mean(result["diverged"], axis=1),
        }
        for event in ("instability", "threshold"):
            rows |= {event: result[event]["mean"], f"{event}_sem": result[event]["sem"]}
        names = {"task": task, "norm": norm, "width": width}
        frames.append(pandas.DataFrame({**names, **limits[norm, width], **rows}))
    return pandas.concat(frames)


def draw(axes, rows: pandas.DataFrame, ends: tuple[float, float]) -> None:
    losses = rows.pivot(index="width", columns="learning_rate", values="loss")
    mf.plot.plane(losses.values, losses.index, losses.columns, axes, limits=ends)
    axes.set(xlabel=style.label("width"), ylabel=r"learning rate $\eta$")
    axes.set(xscale="log", yscale="log")
    style.mark_values(axes, losses.index)
    gone = rows[rows["diverged"] > 0]
    axes.plot(gone["width"], gone["learning_rate"], "x", color="#D55E00", markersize=3.5)
    limits = rows.groupby("width")[["limit", "source"]].first()
    measured = (limits["source"] == "measured").any()
    axes.plot(limits.index, limits["limit"], ":" if measured else "-", color="white", linewidth=3)
    axes.plot(limits.index, limits["limit"], "--" if measured else "-", color="black")
    axes.set_title(rows["norm"].iloc[0])


def make(run: Run) -> Made:
    rows = pandas.concat([measure(run, task) for task in tasks(run)])
    size = {"figsize": (style.PAGE + 1, 2.1 * len(tasks(run))), "sharey": "row"}
    figure, panels = style.pyplot().subplots(
        len(tasks(run)), len(PLACEMENTS), layout="constrained", **size
    )
    for line, task in zip(panels, tasks(run), strict=True):
        here = rows[rows["task"] == task]
        highest = float(here["loss"].quantile(0.9))
        ends = max(float(here["loss"].min()), highest / 1e5), highest
        for axes, norm in zip(line, PLACEMENTS, strict=True):
            draw(axes, here[here["norm"] == norm], ends)
            axes.label_outer()
        line[0].set_ylabel(f"{task}\n{line[0].get_ylabel()}")
    run.save(figure, rows)
    return Made(
        "Final training loss over width and learning rate",
        "Colour: loss after full-batch gradient descent; crosses: some of the initializations "
        "diverged. The line is 2/λ_max at initialization (dashed: λ_max measured, where theory has "
        "but a lower bound). Above it the loss first rises; networks that survive move to where F "
        "is flatter, and diverge from about twice that on. With batch norm in the last layer the "
        "outputs are bounded and nothing diverges.",
        {
            **SPEC,
            "T": run.choose(*SAMPLES),
            "steps": run.choose(*STEPS),
            "targets": "standardized",
            "initializations": DRAWS,
            "M": run.choose(*WIDTHS),
        },
        [*numbers(rows)],
    )


def numbers(rows: pandas.DataFrame) -> Iterator[Number]:
    """From where on the loss rises, and diverges, beside 2/λ_max."""
    for row in rows.groupby(["task", "norm", "width"], sort=False).head(1).to_dict("records"):
        for event, text in (("instability", "η from which E rises"), ("threshold", "diverges")):
            if not pandas.isna(row[event]):
                what = f"{{task}}, {{norm}}, M = {{width}}, {text}; 2/λ_max {{source}}"
                found = row["limit"], row[event], row[f"{event}_sem"]
                yield Number(what.format_map(row), *found)


if __name__ == "__main__":
    main(__file__)
