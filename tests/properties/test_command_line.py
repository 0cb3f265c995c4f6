"""Random command lines: results, or one short line on stderr that says what is wrong."""

import os
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import numpy as np
import pytest
from fuzzing import count, tries
from hypothesis import given
from hypothesis import strategies as st
from random_networks import VARIANCES

from meanfield.commands.cli import run
from meanfield.spec.norms import NORMS

LONGEST, REPEATED = 400, 200  # characters of a message, and how many in a row of what was given

# What a shell can pass: no NUL, and no half of a character.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
LONG = st.tuples(TEXT.filter(bool), st.integers(100, 3000)).map(lambda t: t[0] * t[1])
NUMBERS = st.one_of(
    st.integers(-3, 30).map(str),
    st.integers(-(10**90), 10**90).map(str),
    st.floats().map(str),
    st.sampled_from(["1e400", "-0", "0x10", "1_0", "٣", "1.0", "9" * 5000, "inf", "1e-400", "+2"]),
)
ANYTHING = TEXT | NUMBERS | LONG


def mostly(*good, but=ANYTHING):
    """Usually one of these."""
    return st.one_of(*3 * [st.sampled_from(good)], but)


def listed(*good):
    """Usually a list of these in one word."""
    return st.lists(mostly(*good), min_size=1, max_size=4).map(",".join)


PLACES = st.sampled_from(["last", "hidden", "all", "1", "2", "7", "0"])
PLACEMENTS = st.lists(
    st.tuples(st.sampled_from([*NORMS, "spam"]), PLACES).map("@".join), min_size=1, max_size=2
).map("+".join)
SIZE = ("3", "5", "1", "2", "7")
NETWORK = {
    "--depth": mostly("2", "2", "2", "1"),
    "--width": mostly(*SIZE),
    "--widths": listed("5", "3"),
    "--outputs": mostly("3", "1"),
    "--activation": mostly("relu", "erf", "os:system", "none:f", "custom_activations:NUMBER"),
    "--weight-var": VARIANCES.map(str) | ANYTHING,
    "--bias-var": VARIANCES.map(str) | ANYTHING,
    "--norm": PLACEMENTS | ANYTHING,
    "--norms": listed(*NORMS),
    "--samples": mostly("6", "6", "4", "1", "100", "1000000000000"),
    "--seed": mostly("0", "1"),
}
DATA = {
    "--data": mostly("x.npy", "none.npy", ".", "broken.npz", "x.csv", "digits.npy"),
    "--data-seed": mostly("0", "1"),
    "--fields": mostly("10", "0"),
    "--batch-statistics": mostly("self-averaging", "sampled"),
    "--standardize": st.none(),
    "--no-standardize": st.none(),
    "--keep-constant": st.none(),
}
SMALL = {"but": TEXT | st.sampled_from(["-1", "0", "2.5", "9" * 100])}  # nothing that takes long
COMMANDS = {
    "predict": NETWORK
    | DATA
    | {"--output-draws": mostly("0", "2", **SMALL), "--eigenvectors": mostly("0", "1")},
    "compare": NETWORK
    | DATA
    | {
        "--placements": st.lists(PLACEMENTS, min_size=1, max_size=3).map(",".join) | ANYTHING,
        "--draws": mostly("0", "1", **SMALL),
        "--plot": mostly("x.doc", "none/x.png", "/dev/full.png", but=st.just("x.gif")),
    },
    "simulate": NETWORK
    | {name: DATA[name] for name in ("--data", "--data-seed", "--no-standardize")}
    | {
        "--samples": mostly("6", "4", "1", "1000000000000"),
        "--draws": mostly("1", "2", **SMALL),
        "--method": mostly("auto", "dual", "krylov"),
        "--precision": mostly("float32", "float64"),
        "--leading": mostly("1", "2", "99"),
        "--devices": mostly("1", "2"),
        "--spectrum": st.none(),
        "--no-second-moment": st.none(),
    },
    "train": NETWORK
    | {
        "--samples": mostly("6", "4", "1000000000000"),
        "--learning-rates": mostly("0.1", "0.1:1:3", "1:0.1:3", "1:2", "0.1,0.2", "0:1:3"),
        "--draws": mostly("1", **SMALL),
        "--steps": mostly("1", "2", **SMALL),
        "--data": mostly("x.npy", "none.npy"),
    },
    "sweep": {
        "grid.toml": st.none(),
        "bad.toml": st.none(),
        "--store": mostly("file:///a", "s3://b/c", "x.npy", "."),
        "--workers": mostly("0", "-1", **SMALL),
        "--scheduler": mostly("", "nowhere"),
        "--dry-run": st.none(),
    },
    "show": {
        ".": st.none(),
        "none": st.none(),
        "--select": ANYTHING,
        "--along": ANYTHING,
        "--plot": mostly("x.doc", but=TEXT),
    },
    "scaling": {".": st.none(), "--variable": ANYTHING, "--along": ANYTHING},
}


@st.composite
def command_lines(draw):
    """A command, some of its options with values good and bad, and what no command takes."""
    command = draw(mostly(*COMMANDS, but=TEXT))
    options = COMMANDS.get(command, NETWORK)
    usual = [n for n in ("--depth", "--width", "--samples") if n in options]
    dropped = draw(st.sampled_from([*3 * [None], *usual]) if usual else st.none())
    others = draw(st.lists(st.sampled_from(sorted({*options} - {*usual})), max_size=4))
    words = [command]
    for name in [n for n in usual if n != dropped] + others:
        value = draw(options[name])
        if value is None:
            words.append(name)
        else:
            words += draw(st.sampled_from([[name, value], [f"{name}={value}"]]))
    extra = draw(st.one_of(*4 * [st.just([])], st.sampled_from([["--json"], ["--help"]])))
    return [*words, *extra, *([draw(TEXT)] if draw(st.integers(0, 9)) == 9 else [])]


@pytest.fixture(scope="module")
def _folder(tmp_path_factory):
    """A folder of good and bad files to be named."""
    folder, before = tmp_path_factory.mktemp("lines"), os.getcwd()
    os.chdir(folder)
    np.save("x.npy", np.arange(30.0).reshape(6, 5) % 7)
    (folder / "broken.npz").write_bytes(b"PK\3\4 and no more")
    (folder / "x.csv").write_text("a,b\n1,2\n3,x\n")
    (folder / "grid.toml").write_text("depth = 2\nwidth = [5, 6]\nsamples = 'width'\ndraws = 1\n")
    (folder / "bad.toml").write_text("depth = 2\nwidth = [5, 'x']\nsamples = 4\n")
    yield
    os.chdir(before)


def ran(words):
    """The exit code, and what was printed on stdout and stderr."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = run(words)
    return code, out.getvalue(), err.getvalue()


def longest_echo(message, words):
    """How many characters in a row of one word the message repeats, up to one too many."""
    for word in words:
        spans = range(len(word) - REPEATED)
        if any(word[i : i + REPEATED + 1] in message for i in spans):
            return REPEATED + 1
    return 0


@pytest.mark.usefixtures("_folder")
@tries(20, 1200)
@given(words=command_lines())
def test_any_command_line_gives_a_result_or_one_short_line(words):
    count("command lines")
    code, out, err = ran(words)
    count("command lines", f"with exit code {code}")
    if code in (0, 3):
        assert out
        return
    # A draw that is not finite in its precision is a failure, and no bad input.
    assert code == 2 or (code == 1 and "draw" in err), (words, err)
    assert err.startswith("meanfield: ")
    assert err.count("\n") == 1
    assert len(err) <= LONGEST
    assert longest_echo(err, words) <= REPEATED
