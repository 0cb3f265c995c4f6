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
        return _fail(_brief(_with_hint(error.format_message()), arguments), BAD_INPUT)
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


def _with_hint(message: str) -> str:
    """Numbers that belong to no option are likely a list that was typed with spaces."""
    if re.match(r"Got unexpected extra arguments? \([\d ]+\)", message):
        return f"{message}; a list takes commas, e.g. --widths 300,600,150"
    return message


def _fail(message: str, code: int) -> int:
    click.echo(f"meanfield: {' '.join(message.split())}", err=True)
    return code


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="meanfield")
@click.pass_context
def cli(context: click.Context):
    """Predicts and measures the Fisher information matrix's spectrum of wide neural networks."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


EXAMPLES = {
    "predict": (
        "--depth 3 --width 1000 --norm batch@last --samples 1000",
        "--data digits --depth 3 --width 500 --bias-var 0.1",
    ),
    "compare": (
        "--depth 3 --width 100 --bias-var 0.1 --samples 100 --draws 10",
        "--data digits --samples 64 --depth 3 --width 128 --plot compared.png",
    ),
    "simulate": (
        "--depth 3 --width 200 --norm layer@hidden --samples 200 --draws 20",
        "--widths 300,200,100 --norms none,batch,none --samples 100 --json",
    ),
    "sweep": ("grid.toml --store runs/a.zarr --dry-run", "grid.toml --store runs/a.zarr"),
    "show": (
        "runs/a.zarr --csv cells.csv",
        "runs/a.zarr --select norm=batch@last --plot cells.png",
    ),
    "scaling": ("runs/a.zarr --along width",),
    "train": (
        "--depth 3 --width 30 --activation tanh --samples 30 --learning-rates 0.01:1:5",
        "--data digits --samples 100 --outputs 10 --depth 3 --width 100 --store runs/b",
    ),
    "validate": ("--quick",),
    "reproduce": ("--only width --only table", "--full --out figures"),
}


def _examples(name: str) -> str:
    """What stands below a command's options; click wraps no paragraph that begins so."""
    return "\n".join(["\b", "Examples:", *(f"  meanfield {name} {e}" for e in EXAMPLES[name])])


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
    command.epilog = _examples(str(command.name))
    cli.add_command(command)
