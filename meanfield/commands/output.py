"""How the commands show their results: tables that a person can take in at a glance, or JSON."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from meanfield.data.dataset import Data
from meanfield.spec.network import Network
from meanfield.spec.quantities import QUANTITIES
from meanfield.sweeps import words

PIPE_WIDTH = 120
BAD_INPUT, FAILED, CELLS_FAILED, INTERRUPTED = 2, 1, 3, 130  # exit codes
STATISTICS = {name: QUANTITIES[name].row for name in words.STATISTICS}


def show(result: dict, table, as_json: bool) -> None:
    """Prints a result: one JSON object, or the table."""
    if as_json:
        click.echo(json.dumps(result, allow_nan=False))
    else:
        console = Console()
        if not console.is_terminal:  # a file or a pipe is as wide as the table needs
            console.width = PIPE_WIDTH
        console.print(table)


def with_data(result: dict, data: Data | None) -> dict:
    """The result and what was done to the data."""
    if data is None:
        return result
    source = {"name": data.name, "dropped": list(data.dropped), "notes": list(data.notes)}
    return {**result, "data": source}


def check_figure(path: Path) -> None:
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


def write_figure(axes, path: Path) -> None:
    """Writes the figure that the axes are of."""
    axes.get_figure(root=True).savefig(path, dpi=200)


def number(value: float | None) -> str:
    """Five digits."""
    return "–" if value is None else f"{value:.5g}"


def with_error(value: float | None, sem: float | None) -> str:
    """A value and its standard error."""
    if value is None:
        return "–"
    return f"{value:.5g}" if sem is None else f"{value:.5g} ± {sem:.2g}"


def subject(network: Network, samples: int, parameters: int) -> Text:
    """What a table is of."""
    widths = "→".join(str(w) for w in (*network.widths, network.outputs))
    return Text(
        f"{network.activation.name} network {widths}, σ_w² = {network.weight_var:g}, "
        f"σ_b² = {network.bias_var:g}, norms {','.join(network.norms)}; T = {samples} samples, "
        f"P = {parameters} parameters",
        style="bold",
    )


def bullets(notes: tuple[str, ...]) -> list[Text]:
    """One line per note; what is null in JSON is a dash in a table."""
    words = [
        f"no value: {n.removeprefix('null: ')}" if n.startswith("null: ") else n for n in notes
    ]
    return [Text(f"• {note}", style="dim") for note in words]
