import numpy as np
import pytest

from meanfield.cli import run

NET = "--depth 3 --width 5"
BAD = {
    # unknown words
    f"predict {NET} --samples 7 --activation swosh": ["activation must be one of", "'swosh'"],
    f"predict {NET} --samples 7 --norm spam@last": ["norm must be one of none, mean", "'spam'"],
    f"predict {NET} --samples 7 --norm mean@4": ["a layer from 1 to 3", "'mean@4'"],
    f"predict {NET} --samples 7 --norm mean": ["norm must be 'none' or KIND@last", "'mean'"],
    f"predict {NET} --samples 7 --norms none,spam,none": ["norms must be one of none", "'spam'"],
    f"simulate {NET} --samples 7 --method lanczos": ["--method", "lanczos", "auto", "krylov"],
    f"simulate {NET} --samples 7 --precision half": ["--precision", "half", "float32", "float64"],
    f"predict {NET} --samples 7 --nonsense": ["No such option", "--nonsense"],
    "foretell": ["No such command", "foretell"],
    f"predict {NET} --samples 7 stray": ["unexpected extra argument", "stray"],
    # counts
    "predict --depth 0 --width 5 --samples 7": ["depth must be a positive integer, got 0"],
    "predict --depth 3 --width -1 --samples 7": ["width must be a positive integer, got -1"],
    f"predict {NET} --samples 7 --outputs 0": ["outputs must be a positive integer, got 0"],
    f"predict {NET} --samples 0": ["samples must be a positive integer, got 0"],
    f"predict {NET} --samples -3": ["samples must be a positive integer, got -3"],
    f"simulate {NET} --samples 7 --draws 0": ["draws must be a positive integer, got 0"],
    f"simulate {NET} --samples 7 --seed -1": ["seed must be an integer of at least 0, got -1"],
    f"simulate {NET} --samples 7 --seed {2**63}": ["seed must be below 2**63", str(2**63)],
    "predict --widths 5,0,5 --samples 7": ["widths must be a positive integer, got 0"],
    "predict --depth 2 --widths 5,5,5 --samples 7": ["depth must equal the number of widths, 3"],
    # not integers, not numbers
    "predict --depth 2.5 --width 5 --samples 7": ["--depth", "2.5", "integer"],
    "predict --depth 3 --width five --samples 7": ["--width", "five", "integer"],
    f"predict {NET} --samples 7.0": ["--samples", "7.0", "integer"],
    f"predict {NET} --samples 7 --outputs 1e1": ["--outputs", "1e1", "integer"],
    f"simulate {NET} --samples 7 --draws many": ["--draws", "many", "integer"],
    f"simulate {NET} --samples 7 --seed 0.5": ["--seed", "0.5", "integer"],
    "predict --widths 5,5.5 --samples 7": ["--widths", "comma-separated", "5,5.5"],
    "predict --widths 5,,5 --samples 7": ["--widths", "comma-separated", "5,,5"],
    f"predict {NET} --samples 7 --weight-var two": ["--weight-var", "two"],
    # variances
    f"predict {NET} --samples 7 --weight-var -1": ["weight_var must be a finite number", "-1"],
    f"predict {NET} --samples 7 --weight-var nan": ["weight_var must be a finite number", "nan"],
    f"predict {NET} --samples 7 --bias-var inf": ["bias_var must be a finite number", "inf"],
    f"predict {NET} --samples 7 --bias-var -0.1": ["bias_var must be a finite number", "-0.1"],
    # what is missing, what contradicts
    "predict --samples 7": ["depth and width are both required"],
    "predict --depth 3 --samples 7": ["depth and width are both required"],
    f"predict {NET}": ["Missing option", "--samples"],
    f"simulate {NET}": ["samples is required unless inputs are given"],
    f"predict {NET} --widths 5,5,5 --samples 7": ["width and widths exclude each other"],
    f"predict {NET} --norm none --norms none,none,none --samples 7": ["norm and norms exclude"],
    f"predict {NET} --samples": ["--samples", "requires an argument"],
    # norms that cannot act
    f"predict {NET} --samples 7 --norms none,batch": ["one norm per layer, 3 in all, got 2"],
    f"predict {NET} --samples 1 --norm mean@1": ["samples must be at least 2 for norm 'mean'"],
    f"predict {NET} --samples 3 --norm batch@last": ["samples must be at least 4 for norm 'batch'"],
    f"simulate {NET} --samples 1 --norm batch@hidden": ["at least 4 for norm 'batch', got 1"],
    f"predict {NET} --samples 7 --norm layer@last": ["outputs=1", "F = 0"],
    f"predict {NET} --samples 7 --norm layer@last --outputs 2": ["outputs=2", "F = 0"],
    f"predict {NET} --samples 7 --norm rms@last": ["outputs=1", "F = 0"],
    f"predict {NET} --samples 7 --norm layer@1 --weight-var 0": ["'layer'", "divide by zero"],
    f"predict {NET} --samples 7 --norm batch@1 --weight-var 0 --bias-var 1": [
        "'batch'", "divide by zero"
    ],
    f"simulate {NET} --samples 7 --norm batch@1 --method dual": [
        "method 'dual' needs a network without", "none,none", "accepted are auto, krylov"
    ],
    "simulate --depth 3 --width 1000000 --samples 10": ["would need", "GB", "narrower"],
}  # fmt: skip


