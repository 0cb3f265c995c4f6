"""Options that several commands share."""

import functools
import os
from collections.abc import Callable

import click

from meanfield.checks import shown
from meanfield.data.dataset import load_data
from meanfield.spec.activations import ACTIVATIONS, resolve_activation
from meanfield.spec.network import Network
from meanfield.spec.norms import NORMS
from meanfield.theory.given_inputs.options import FIELDS, SAMPLED, SELF_AVERAGING


def list_of(convert: Callable) -> Callable:
    """A click callback for a comma-separated list."""

    def parse(context, parameter, text):
        if text is None:
            return None
        try:
            return tuple(convert(item.strip()) for item in text.split(","))
        except ValueError as error:
            raise click.BadParameter(
                f"expected a comma-separated list, got {shown(text)}"
            ) from error

    return parse


NETWORK_OPTIONS = [
    click.option(
        "--depth", type=int, help="L, the number of weight layers; required without --widths."
    ),
    click.option(
        "--width", type=int,
        help="M, of the inputs and every hidden layer; required without --widths.",
    ),
    click.option(
        "--widths", callback=list_of(int), metavar="M_0,...",
        help="M_0 of the inputs to M_{L-1} of the last hidden layer, e.g. 300,600,150.",
    ),
    click.option(
        "--outputs", type=int, default=1, show_default=True, help="C, the number of outputs."
    ),
    click.option(
        "--activation",
        default="relu",
        show_default=True,
        help=f"One of {', '.join(ACTIVATIONS)}, or MODULE:FUNCTION.",
    ),
    click.option(
        "--weight-var", type=float, default=2.0, show_default=True,
        help="sigma_w^2: a weight's variance is sigma_w^2 over the number of units below.",
    ),
    click.option("--bias-var", type=float, default=0.0, show_default=True, help="sigma_b^2."),
    click.option(
        "--norm", metavar="KIND@WHERE",
        help=f"KIND is {', '.join(NORMS)}, WHERE last, hidden, all or a layer's number; joined by "
        "+, e.g. layer@hidden+batch@last.",
    ),
    click.option(
        "--norms", callback=list_of(str), metavar="KIND,...",
        help="The kind in every layer, e.g. none,batch,none.",
    ),
]  # fmt: skip

SPEC = (  # what these options are called as arguments
    "depth", "width", "widths", "outputs", "activation", "weight_var", "bias_var", "norm", "norms"
)  # fmt: skip


def network_options(command: Callable) -> Callable:
    """Adds the options of a network's spec and passes the command a `Network`."""

    @functools.wraps(command)
    def with_network(**options):
        spec = {name: options.pop(name) for name in SPEC}
        spec["activation"] = resolve_activation(spec["activation"], os.getcwd())
        return command(Network(**spec), **options)

    for option in reversed(NETWORK_OPTIONS):
        with_network = option(with_network)
    return with_network


DATA_OPTIONS = [
    click.option(
        "--samples", type=int,
        help="T, required without --data; with it how many of its rows, by default all.",
    ),
    click.option(
        "--data", "source",
        help="digits, a .npy, .npz, .csv or IDX file, or MNIST's folder; default: white noise.",
    ),
    click.option(
        "--standardize/--no-standardize", default=True, show_default=True,
        help="Every feature of the data to mean 0 and variance 1.",
    ),
    click.option("--keep-constant", is_flag=True, help="Keep constant features, as zeros."),
    click.option(
        "--data-seed", type=int, default=0, show_default=True, help="Of the choice of rows."
    ),
]  # fmt: skip


def data_options(command: Callable) -> Callable:
    """Adds the options of a data set and passes the command `samples` and a `Data` or None."""

    @functools.wraps(command)
    def with_data(*arguments, source, samples, data_seed, **options):
        preparation = {name: options.pop(name) for name in ("standardize", "keep_constant")}
        data = None
        if source is not None:
            try:
                data = load_data(source, samples, seed=data_seed, **preparation)
            except FileNotFoundError as error:  # a wrong name is bad input, not a failing disk
                raise ValueError(str(error)) from error
        return command(*arguments, samples=samples, data=data, **options)

    for option in reversed(DATA_OPTIONS):
        with_data = option(with_data)
    return with_data


given_options = [
    click.option(
        "--batch-statistics", type=click.Choice([SAMPLED, SELF_AVERAGING]), default=SAMPLED,
        show_default=True, help="With --data: how hidden batch norms are averaged.",
    ),
    click.option(
        "--fields", type=int, default=FIELDS, show_default=True,
        help="With --data: random fields per hidden batch norm.",
    ),
]  # fmt: skip

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Random seed.")
