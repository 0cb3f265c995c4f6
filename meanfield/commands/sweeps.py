"""`meanfield sweep`, `show` and `scaling`: grids of networks."""

import functools
import json
import os
from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.table import Table

from meanfield import plot
from meanfield.commands.options import json_option
from meanfield.commands.output import (
    CELLS_FAILED,
    check_figure,
    number,
    show,
    with_error,
    write_figure,
)
from meanfield.spec.activations import resolve_activation
from meanfield.spec.quantities import QUANTITIES
from meanfield.sweeps.dataset import load
from meanfield.sweeps.grid import Grid
from meanfield.sweeps.plan import Plan, plan
from meanfield.sweeps.scaling import Scaling, scaling
from meanfield.sweeps.sweep import sweep
from meanfield.sweeps.tables import axes_to_draw, select_cells, summarize, sweep_summary
from meanfield.sweeps.words import DRAWS, KIND, STATISTICS, THEORY
from meanfield.theory.kinds import Kind

store_argument = click.argument(
    "store", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
select_option = click.option(
    "--select", multiple=True, metavar="AXIS=VALUE", help="Only these cells, e.g. norm=batch@last."
)


@click.command("sweep")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--store", type=click.Path(file_okay=False, path_type=Path), required=True,
    help="A folder for the results; an unfinished sweep there is taken up again.",
)  # fmt: skip
@click.option("--workers", type=int, help="Local processes; one per core by default.")
@click.option("--scheduler", help="A Dask scheduler to use instead, e.g. tcp://host:8786.")
@click.option("--draws", type=int, help="In place of the number that the file asks for.")
@click.option(
    "--trust", is_flag=True,
    help="Import the activations that FILE names as MODULE:NAME, which runs their code.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what is left and how long it would take.")
@json_option
def sweep_command(
    file: Path, store: Path, draws: int | None, trust: bool, dry_run: bool, as_json: bool, **cluster
) -> int | None:
    """Predict and measure every cell of a grid, FILE in TOML; restartable.

    Exits with 3 if a cell failed.
    """
    grid = Grid.from_toml(file)
    if trust:
        for name in grid.unimported:
            resolve_activation(name, os.getcwd())
    if draws is not None:
        grid = Grid.of_names(**{**grid.to_dict(), "draws": draws})
    if dry_run:
        planned = plan(grid, store, **cluster)
        show(planned.to_dict(), _plan_table(planned), as_json)
        return None
    dataset = sweep(grid, store, announce=functools.partial(click.echo, err=True), **cluster)
    summary = sweep_summary(dataset)
    show(summary, _sweep_summary_table(summary), as_json)
    return CELLS_FAILED if summary["failed"] else None


@click.command("show")
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
        check_figure(figure)
    dataset = select_cells(load(store), select)
    frame = summarize(dataset)
    axes = None if figure is None else _lines_of(dataset, along)
    records = json.loads(frame.to_json(orient="records", double_precision=15))
    show({"cells": records}, _sweep_table(records), as_json)
    if table is not None:
        frame.to_csv(table, index=False)
    if axes is not None:
        write_figure(axes, figure)


def _lines_of(dataset, along: str | None):
    """λ_max along an axis, a line per value of the other one that has several."""
    along, by = axes_to_draw(dataset, along)
    return plot.along(dataset, along, by=by)


@click.command("scaling")
@store_argument
@select_option
@click.option("--along", default="width", show_default=True, help="The axis.")
@click.option("--variable", default="eigenvalue_max", show_default=True, help="What grows.")
@json_option
def scaling_command(store: Path, select, along: str, variable: str, as_json: bool) -> None:
    """Fit the exponents of a sweep along its widths, and limits where lambda_max does not grow."""
    fits = scaling(select_cells(load(store), select), variable, along=along)
    frame = fits.expand_dims("").to_dataframe().reset_index().drop(columns="")  # it may have none
    records = json.loads(frame.to_json(orient="records", double_precision=15))
    show({"along": along, "lines": records}, _scaling_table(records), as_json)


def _sweep_summary_table(summary: dict) -> RenderableType:
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


def _plan_table(plan: Plan) -> RenderableType:
    """What is left of a sweep, and how that was estimated."""
    left = (
        f"{plan.cells} cells; left: {plan.draws} draws of {plan.kinds} kinds, "
        f"{plan.flops:.3g} flops"
    )
    if plan.calibration is None:
        unknown = "no estimate of the time without --trust: an activation is not imported"
        return Group(left, *[unknown] * (plan.seconds is None))
    c = plan.calibration
    return Group(
        left,
        f"largest cell: {plan.memory / 1e9:.3g} GB of {(plan.memory_share or 0) / 1e9:.3g} GB per "
        f"worker",
        f"about {_duration(plan.seconds or 0)} on {plan.workers} workers",
        f"measured on {c.kinds} kinds: {c.start_seconds:.2g} s to start, "
        f"{c.compile_seconds:.2g} s to compile each, {1e3 * c.draw_seconds:.2g} ms per draw, "
        f"{c.flops_per_second / 1e9:.3g} GFLOP/s per worker",
    )


def _duration(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    if hours >= 2:
        return f"{hours:.1f} h"
    return f"{minutes:.1f} min" if minutes >= 2 else f"{seconds:.0f} s"


def _sweep_table(records: list[dict]) -> RenderableType:
    """One line per cell: where it is, then λ_max and m_λ by theory and over draws."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    measured = (DRAWS, *(n for name in STATISTICS for n in (name, f"{name}_sem")))
    theory = (KIND, *(THEORY + name for name in STATISTICS))
    axes = [name for name in (records[0] if records else ()) if name not in (*measured, *theory)]
    largest, mean = (QUANTITIES[name].symbol for name in STATISTICS[:2])
    for title in (*axes, DRAWS, f"{largest} theory", largest, f"{mean} theory", mean):
        table.add_column(title, no_wrap=True, justify="right")
    for record in records:
        at_least = Kind(record[KIND]).sign
        table.add_row(
            *(str(record[axis]) for axis in axes),
            str(record[DRAWS]),
            at_least + number(record["theory_eigenvalue_max"]),
            with_error(record["eigenvalue_max"], record["eigenvalue_max_sem"]),
            number(record["theory_eigenvalue_mean"]),
            with_error(record["eigenvalue_mean"], record["eigenvalue_mean_sem"]),
        )
    return table


def _scaling_table(records: list[dict]) -> RenderableType:
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
            with_error(record["limit"], record["limit_sem"]),
            str(record["points"]),
        )
    return table


def _exponent(record: dict, name: str) -> str:
    return "–" if record[name] is None else f"{record[name]:.3f}"
