"""`meanfield validate` and `reproduce`: the theory against networks, in tables and figures."""

from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from meanfield.commands.options import json_option, seed_option
from meanfield.commands.output import FAILED, show
from meanfield.reproduction.reproduce import Report as Reproduction
from meanfield.reproduction.reproduce import reproduce
from meanfield.studies.validation.digits import DIGITS
from meanfield.studies.validation.report import Report
from meanfield.studies.validation.validate import validate


@click.command("validate")
@click.option("--quick", is_flag=True, help="Width and samples 200 in place of 400.")
@seed_option
@click.option(
    "--store", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Keeps every finished case; the same command takes an interrupted run up again.",
)  # fmt: skip
@json_option
def validate_command(quick: bool, seed: int, store: Path | None, as_json: bool) -> int | None:
    """Hold the theory against sampled networks for every kind of placement.

    Exits with 1 if any row fails.
    """
    report = validate(quick=quick, seed=seed, store=store)
    show(report.to_dict(), _validation_table(report), as_json)
    return None if report.passed else FAILED


@click.command("reproduce")
@click.option(
    "--full/--quick", default=False, show_default=True,
    help="Sizes like the paper's, or what two cores make in minutes.",
)  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME", help="Only this figure; may be repeated.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path),
    help="A folder for figures and page; an unfinished run there is taken up again.  "
    "[default: figures/quick; with --full figures]",
)  # fmt: skip
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), metavar="SOURCE",
    help="Labelled data, such as Fashion-MNIST's folder, for the learning-rate figure as well.",
)  # fmt: skip
@json_option
def reproduce_command(as_json: bool, **options) -> int | None:
    """Draw the figures, theory against sampled networks, and a page that shows them.

    Exits with 1 if a figure failed.
    """
    report = reproduce(**options)
    show(report.to_dict(), _reproduction_table(report), as_json)
    return FAILED if report.failures else None


def _validation_table(report: Report) -> RenderableType:
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


def _reproduction_table(report: Reproduction) -> RenderableType:
    """One line per figure, and where the page is."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for figure in report.figures:
        table.add_row(figure["name"], figure["size"], f"{figure['seconds']:g} s")
    for name, message in report.failures.items():
        table.add_row(name, Text("FAIL", style="bold red"), message)
    return Group(table, "", f"see {report.index}")
