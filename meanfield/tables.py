"""Results as tables that a person can take in at a glance."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from meanfield.comparison import Comparison
from meanfield.exponents import Scaling
from meanfield.given import GivenPrediction
from meanfield.network import Network
from meanfield.prediction import Prediction
from meanfield.readout import ASYMPTOTIC
from meanfield.reproduction import Report as Reproduction
from meanfield.simulation import Simulation, Statistic
from meanfield.sweep_plan import Plan
from meanfield.training_result import Threshold, Training
from meanfield.validation import Report
from meanfield.validation_data import DIGITS

LEADING = 6  # eigenvalues shown
STATISTICS = {
    "eigenvalue_max": "largest eigenvalue λ_max",
    "eigenvalue_mean": "mean eigenvalue m_λ",
    "eigenvalue_second_moment": "second moment s_λ",
}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.5g}"


def _with_error(value: float | None, sem: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.5g}" if sem is None else f"{value:.5g} ± {sem:.2g}"


def _heading(network: Network, samples: int, parameters: int) -> Text:
    widths = "→".join(str(w) for w in (*network.widths, network.outputs))
    return Text(
        f"{network.activation.name} network {widths}, σ_w² = {network.weight_var:g}, "
        f"σ_b² = {network.bias_var:g}, norms {','.join(network.norms)}; T = {samples} samples, "
        f"P = {parameters} parameters",
        style="bold",
    )


def _notes(notes: tuple[str, ...]) -> list[Text]:
    return [Text(f"• {note}", style="dim") for note in notes]


def prediction(result: Prediction) -> RenderableType:
    """The predicted spectrum, and the order parameters per layer."""
    values = Table("", "theory", box=None, pad_edge=False)
    values.columns[1].justify = "right"
    bound = "" if result.eigenvalue_max_kind == ASYMPTOTIC else " (lower bound)"
    values.add_row(STATISTICS["eigenvalue_max"] + bound, _number(result.eigenvalue_max))
    for name, value in (result.eigenvalue_max_quantiles or {}).items():
        values.add_row(f"  its {name} quantile over networks", _number(value))
    for name, estimate in (result.eigenvalue_max_at_samples or {}).items():
        shown = _with_error(estimate["value"], estimate["sem"])
        values.add_row(f"  its {name} quantile at {result.samples} samples", shown)
    if result.eigenvalue_max_upper is not None:
        values.add_row("  its upper bound, up to a constant", _number(result.eigenvalue_max_upper))
    values.add_row("  its exponent of width at fixed T/M", _number(result.width_exponent))
    values.add_row("learning-rate limit 2/λ_max", _number(result.learning_rate_max))
    values.add_row(STATISTICS["eigenvalue_mean"], _number(result.eigenvalue_mean))
    values.add_row(STATISTICS["eigenvalue_second_moment"], _number(result.eigenvalue_second_moment))
    values.add_row("diagonal A", _number(result.diagonal))
    values.add_row("off-diagonal B", _number(result.off_diagonal))
    values.add_row("κ1, κ2", f"{_number(result.kappa1)}, {_number(result.kappa2)}")
    layers = Table("layer", "norm", "q", "q pair", "gap", "q̂", "q̂ pair", "q̃", "q̃ pair", box=None)
    layers.pad_edge = False
    for row, norm in zip(result.order_parameters, result.network.norms, strict=True):
        numbers = [v for name, v in vars(row).items() if name != "layer"]
        layers.add_row(str(row.layer), norm, *(_number(v) for v in numbers))
    heading = _heading(result.network, result.samples, result.parameters)
    return Group(heading, "", values, "", layers, "", *_notes(result.notes))


def given_prediction(result: GivenPrediction, data_notes: tuple[str, ...]) -> RenderableType:
    """The predicted spectrum on given inputs."""
    values = Table("", "theory", box=None, pad_edge=False)
    values.columns[1].justify = "right"
    bound = "" if result.eigenvalue_max_kind == ASYMPTOTIC else " (lower bound)"
    largest = _with_error(result.eigenvalue_max, result.eigenvalue_max_sem)
    values.add_row(STATISTICS["eigenvalue_max"] + bound, largest)
    for name, value in (result.eigenvalue_max_quantiles or {}).items():
        values.add_row(f"  its {name} quantile over networks", _number(value))
    if result.finite_width_shift is not None:
        shift = f"{result.finite_width_shift:.1%}"
        values.add_row("  finite width may raise it by about", shift)
    values.add_row("learning-rate limit 2/λ_max", _number(result.learning_rate_max))
    values.add_row(STATISTICS["eigenvalue_mean"], _number(result.eigenvalue_mean))
    values.add_row(STATISTICS["eigenvalue_second_moment"], _number(result.eigenvalue_second_moment))
    if result.eigenvalues is not None:
        leading = ", ".join(f"{x:.4g}" for x in result.eigenvalues[:LEADING])
        values.add_row("leading eigenvalues per output", leading)
    heading = _heading(result.network, result.samples, result.parameters)
    return Group(heading, "", values, "", *_notes((*data_notes, *result.notes)))


def comparison(result: Comparison, data_notes: tuple[str, ...]) -> RenderableType:
    """One line per placement, the flattest first, and the reading."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("placement", no_wrap=True)
    titles = ["λ_max", "/ none", "2/λ_max", "m_λ", *(["measured λ_max"] if result.draws else [])]
    for title in titles:
        table.add_column(title, no_wrap=True, justify="right")
    for row in result.rows:
        at_least = "" if row.eigenvalue_max_kind == ASYMPTOTIC else "≥ "
        table.add_row(
            row.placement,
            at_least + _with_error(row.eigenvalue_max, row.eigenvalue_max_sem),
            "–" if row.ratio is None else f"{row.ratio:.3g}",
            _number(row.learning_rate_max),
            _number(row.eigenvalue_mean),
            *([_measured(row.measured)] if result.draws else []),
        )
    network = result.network
    parameters = network.with_norms("none").parameters
    notes = _notes((*data_notes, *result.notes))
    return Group(
        _heading(network, result.samples, parameters), "", table, "", result.reading, "", *notes
    )


