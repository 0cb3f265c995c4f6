"""`meanfield predict`, `compare` and `simulate`: the spectrum of one network."""

from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.table import Table

from meanfield import plot
from meanfield.commands.options import (
    data_options,
    given_options,
    json_option,
    list_of,
    network_options,
    seed_option,
)
from meanfield.commands.output import (
    INTERRUPTED,
    STATISTICS,
    bullets,
    check_figure,
    number,
    show,
    subject,
    with_data,
    with_error,
    write_figure,
)
from meanfield.data.dataset import Data
from meanfield.numerics.estimates import Statistic
from meanfield.sampling.methods import BYTES, METHODS
from meanfield.spec.network import Network
from meanfield.studies.comparison import Comparison, compare
from meanfield.studies.simulation import Simulation, SimulationInterrupted, simulate
from meanfield.theory.given_inputs.result import GivenPrediction
from meanfield.theory.predict import predict
from meanfield.theory.white_noise.result import Prediction

LEADING = 6  # eigenvalues shown


@click.command("predict")
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
        show(prediction.to_dict(), _prediction_table(prediction), as_json)
    else:
        given = predict(network, inputs=data, **options, **for_data)
        table = _given_prediction_table(given, data.notes)
        show(with_data(given.to_dict(), data), table, as_json)


