"""The `meanfield` command: the library's functions, their results as a table or as JSON."""

import functools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import jax
import numpy as np
from platformdirs import user_cache_path
from rich.console import Console

from meanfield import __version__, tables
from meanfield.methods import BYTES, METHODS
from meanfield.network import Network
from meanfield.prediction import predict
from meanfield.simulation import SimulationError, SimulationInterrupted, simulate
from meanfield.validation import validate

PIPE_WIDTH = 120
WORTH_KEEPING = 0.1  # seconds of compilation
BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130


def run(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code; an error is one line on stderr."""
    try:
        return cli.main(list(arguments), prog_name="meanfield", standalone_mode=False) or 0
    except click.ClickException as error:
        return _fail(error.format_message(), BAD_INPUT)
    except ValueError as error:
        return _fail(str(error), BAD_INPUT)
    except (SimulationError, ModuleNotFoundError, OSError) as error:
        return _fail(str(error), FAILED)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", INTERRUPTED)


def keep_compilations() -> None:
    """Lets JAX keep what it compiles in the user's cache folder, for the next call.

    JAX_COMPILATION_CACHE_DIR names another folder; one that cannot be written is passed over.
    """
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    folder = user_cache_path("meanfield") / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)


def _fail(message: str, code: int) -> int:
    click.echo(f"meanfield: {' '.join(message.split())}", err=True)
    return code


def _list_of(convert: Callable) -> Callable:
    """A click callback for a comma-separated list."""

    def parse(context, parameter, text):
        if text is None:
            return None
        try:
            return tuple(convert(item.strip()) for item in text.split(","))
        except ValueError as error:
            raise click.BadParameter(f"expected a comma-separated list, got {text!r}") from error

    return parse


NETWORK_OPTIONS = [
    click.option("--depth", type=int, help="L, the number of weight layers."),
    click.option("--width", type=int, help="M: M_0 = M_1 = ... = M_{L-1}."),
    click.option(
        "--widths", callback=_list_of(int), help="M_0,...,M_{L-1} in full, e.g. 300,600,150."
    ),
    click.option("--outputs", type=int, default=1, show_default=True, help="C."),
    click.option("--activation", default="relu", show_default=True, help="A name, e.g. tanh."),
    click.option("--weight-var", type=float, default=2.0, show_default=True, help="sigma_w^2."),
    click.option("--bias-var", type=float, default=0.0, show_default=True, help="sigma_b^2."),
    click.option("--norm", help="Placement, e.g. batch@last, layer@hidden+batch@last, mean@2."),
    click.option(
        "--norms", callback=_list_of(str), help="Every layer's norm, e.g. none,batch,none."
    ),
]


def network_options(command: Callable) -> Callable:
    """Adds the options of a network's spec and passes the command a `Network`."""

    @functools.wraps(command)
    def with_network(
        depth, width, widths, outputs, activation, weight_var, bias_var, norm, norms, **rest
    ):
        network = Network(
            depth=depth,
            width=width,
            widths=widths,
            outputs=outputs,
            activation=activation,
            weight_var=weight_var,
            bias_var=bias_var,
            norm=norm,
            norms=norms,
        )
        return command(network, **rest)

    for option in reversed(NETWORK_OPTIONS):
        with_network = option(with_network)
    return with_network


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Random seed.")


def _show(result: dict, table, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result, allow_nan=False))
    else:
        console = Console()
        if not console.is_terminal:  # a file or a pipe is as wide as the table needs
            console.width = PIPE_WIDTH
        console.print(table)


@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="meanfield")
def cli():
    """Predicts and measures the Fisher information matrix's spectrum of wide neural networks."""


@cli.command("predict")
@network_options
@click.option("--samples", type=int, required=True, help="T, the number of samples.")
@click.option(
    "--output-draws", type=int, default=0, show_default=True,
    help="Where many samples are a slow limit (layer@last): draws of lambda_max at this T.",
)  # fmt: skip
@seed_option
@json_option
def predict_command(network: Network, as_json: bool, **options) -> None:
    """Predict the spectrum from the mean-field theory, in milliseconds."""
    prediction = predict(network, **options)
    _show(prediction.to_dict(), tables.prediction(prediction), as_json)


@cli.command("simulate")
@network_options
@click.option("--samples", type=int, help="T; may be left out with --inputs.")
@click.option("--draws", type=int, default=10, show_default=True, help="Networks to sample.")
@seed_option
@click.option(
    "--inputs", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A .npy file with a T x M_0 array; Gaussian inputs by default.",
)  # fmt: skip
@click.option(
    "--method", type=click.Choice(["auto", *METHODS]), default="auto", show_default=True,
    help="dual is exact; krylov serves every network.",
)  # fmt: skip
@click.option(
    "--precision", type=click.Choice(list(BYTES)), default="float32", show_default=True,
    help="Of the sampled networks.",
)  # fmt: skip
@click.option(
    "--leading", type=int, default=1, show_default=True, help="Largest eigenvalues per draw."
)
@click.option(
    "--second-moment/--no-second-moment", default=True, show_default=True,
    help="s_lambda costs most where there are many outputs.",
)  # fmt: skip
@click.option(
    "--devices", type=int, default=1, show_default=True,
    help="Spread each draw's samples over so many of JAX's devices.",
)  # fmt: skip
@click.option("--spectrum", is_flag=True, help="Also give every draw's non-zero eigenvalues.")
@json_option
def simulate_command(network: Network, inputs: Path | None, as_json: bool, **options) -> int | None:
    """Measure the spectrum on sampled networks, beside the theory."""
    array = None if inputs is None else _load_array(inputs)
    interrupted = None
    try:
        result = simulate(network, inputs=array, **options)
    except SimulationInterrupted as interruption:
        result, interrupted = interruption.partial, INTERRUPTED
    _show(result.to_dict(), tables.simulation(result), as_json)
    return interrupted


def _load_array(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # a damaged header makes numpy raise anything from its parser
        raise ValueError(f"inputs must be a .npy file of numbers, got {path}: {error}") from error


@cli.command("validate")
@click.option("--quick", is_flag=True, help="Width and samples 200 in place of 400.")
@seed_option
@json_option
def validate_command(quick: bool, seed: int, as_json: bool) -> int | None:
    """Hold the theory against sampled networks for every kind of placement.

    Exits with 1 if any row fails.
    """
    report = validate(quick=quick, seed=seed)
    _show(report.to_dict(), tables.validation(report), as_json)
    return None if report.passed else FAILED
