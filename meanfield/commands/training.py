"""`meanfield train`: learning rates that a network tolerates."""

from pathlib import Path

import click
import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table

from meanfield.checks import shown
from meanfield.commands.options import (
    data_options,
    json_option,
    list_of,
    network_options,
    seed_option,
)
from meanfield.commands.output import bullets, number, show, subject, with_data, with_error
from meanfield.data.dataset import Data
from meanfield.machine.memory import check_memory
from meanfield.spec.network import Network
from meanfield.theory.predict import predict
from meanfield.training.result import Threshold, Training
from meanfield.training.teacher import teacher
from meanfield.training.train import train

RATE_BYTES = 100
RATES, FACTOR = 13, 8.0  # learning rates by default, and how far from theory's limit they reach


def _learning_rates(context, parameter, text: str | None) -> tuple[float, ...] | None:
    """LOW:HIGH:COUNT, spaced evenly in the logarithm, or a comma-separated list."""
    if text is None or ":" not in text:
        return list_of(float)(context, parameter, text)
    try:
        low, high, count = text.split(":")
        if not 0 < float(low) < float(high) < np.inf or int(count) < 2:
            raise ValueError
    except ValueError as error:
        raise click.BadParameter(
            f"expected LOW:HIGH:COUNT with 0 < LOW < HIGH and COUNT >= 2, got {shown(text)}"
        ) from error
    rates = int(count)
    check_memory(float(RATE_BYTES * rates), f"learning_rates={shown(text)}", "take fewer")
    return tuple(np.geomspace(float(low), float(high), rates).tolist())


def _rates_around(limit: float | None) -> tuple[float, ...]:
    if limit is None:
        raise ValueError("learning_rates is required where theory has no 2/lambda_max, got None")
    return tuple(np.geomspace(limit / FACTOR, limit * FACTOR, RATES).tolist())


def _targets(data: Data) -> np.ndarray:
    """What the data are to be fitted to: an output for every class, or the values themselves."""
    if data.targets is None:
        raise ValueError(f"data must have labels or targets to train on, {data.name} has none")
    return data.targets if data.classes is None else data.one_hot()


@click.command("train")
@network_options
@data_options
@click.option(
    "--learning-rates", callback=_learning_rates, metavar="LOW:HIGH:COUNT",
    help="Log-spaced, or a comma-separated list; default: a factor 8 around 2/lambda_max.",
)  # fmt: skip
@click.option("--draws", type=int, default=5, show_default=True, help="Initializations.")
@click.option("--steps", type=int, default=300, show_default=True, help="Of gradient descent.")
@click.option(
    "--store", type=click.Path(file_okay=False, path_type=Path),
    help="A folder for the state; an unfinished training there is taken up again.",
)  # fmt: skip
@seed_option
@json_option
def train_command(
    network: Network, samples, data: Data | None, learning_rates, seed: int, as_json: bool, **rest
) -> None:
    """Train at many learning rates, and set where that diverges against theory's 2/lambda_max.

    On a random teacher's outputs, or on the targets of the data, one output per class.
    """
    if data is None:
        if samples is None:
            raise ValueError("samples is required unless --data is given, got None")
        inputs, targets = teacher(network, samples, seed=seed)
        limit = predict(network, samples).learning_rate_max
    else:
        inputs, targets = data.inputs, _targets(data)
        if data.classes is not None and targets.shape[1] != network.outputs:
            raise ValueError(
                f"outputs must be {targets.shape[1]}, one for every class of {data.name}, got "
                f"{network.outputs}"
            )
        limit = predict(network, inputs=inputs, seed=seed).learning_rate_max
    rates = _rates_around(limit) if learning_rates is None else learning_rates
    result = train(network, inputs, targets, learning_rates=rates, seed=seed, **rest)
    printed = {**result.to_dict(), "theory_learning_rate_max": limit}
    table = _training_table(result, limit, data.notes if data else ())
    show(with_data(printed, data), table, as_json)


def _training_table(
    result: Training, learning_rate_max: float | None, data_notes: tuple[str, ...]
) -> RenderableType:
    """One line per learning rate; below them where training fails, against theory's 2/λ_max."""
    table = Table("η", "loss", "diverged", "rose", "steps taken", box=None, pad_edge=False)
    limits = Table("learning rate", "η", "/ theory", box=None, pad_edge=False)
    for column in (*table.columns, *limits.columns[1:]):
        column.justify = "right"
    draws = result.diverged.shape[1]
    for i, rate in enumerate(result.learning_rates):
        loss = result.loss[i]
        table.add_row(
            number(rate),
            "diverged" if loss is None else with_error(loss.mean, loss.sem),
            f"{result.diverged[i].sum()} of {draws}",
            f"{result.rose[i].sum()} of {draws}",
            f"{result.steps_taken[i].mean():.0f}",
        )
    limits.add_row("theory's limit 2/λ_max", number(learning_rate_max), "")
    limits.add_row("the loss rises from", *_against(result.instability, learning_rate_max))
    limits.add_row("training diverges from", *_against(result.threshold, learning_rate_max))
    heading = subject(result.network, result.samples, result.network.parameters)
    how = f"{result.steps} steps on {draws} networks per learning rate, {result.seconds:.1f} s"
    notes = bullets((*data_notes, *result.notes))
    return Group(heading, how, "", table, "", limits, "", *notes)


def _against(threshold: Threshold, limit: float | None) -> tuple[str, str]:
    mean = threshold.mean
    ratio = "–" if mean is None or limit is None else f"{mean / limit:.3g}"
    return with_error(mean, threshold.sem), ratio
