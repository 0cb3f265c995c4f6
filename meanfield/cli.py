"""The `meanfield` command: the library's functions, their results as a table or as JSON."""

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from meanfield import __version__, plot, tables
from meanfield.comparison import compare
from meanfield.data import Data, load_data
from meanfield.exponents import scaling
from meanfield.given import FIELDS, SAMPLED, SELF_AVERAGING
from meanfield.grids import Grid
from meanfield.methods import BYTES, METHODS
from meanfield.network import Network
from meanfield.prediction import predict
from meanfield.reproduction import reproduce
from meanfield.simulation import SimulationError, SimulationInterrupted, simulate
from meanfield.sweep_plan import plan
from meanfield.sweep_store import load
from meanfield.sweep_tables import axes_to_draw, select_cells, summarize, sweep_summary
from meanfield.sweeps import sweep
from meanfield.training import train
from meanfield.training_data import teacher
from meanfield.validation import validate

PIPE_WIDTH = 120
BAD_INPUT, FAILED, CELLS_FAILED, INTERRUPTED = 2, 1, 3, 130


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
    click.option(
        "--activation",
        default="relu",
        show_default=True,
        help="A name, e.g. tanh, or MODULE:FUNCTION.",
    ),
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


DATA_OPTIONS = [
    click.option(
        "--samples", type=int, help="T; with --data how many of its rows, by default all."
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
    def with_data(*arguments, source, samples, standardize, keep_constant, data_seed, **rest):
        data = None
        if source is not None:
            try:
                data = load_data(
                    source,
                    samples,
                    standardize=standardize,
                    keep_constant=keep_constant,
                    seed=data_seed,
                )
            except FileNotFoundError as error:  # a wrong name is bad input, not a failing disk
                raise ValueError(str(error)) from error
        return command(*arguments, samples=samples, data=data, **rest)

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


def _with_data(result: dict, data: Data | None) -> dict:
    """The result and what was done to the data."""
    if data is None:
        return result
    source = {"name": data.name, "dropped": list(data.dropped), "notes": list(data.notes)}
    return {**result, "data": source}


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
@data_options
@click.option(
    "--output-draws", type=int, default=0, show_default=True,
    help="Draws of the outputs where the last norm leaves lambda_max random (layer@last).",
)  # fmt: skip
@given_options[0]
@given_options[1]
@click.option(
    "--eigenvectors", type=int, default=0, show_default=True,
    help="With --data: leading eigenvectors over samples, in the JSON.",
)  # fmt: skip
@seed_option
@json_option
def predict_command(
    network: Network, samples, data, as_json, output_draws, seed, **for_data
) -> None:
    """Predict the spectrum from the mean-field theory, on white noise or on given data."""
    options = {"output_draws": output_draws, "seed": seed}
    if data is None:
        prediction = predict(network, samples, **options)
        _show(prediction.to_dict(), tables.prediction(prediction), as_json)
    else:
        given = predict(network, inputs=data, **options, **for_data)
        table = tables.given_prediction(given, data.notes)
        _show(_with_data(given.to_dict(), data), table, as_json)


@cli.command("compare")
@network_options
@data_options
@click.option(
    "--placements", callback=_list_of(str), help="Those to compare, e.g. batch@last,layer@hidden."
)
@click.option(
    "--draws", type=int, default=0, show_default=True, help="Networks to measure per placement."
)
@given_options[0]
@given_options[1]
@click.option(
    "--plot", "figure", type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also draw it, into a .png, .pdf or .svg file.",
)  # fmt: skip
@seed_option
@json_option
def compare_command(network: Network, samples, data, figure, as_json, **options) -> None:
    """Set every placement of normalization side by side: sharpness and learning rate."""
    if figure is not None:
        _check_figure(figure)
    comparison = compare(network, samples, inputs=data, **options)
    notes = data.notes if data else ()
    _show(_with_data(comparison.to_dict(), data), tables.comparison(comparison, notes), as_json)
    if figure is not None:
        _write_figure(plot.compare(comparison), figure)


def _check_figure(path: Path) -> None:
    """Finds out before any compute whether the figure can be written.

    Raises:
        ValueError: The folder does not exist, or matplotlib knows no such format.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.backend_bases import FigureCanvasBase

    formats = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.lstrip(".") not in formats:
        raise ValueError(f"plot must end in one of {', '.join(sorted(formats))}, got {path}")
    if not path.parent.is_dir():
        raise ValueError(f"plot must be in an existing folder, got {path}")


def _write_figure(axes, path: Path) -> None:
    axes.get_figure(root=True).savefig(path, dpi=200)


@cli.command("simulate")
@network_options
@data_options
@click.option("--draws", type=int, default=10, show_default=True, help="Networks to sample.")
@seed_option
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
def simulate_command(network: Network, data: Data | None, as_json: bool, **options) -> int | None:
    """Measure the spectrum on sampled networks, beside the theory."""
    interrupted = None
    try:
        result = simulate(network, inputs=data, **options)
    except SimulationInterrupted as interruption:
        result, interrupted = interruption.partial, INTERRUPTED
    _show(_with_data(result.to_dict(), data), tables.simulation(result), as_json)
    return interrupted


@cli.command("sweep")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--store", type=click.Path(file_okay=False, path_type=Path), required=True,
    help="A folder for the results; an unfinished sweep there is taken up again.",
)  # fmt: skip
@click.option("--workers", type=int, help="Local processes; one per core by default.")
@click.option("--scheduler", help="A Dask scheduler to use instead, e.g. tcp://host:8786.")
@click.option("--draws", type=int, help="In place of the number that the file asks for.")
@click.option("--dry-run", is_flag=True, help="Only say what is left and how long it would take.")
@json_option
def sweep_command(
    file: Path, store: Path, draws: int | None, dry_run: bool, as_json: bool, **cluster
) -> int | None:
    """Predict and measure every cell of a grid, FILE in TOML; restartable.

    Exits with 3 if a cell failed.
    """
    grid = Grid.from_toml(file)
    if draws is not None:
        grid = Grid(**{**grid.to_dict(), "draws": draws})
    if dry_run:
        planned = plan(grid, store, **cluster)
        _show(planned.to_dict(), tables.plan(planned), as_json)
        return None
    dataset = sweep(grid, store, announce=functools.partial(click.echo, err=True), **cluster)
    summary = sweep_summary(dataset)
    _show(summary, tables.sweep_summary(summary), as_json)
    return CELLS_FAILED if summary["failed"] else None


store_argument = click.argument(
    "store", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
select_option = click.option(
    "--select", multiple=True, metavar="AXIS=VALUE", help="Only these cells, e.g. norm=batch@last."
)


@cli.command("show")
@store_argument
@select_option
@click.option(
    "--csv", "table", type=click.Path(dir_okay=False, path_type=Path),
    help="Write the cells into a file too, at full precision.",
)  # fmt: skip
@click.option(
    "--plot", "figure", type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Draw lambda_max into a .png, .pdf or .svg file.",
)  # fmt: skip
@click.option("--along", help="The axis to draw along; by default the first of several numbers.")
@json_option
def show_command(
    store: Path, select: tuple[str, ...], table: Path | None, figure, along, as_json: bool
) -> None:
    """Show the cells of a sweep, theory beside measurement."""
    if figure is not None:
        _check_figure(figure)
    dataset = select_cells(load(store), select)
    frame = summarize(dataset)
    axes = None if figure is None else _lines_of(dataset, along)
    records = json.loads(frame.to_json(orient="records", double_precision=15))
    _show({"cells": records}, tables.sweep(records), as_json)
    if table is not None:
        frame.to_csv(table, index=False)
    if axes is not None:
        _write_figure(axes, figure)


def _lines_of(dataset, along: str | None):
    """λ_max along an axis, a line per value of the other one that has several."""
    along, by = axes_to_draw(dataset, along)
    return plot.along(dataset, along, by=by)


@cli.command("scaling")
@store_argument
@select_option
@click.option("--along", default="width", show_default=True, help="The axis.")
@click.option("--variable", default="eigenvalue_max", show_default=True, help="What grows.")
@json_option
def scaling_command(store: Path, select, along: str, variable: str, as_json: bool) -> None:
    """Fit the exponents of a sweep along its widths, and limits where theory has bounds only."""
    fits = scaling(select_cells(load(store), select), variable, along=along)
    frame = fits.expand_dims("").to_dataframe().reset_index().drop(columns="")  # it may have none
    records = json.loads(frame.to_json(orient="records", double_precision=15))
    _show({"along": along, "lines": records}, tables.scaling(records), as_json)


RATES, FACTOR = 13, 8.0  # learning rates by default, and how far from theory's limit they reach


def _learning_rates(context, parameter, text: str | None) -> tuple[float, ...] | None:
    """LOW:HIGH:COUNT, spaced evenly in the logarithm, or a comma-separated list."""
    if text is None or ":" not in text:
        return _list_of(float)(context, parameter, text)
    try:
        low, high, count = text.split(":")
        if not 0 < float(low) < float(high) < np.inf or int(count) < 2:
            raise ValueError
        return tuple(np.geomspace(float(low), float(high), int(count)).tolist())
    except ValueError as error:
        raise click.BadParameter(
            f"expected LOW:HIGH:COUNT with 0 < LOW < HIGH and COUNT >= 2, got {text!r}"
        ) from error


def _rates_around(limit: float | None) -> tuple[float, ...]:
    if limit is None:
        raise ValueError("learning_rates is required where theory has no 2/lambda_max, got None")
    return tuple(np.geomspace(limit / FACTOR, limit * FACTOR, RATES).tolist())


def _targets(data: Data) -> np.ndarray:
    """What the data are to be fitted to: an output for every class, or the values themselves."""
    if data.targets is None:
        raise ValueError(f"data must have labels or targets to train on, {data.name} has none")
    return data.targets if data.classes is None else data.one_hot()


@cli.command("train")
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
        limit = predict(network, inputs=inputs, seed=seed).learning_rate_max
    rates = _rates_around(limit) if learning_rates is None else learning_rates
    result = train(network, inputs, targets, learning_rates=rates, seed=seed, **rest)
    printed = {**result.to_dict(), "theory_learning_rate_max": limit}
    table = tables.training(result, limit, data.notes if data else ())
    _show(_with_data(printed, data), table, as_json)


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


@cli.command("reproduce")
@click.option(
    "--full/--quick", default=False, show_default=True,
    help="Sizes like the paper's, or what two cores make in minutes.",
)  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME", help="Only this figure; may be repeated.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default="figures", show_default=True,
    help="A folder for figures and page; an unfinished run there is taken up again.",
)  # fmt: skip
@click.option(
    "--data", metavar="SOURCE",
    help="Labelled data, such as Fashion-MNIST's folder, for the learning-rate figure as well.",
)  # fmt: skip
@json_option
def reproduce_command(as_json: bool, **options) -> int | None:
    """Draw the figures, theory against sampled networks, and a page that shows them.

    Exits with 1 if a figure failed.
    """
    report = reproduce(**options)
    _show(report.to_dict(), tables.reproduction(report), as_json)
    return FAILED if report.failures else None
