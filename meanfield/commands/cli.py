"""The `meanfield` command: the library's functions, their results as a table or as JSON."""

from collections.abc import Sequence

import click

from meanfield.commands import reports, spectrum, sweeps, training
from meanfield.commands.output import BAD_INPUT, FAILED, INTERRUPTED
from meanfield.studies.simulation import SimulationError
from meanfield.version import __version__


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


@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="meanfield")
def cli():
    """Predicts and measures the Fisher information matrix's spectrum of wide neural networks."""


for command in (
    spectrum.predict_command,
    spectrum.compare_command,
    spectrum.simulate_command,
    sweeps.sweep_command,
    sweeps.show_command,
    sweeps.scaling_command,
    training.train_command,
    reports.validate_command,
    reports.reproduce_command,
):
    cli.add_command(command)
