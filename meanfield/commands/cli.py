"""The `meanfield` command: the library's functions, their results as a table or as JSON."""

import errno
import re
from collections.abc import Sequence

import click
from jax.errors import JaxRuntimeError

from meanfield.checks import LONGEST, reason, shortened, shown
from meanfield.commands import reports, spectrum, sweeps, training
from meanfield.commands.output import BAD_INPUT, FAILED, INTERRUPTED
from meanfield.studies.simulation import SimulationError
from meanfield.version import __version__


def run(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code; an error is one line on stderr."""
    try:
        return cli.main(list(arguments), prog_name="meanfield", standalone_mode=False) or 0
    except click.ClickException as error:
        return _fail(_brief(error.format_message(), arguments), BAD_INPUT)
    except ValueError as error:
        return _fail(_brief(str(error), arguments), BAD_INPUT)
    except (SimulationError, ModuleNotFoundError, OSError, JaxRuntimeError) as error:
        named = getattr(error, "errno", None) == errno.ENAMETOOLONG  # by whoever gave the name
        return _fail(_brief(str(error), arguments), BAD_INPUT if named else FAILED)
    except (ArithmeticError, KeyError, MemoryError, RecursionError) as error:
        # A check of ours that is missing: whatever was asked for was too much of something.
        return _fail(_brief(f"{type(error).__name__}: {reason(error)}", arguments), BAD_INPUT)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", INTERRUPTED)


def _brief(message: str, arguments: Sequence[str]) -> str:
    """The message in a line, which repeats nothing long of what was given."""
    given = [part for argument in arguments for part in (argument, *argument.split("=", 1)[1:])]
    for text in given:
        if len(text) > LONGEST:
            message = message.replace(text, shortened(text)).replace(repr(text), shown(text))
    return re.sub(rf"\S{{{LONGEST + 1},}}", lambda word: shortened(word[0]), message)


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
