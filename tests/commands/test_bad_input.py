import numpy as np
import pytest

from meanfield.commands.cli import run

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
    f"predict {NET} --widths 100 200 --samples 7": ["(200)", "commas, e.g. --widths 300,600,150"],
    f"predict {NET} --samples 7 --norm batch": ["norm must be", "did you mean 'batch@last'?"],
    f"predict {NET} --samples 7 --norm LayerNorm@all": ["did you mean 'layer@all'?"],
    f"predict {NET} --samples 7 --norm layer@all": ["outputs=1", "layer@hidden"],
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
    f"predict {NET}": ["samples is required unless inputs are given"],
    f"compare {NET}": ["samples is required unless inputs are given"],
    f"compare {NET} --samples 7 --placements batch@first": ["norm must place each kind"],
    f"compare {NET} --samples 7 --norm batch@last": ["norm", "left out", "--placements"],
    f"train {NET} --data digits --samples 9": ["outputs must be 10", "class of digits", "got 1"],
    f"compare {NET} --samples 7 --draws -1": ["draws must be an integer of at least 0, got -1"],
    f"compare {NET} --samples 7 --plot x.doc": ["plot must end in one of", "x.doc"],
    f"compare {NET} --samples 7 --plot none/x.png": ["plot must be in an existing folder"],
    f"predict {NET} --data digitz": ["source must be 'digits'", "digitz"],
    f"predict {NET} --data digits --samples 2000": ["samples must be at most the 1797 rows"],
    f"predict {NET} --data digits --samples 9 --fields 0": ["fields must be a positive integer"],
    f"predict {NET} --data digits --samples 9 --eigenvectors 10": ["at most the 9 samples, got 10"],
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
    # too much of something
    "predict --depth 1000000000 --width 5 --samples 5": ["depth=1000000000 would need", "free"],
    f"predict {NET} --samples 5 --outputs 9223372036854775808": ["outputs must be below 2**63"],
    f"predict {NET} --samples {'9' * 400}": ["samples must be at most 1e60"],
    f"predict --depth 2 --width {'9' * 400} --samples 5": ["width must be at most 1e60"],
    f"train {NET} --samples 5 --learning-rates 0.1:1:99999999999": ["would need 1e+04 GB"],
    f"train {NET} --samples 1000000000000 --learning-rates 0.1": ["would need", "free"],
    f"train {NET} --samples 5 --draws 1 --store {'x' * 300}": ["File name too long"],
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


def cut(length):
    def write(path):
        np.save(path, GOOD)
        path.write_bytes(path.read_bytes()[:length])

    return write


FILES = {
    "truncated": (cut(-8), ["x.npy"]),
    "of wrong width": (npy(GOOD.T), ["inputs must have shape (T, 5)", "got (5, 6)"]),
    "with NaN": (npy(np.where(GOOD > 28, np.nan, GOOD)), ["NaN"]),
    "of words": (npy(GOOD.astype(str)), ["x.npy"]),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("command", ["simulate", "predict", "compare"])
def test_bad_data_files_get_one_clear_line(capsys, tmp_path, command, kind):
    """What can be wrong with each format is tested with the reader."""
    write, fragments = FILES[kind]
    path = tmp_path / "x.npy"
    write(path)
    line = [command, "--widths", "5,4,3", "--no-standardize", "--data", str(path)]
    check(capsys, line, fragments)


def test_data_files_must_exist_and_have_the_samples(capsys, tmp_path):
    line = ["simulate", *NET.split(), "--data"]
    check(capsys, [*line, str(tmp_path / "none.npy")], ["none.npy does not exist"])
    npy()(tmp_path / "x.npy")
    said = ["samples must be at most the 6 rows", "got 7"]
    check(capsys, [*line, str(tmp_path / "x.npy"), "--samples", "7"], said)
    few = [*line, str(tmp_path / "x.npy"), "--norm", "batch@all"]
    np.save(tmp_path / "x.npy", GOOD[:3])
    check(capsys, few, ["samples must be at least 4 for norm 'batch', got 3"])


def test_a_failed_measurement_is_not_bad_input(capsys):
    """Dead relu units under rms are 0/0 in this draw, the only one: exit code 1."""
    line = "simulate --widths 2,2,2,2,2,2,2 --norm rms@6 --samples 4 --draws 1 --seed 1"
    check(capsys, line.split(), ["no draw succeeded; draw 0 failed", "not finite"], code=1)
