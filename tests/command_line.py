"""What the `meanfield` command prints, called in this process."""

import json

from meanfield.commands.cli import run


def output(capsys, *arguments, code=0):
    """What it prints, with nothing on stderr and that exit code."""
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert err == ""
    return out


def strict(text):
    """The one JSON object in the text; NaN and infinity are no JSON."""

    def refuse(constant):
        raise AssertionError(f"{constant} in {text}")

    assert text.count("\n") == 1
    return json.loads(text, parse_constant=refuse)


def as_json(value):
    """What JSON makes of a value: lists for tuples, floats to the last digit."""
    return json.loads(json.dumps(value))