def check(capsys, arguments, fragments, code=2):
    """One line on stderr that says it, nothing on stdout, the exit code of bad input."""
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("meanfield: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert [fragment for fragment in fragments if fragment not in err] == []


@pytest.mark.parametrize("line", BAD)
def test_bad_input_gets_one_clear_line(capsys, line):
    check(capsys, line.split(), BAD[line])


@pytest.mark.parametrize("line", list(BAD)[:2])
def test_json_changes_nothing_about_errors(capsys, line):
    check(capsys, [*line.split(), "--json"], BAD[line])


GOOD = np.arange(30.0).reshape(6, 5)


def npy(array=GOOD, **options):
    def write(path):
        np.save(path, array, **options)

    return write


def npz(path):
    with path.open("wb") as file:
        np.savez(file, GOOD)


def cut(length):
    def write(path):
        np.save(path, GOOD)
        path.write_bytes(path.read_bytes()[:length])

    return write


def raw(content):
    return lambda path: path.write_bytes(content)


def header(text):
    """A version 1 .npy file's first 128 bytes."""
    return b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(118)


HUGE = header("{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000, 5)}")
FILES = {
    "truncated": (cut(-8), ["inputs must be a .npy file of numbers"]),
    "truncated in its header": (cut(40), ["inputs must be a .npy file of numbers"]),
    "empty": (raw(b""), ["inputs must be a .npy file of numbers"]),
    "text": (raw(b"1 2 3 4 5\n"), ["inputs must be a .npy file of numbers"]),
    "claiming terabytes": (raw(HUGE), ["inputs must be a .npy file of numbers"]),
    "a broken header": (raw(header("}{(" * 39)), ["inputs must be a .npy file of numbers"]),
    "a broken archive": (raw(b"PK\x03\x04" + bytes(99)), ["inputs must be a .npy file of numbers"]),
    "an archive": (npz, ["inputs must be a .npy file of numbers"]),
    "pickled": (npy(np.array([{}, None])), ["inputs must be a .npy file of numbers"]),
    "of wrong width": (npy(GOOD.T), ["inputs must have shape (T, 5)", "got (5, 6)"]),
    "one-dimensional": (npy(GOOD[0]), ["inputs must have shape (T, 5)", "got (5,)"]),
    "without rows": (npy(GOOD[:0]), ["inputs must have shape (T, 5)", "got (0, 5)"]),
    "with NaN": (npy(np.where(GOOD > 28, np.nan, GOOD)), ["inputs must be finite"]),
    "complex": (npy(GOOD + 1j), ["inputs must be real numbers", "complex128"]),
    "of words": (npy(GOOD.astype(str)), ["inputs must be real numbers"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_bad_input_files_get_one_clear_line(capsys, tmp_path, kind):
    write, fragments = FILES[kind]
    path = tmp_path / "x.npy"
    write(path)
    check(capsys, ["simulate", *NET.split(), "--draws", "1", "--inputs", str(path)], fragments)


def test_input_files_must_exist_and_agree_with_the_samples(capsys, tmp_path):
    line = ["simulate", *NET.split(), "--inputs"]
    check(capsys, [*line, str(tmp_path / "none.npy")], ["--inputs", "none.npy", "does not exist"])
    check(capsys, [*line, str(tmp_path)], ["--inputs", "is a directory"])
    npy()(tmp_path / "x.npy")
    said = ["samples must equal the inputs' 6 rows, got 7"]
    check(capsys, [*line, str(tmp_path / "x.npy"), "--samples", "7"], said)
    few = [*line, str(tmp_path / "x.npy"), "--norm", "batch@all"]
    np.save(tmp_path / "x.npy", GOOD[:3])
    check(capsys, few, ["samples must be at least 4 for norm 'batch', got 3"])


def test_a_failed_measurement_is_not_bad_input(capsys):
    """Dead relu units under rms are 0/0 in this draw, the only one: exit code 1."""
    line = "simulate --widths 2,2,2,2,2,2,2 --norm rms@6 --samples 4 --draws 1 --seed 1"
    check(capsys, line.split(), ["no draw succeeded; draw 0 failed", "not finite"], code=1)