def _measured(statistic: Statistic | None) -> str:
    return "–" if statistic is None else _with_error(statistic.mean, statistic.sem)


def simulation(result: Simulation) -> RenderableType:
    """Theory beside measurement."""
    theory = result.theory
    values = Table("", "theory", "measured", "deviation", box=None, pad_edge=False)
    for column in values.columns[1:]:
        column.justify = "right"
    for name, title in STATISTICS.items():
        measured: Statistic | None = getattr(result, name)
        predicted: float | None = getattr(theory, name)
        if measured is None:
            values.add_row(title, _number(predicted), _number(None), "")
            continue
        shown = _with_error(measured.mean, measured.sem)
        if name == "eigenvalue_max" and theory.eigenvalue_max_kind != ASYMPTOTIC:
            values.add_row(title, f"≥ {_number(predicted)}", shown, "")
            continue
        deviation = f"{measured.mean / predicted - 1:+.1%}" if predicted else ""
        values.add_row(title, _number(predicted), shown, deviation)
    limit = 2 / result.eigenvalue_max.mean if result.eigenvalue_max.mean else None
    values.add_row(
        "learning-rate limit 2/λ_max", _number(theory.learning_rate_max), _number(limit), ""
    )
    draws = len(result.eigenvalue_max.draws)
    how = f"{draws} draws by {result.method} in {result.precision}, {result.seconds:.2f} s"
    heading = _heading(theory.network, result.samples, theory.parameters)
    return Group(heading, how, "", values, "", *_notes((*result.notes, *theory.notes)))


def sweep_summary(summary: dict) -> RenderableType:
    """What a sweep holds, and what failed."""
    line = (
        f"{summary['cells']} cells, {summary['measured']} draws measured, "
        f"{summary['failed']} failed, {summary['missing']} missing"
    )
    failures = [f"{place}: {message}" for place, message in summary["failures"].items()]
    if "run_seconds" in summary:
        line += (
            f"\n{summary['compile_seconds']:.1f} s of compilation, {summary['run_seconds']:.1f} s "
            f"of measuring, summed over workers"
        )
    return Group(line, *failures)


def plan(plan: Plan) -> RenderableType:
    """What is left of a sweep, and how that was estimated."""
    left = (
        f"{plan.cells} cells; left: {plan.draws} draws of {plan.kinds} kinds, "
        f"{plan.flops:.3g} flops"
    )
    if plan.calibration is None:
        return Group(left)
    c = plan.calibration
    return Group(
        left,
        f"largest cell: {plan.memory / 1e9:.3g} GB of {(plan.memory_share or 0) / 1e9:.3g} GB per "
        f"worker",
        f"about {_duration(plan.seconds)} on {plan.workers} workers",
        f"measured on {c.kinds} kinds: {c.start_seconds:.2g} s to start, "
        f"{c.compile_seconds:.2g} s to compile each, {1e3 * c.draw_seconds:.2g} ms per draw, "
        f"{c.flops_per_second / 1e9:.3g} GFLOP/s per worker",
    )


