"""The options that commands share, on a command that only keeps what it is passed."""

import inspect

import click
import numpy as np
import pytest

from meanfield import Network, load_data
from meanfield.commands.options import SPEC, data_options, list_of, network_options


@pytest.fixture
def passed():
    """Calls the command; what it was passed."""

    @click.command()
    @network_options
    @data_options
    @click.option("--extra", type=int)
    def keep(network, **options):
        return network, options

    return lambda line: keep.main(line.split(), standalone_mode=False)


def test_the_options_of_a_network_are_the_arguments_of_one():
    assert list(SPEC) == list(inspect.signature(Network).parameters)


def test_a_network_is_made_of_its_options(passed):
    network, options = passed(
        "--widths 6,5,4 --outputs 3 --activation tanh --weight-var 1.5 --bias-var 0.2 "
        "--norm batch@last --samples 9 --extra 7"
    )
    expected = Network(
        widths=(6, 5, 4),
        outputs=3,
        activation="tanh",
        weight_var=1.5,
        bias_var=0.2,
        norm="batch@last",
    )
    assert network == expected
    assert options == {"samples": 9, "data": None, "extra": 7}
    assert passed("--depth 2 --width 6 --norms none,mean")[0] == Network(
        depth=2, width=6, norms=("none", "mean")
    )
    assert passed("--depth 2 --width 6")[0] == Network(depth=2, width=6)


def test_data_are_loaded_as_asked(passed, tmp_path):
    x = np.random.default_rng(0).normal(size=(9, 5))
    x[:, 1] = 2.0
    np.save(tmp_path / "x.npy", x)
    line = f"--depth 2 --width 5 --data {tmp_path / 'x.npy'}"
    for given, options in {
        "": {},
        "--samples 4": {"samples": 4},
        "--samples 4 --data-seed 3": {"samples": 4, "seed": 3},
        "--no-standardize": {"standardize": False},
        "--keep-constant": {"keep_constant": True},
    }.items():
        _, found = passed(f"{line} {given}")
        expected = load_data(x, **options)
        np.testing.assert_array_equal(found["data"], expected)
        assert found["data"].notes == expected.notes
        assert found["samples"] == options.get("samples")


def test_data_that_are_not_there_are_bad_input(passed):
    with pytest.raises(ValueError, match=r"none\.npy does not exist"):
        passed("--depth 2 --width 5 --data none.npy")


@pytest.mark.parametrize(
    ("convert", "text", "expected"),
    [(int, "3", (3,)), (int, "3, 4", (3, 4)), (str, "a ,b", ("a", "b")), (float, None, None)],
)
def test_lists_are_separated_by_commas(convert, text, expected):
    assert list_of(convert)(None, None, text) == expected


@pytest.mark.parametrize("text", ["", "3,", "3;4", "x"])
def test_what_is_no_list_is_refused(text):
    with pytest.raises(click.BadParameter, match="expected a comma-separated list, got"):
        list_of(int)(None, None, text)