@click.command("compare")
@network_options
@data_options
@click.option(
    "--placements", callback=list_of(str), help="Those to compare, e.g. batch@last,layer@hidden."
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
    if set(network.norms) != {"none"}:
        raise ValueError("norm and norms must be left out: --placements says what to compare")
    if figure is not None:
        check_figure(figure)
    comparison = compare(network, samples, inputs=data, **options)
    notes = data.notes if data else ()
    show(with_data(comparison.to_dict(), data), _comparison_table(comparison, notes), as_json)
    if figure is not None:
        write_figure(plot.compare(comparison), figure)


@click.command("simulate")
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
    show(with_data(result.to_dict(), data), _simulation_table(result), as_json)
    return interrupted


def _prediction_table(result: Prediction) -> RenderableType:
    """The predicted spectrum, and the order parameters per layer."""
    values = Table("", "theory", box=None, pad_edge=False)
    values.columns[1].justify = "right"
    kind = f" ({result.eigenvalue_max_kind.words})"
    values.add_row(STATISTICS["eigenvalue_max"] + kind, number(result.eigenvalue_max))
    for name, value in (result.eigenvalue_max_quantiles or {}).items():
        values.add_row(f"  its {name} quantile over networks", number(value))
    for name, estimate in (result.eigenvalue_max_at_samples or {}).items():
        shown = with_error(estimate["value"], estimate["sem"])
        values.add_row(f"  its {name} quantile at {result.samples} samples", shown)
    values.add_row("  its exponent of width at fixed T/M", number(result.width_exponent))
    values.add_row("learning-rate limit 2/λ_max", number(result.learning_rate_max))
    values.add_row(STATISTICS["eigenvalue_mean"], number(result.eigenvalue_mean))
    values.add_row(STATISTICS["eigenvalue_second_moment"], number(result.eigenvalue_second_moment))
    if result.bulk is not None:
        bulk = result.bulk
        ends = f"{number(bulk.lower)} to {number(bulk.edge)}, mean {number(bulk.mean)}"
        values.add_row("bulk of wide networks", ends)
    values.add_row("diagonal A", number(result.diagonal))
    values.add_row("off-diagonal B", number(result.off_diagonal))
    values.add_row("κ1, κ2", f"{number(result.kappa1)}, {number(result.kappa2)}")
    layers = Table("layer", "norm", "q", "q pair", "gap", "q̂", "q̂ pair", "q̃", "q̃ pair", box=None)
    layers.pad_edge = False
    for row, norm in zip(result.order_parameters, result.network.norms, strict=True):
        numbers = [v for name, v in vars(row).items() if name != "layer"]
        layers.add_row(str(row.layer), norm, *(number(v) for v in numbers))
    heading = subject(result.network, result.samples, result.parameters)
    return Group(heading, "", values, "", layers, "", *bullets(result.notes))


def _given_prediction_table(result: GivenPrediction, data_notes: tuple[str, ...]) -> RenderableType:
    """The predicted spectrum on given inputs."""
    values = Table("", "theory", box=None, pad_edge=False)
    values.columns[1].justify = "right"
    kind = f" ({result.eigenvalue_max_kind.words})"
    largest = with_error(result.eigenvalue_max, result.eigenvalue_max_sem)
    values.add_row(STATISTICS["eigenvalue_max"] + kind, largest)
    for name, value in (result.eigenvalue_max_quantiles or {}).items():
        values.add_row(f"  its {name} quantile over networks", number(value))
    if result.finite_width_shift is not None:
        shift = f"{result.finite_width_shift:.1%}"
        values.add_row("  of it by the finite width", shift)
    values.add_row("learning-rate limit 2/λ_max", number(result.learning_rate_max))
    values.add_row(STATISTICS["eigenvalue_mean"], number(result.eigenvalue_mean))
    values.add_row(STATISTICS["eigenvalue_second_moment"], number(result.eigenvalue_second_moment))
    if result.eigenvalues is not None:
        leading = ", ".join(f"{x:.4g}" for x in result.eigenvalues[:LEADING])
        values.add_row("leading eigenvalues per output", leading)
    heading = subject(result.network, result.samples, result.parameters)
    return Group(heading, "", values, "", *bullets((*data_notes, *result.notes)))


def _comparison_table(result: Comparison, data_notes: tuple[str, ...]) -> RenderableType:
    """One line per placement, the flattest first, and the reading."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("placement", no_wrap=True)
    titles = ["λ_max", "/ none", "2/λ_max", "m_λ", *(["measured λ_max"] if result.draws else [])]
    for title in titles:
        table.add_column(title, no_wrap=True, justify="right")
    for row in result.rows:
        table.add_row(
            row.placement,
            row.eigenvalue_max_kind.sign + with_error(row.eigenvalue_max, row.eigenvalue_max_sem),
            "–" if row.ratio is None else f"{row.ratio:.3g}",
            number(row.learning_rate_max),
            number(row.eigenvalue_mean),
            *([_measured(row.measured)] if result.draws else []),
        )
    network = result.network
    parameters = network.with_norms("none").parameters
    notes = bullets((*data_notes, *result.notes))
    return Group(
        subject(network, result.samples, parameters), "", table, "", result.reading, "", *notes
    )


def _measured(statistic: Statistic | None) -> str:
    return "–" if statistic is None else with_error(statistic.mean, statistic.sem)


def _simulation_table(result: Simulation) -> RenderableType:
    """Theory beside measurement."""
    theory = result.theory
    values = Table("", "theory", "measured", "deviation", box=None, pad_edge=False)
    for column in values.columns[1:]:
        column.justify = "right"
    for name, title in STATISTICS.items():
        measured: Statistic | None = getattr(result, name)
        predicted: float | None = getattr(theory, name)
        if measured is None:
            values.add_row(title, number(predicted), number(None), "")
            continue
        shown = with_error(measured.mean, measured.sem)
        if name == "eigenvalue_max" and theory.eigenvalue_max_kind.is_bound:
            values.add_row(title, f"≥ {number(predicted)}", shown, "")
            continue
        deviation = f"{measured.mean / predicted - 1:+.1%}" if predicted else ""
        values.add_row(title, number(predicted), shown, deviation)
    limit = 2 / result.eigenvalue_max.mean if result.eigenvalue_max.mean else None
    values.add_row(
        "learning-rate limit 2/λ_max", number(theory.learning_rate_max), number(limit), ""
    )
    draws = len(result.eigenvalue_max.draws)
    how = f"{draws} draws by {result.method} in {result.precision}, {result.seconds:.2f} s"
    heading = subject(theory.network, result.samples, theory.parameters)
    return Group(heading, how, "", values, "", *bullets((*result.notes, *theory.notes)))