def _duration(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    if hours >= 2:
        return f"{hours:.1f} h"
    return f"{minutes:.1f} min" if minutes >= 2 else f"{seconds:.0f} s"


def sweep(records: list[dict]) -> RenderableType:
    """One line per cell: where it is, then λ_max and m_λ by theory and over draws."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    measured = ("draws", *(n for name in STATISTICS for n in (name, f"{name}_sem")))
    theory = ("theory_eigenvalue_max_kind", *(f"theory_{name}" for name in STATISTICS))
    axes = [name for name in (records[0] if records else ()) if name not in (*measured, *theory)]
    for title in (*axes, "draws", "λ_max theory", "λ_max", "m_λ theory", "m_λ"):
        table.add_column(title, no_wrap=True, justify="right")
    for record in records:
        at_least = "" if record["theory_eigenvalue_max_kind"] == ASYMPTOTIC else "≥ "
        table.add_row(
            *(str(record[axis]) for axis in axes),
            str(record["draws"]),
            at_least + _number(record["theory_eigenvalue_max"]),
            _with_error(record["eigenvalue_max"], record["eigenvalue_max_sem"]),
            _number(record["theory_eigenvalue_mean"]),
            _with_error(record["eigenvalue_mean"], record["eigenvalue_mean_sem"]),
        )
    return table


def scaling(records: list[dict]) -> RenderableType:
    """One line per combination of the other axes: exponents, and the limit where there is one."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    axes = [name for name in (records[0] if records else ()) if name not in Scaling._fields]
    for title in (*axes, "exponent", "95 %: from", "to", "theory's", "limit", "cells"):
        table.add_column(title, no_wrap=True, justify="right")
    for record in records:
        table.add_row(
            *(str(record[axis]) for axis in axes),
            *(_exponent(record, n) for n in ("exponent", "exponent_low", "exponent_high")),
            _exponent(record, "theory_exponent"),
            _with_error(record["limit"], record["limit_sem"]),
            str(record["points"]),
        )
    return table


def _exponent(record: dict, name: str) -> str:
    return "–" if record[name] is None else f"{record[name]:.3f}"


def reproduction(report: Reproduction) -> RenderableType:
    """One line per figure, and where the page is."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for figure in report.figures:
        table.add_row(figure["name"], figure["size"], f"{figure['seconds']:g} s")
    for name, message in report.failures.items():
        table.add_row(name, Text("FAIL", style="bold red"), message)
    return Group(table, "", f"see {report.index}")


def validation(report: Report) -> RenderableType:
    """One line per comparison, and the verdict."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for title in ("φ", "C", "placement", "quantity"):
        table.add_column(title, no_wrap=True)
    for title in ("theory", "measured", "dev.", "tol."):
        table.add_column(title, no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    for check in report.checks:
        table.add_row(
            check.case.activation,
            str(check.case.outputs),
            check.case.placement + (f" ({DIGITS})" if check.case.inputs == DIGITS else ""),
            check.quantity,
            f"{check.expected:.3g}",
            f"{check.measured:.3g} ± {check.sem:.1g}",
            f"{100 * check.deviation:+.0f}%",
            f"{100 * check.tolerance:.0f}%",
            Text("ok", style="green") if check.passed else Text("FAIL", style="bold red"),
        )
    failed = sum(not check.passed for check in report.checks)
    return Group(
        table,
        "",
        f"{len(report.checks) - failed} passed, {failed} failed at width = samples = "
        f"{report.width} in {report.seconds:.0f} s; tolerance = {report.sems:g} standard errors + "
        f"{report.allowance:g}/√width",
    )


def training(
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
            _number(rate),
            "diverged" if loss is None else _with_error(loss.mean, loss.sem),
            f"{result.diverged[i].sum()} of {draws}",
            f"{result.rose[i].sum()} of {draws}",
            f"{result.steps_taken[i].mean():.0f}",
        )
    limits.add_row("theory's limit 2/λ_max", _number(learning_rate_max), "")
    limits.add_row("the loss rises from", *_against(result.instability, learning_rate_max))
    limits.add_row("training diverges from", *_against(result.threshold, learning_rate_max))
    heading = _heading(result.network, result.samples, result.network.parameters)
    how = f"{result.steps} steps on {draws} networks per learning rate, {result.seconds:.1f} s"
    notes = _notes((*data_notes, *result.notes))
    return Group(heading, how, "", table, "", limits, "", *notes)


def _against(threshold: Threshold, limit: float | None) -> tuple[str, str]:
    mean = threshold.mean
    ratio = "–" if mean is None or limit is None else f"{mean / limit:.3g}"
    return _with_error(mean, threshold.sem), ratio
