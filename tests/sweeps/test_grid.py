"""Grids: which cells they have, and what they refuse."""

import json
from pathlib import Path

import custom_activations
import numpy as np
import pytest

from meanfield.spec.network import Network
from meanfield.sweeps.grid import Grid, merged

EXAMPLES = Path(__file__).parents[2] / "scripts" / "grids"
GRID = Grid(
    depth=3,
    width=[10, 20],
    samples="2*width",
    norm=["none", ["none", "batch", "none"]],
    activation=("tanh", "relu", "linear"),
    draws=4,
)


def test_every_combination_is_a_cell():
    cells = list(GRID.cells())
    assert GRID.shape == (2, 2, 3)
    assert len(GRID) == len(cells) == 12
    assert [cell.place for cell in cells] == list(np.ndindex(2, 2, 3))
    for cell in cells:
        width, norm, activation = (
            v[i] for v, i in zip(GRID.axes.values(), cell.place, strict=True)
        )
        norms = ("none",) * 3 if norm == "none" else tuple(norm)
        assert cell.network == Network(depth=3, width=width, activation=activation, norms=norms)
        assert cell.samples == 2 * width


@pytest.mark.parametrize(
    ("rule", "samples"),
    [
        ("width", 30),
        ("2*width", 60),
        (" 2.5 * width", 75),
        ("width / 4", 8),
        ("4*width/3", 40),
        (7, 7),
    ],
)
def test_rules_for_the_samples(rule, samples):
    (cell,) = Grid(depth=2, width=30, samples=rule).cells()
    assert cell.samples == samples


def test_a_list_is_an_axis_and_anything_else_is_not():
    grid = Grid(widths=[5, 4, 3], samples=[9], bias_var=np.linspace(0, 1, 3))
    assert grid.axes == {"samples": (9,), "bias_var": (0.0, 0.5, 1.0)}
    assert grid.fixed == {"widths": [5, 4, 3]}
    both = Grid(widths=[[5, 4], (6, 5, 4)], samples=9)
    assert both.labels("widths") == ["5,4", "6,5,4"]
    assert [cell.network.widths for cell in both.cells()] == [(5, 4), (6, 5, 4)]


def test_toml_says_the_same(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(
        'depth = 3\nwidth = [10, 20]\nsamples = "2*width"\ndraws = 4\n'
        'norm = ["none", ["none", "batch", "none"]]\nactivation = ["tanh", "relu", "linear"]\n'
    )
    assert Grid.from_toml(path) == GRID
    assert Grid(**json.loads(json.dumps(GRID.to_dict()))) == GRID


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depht": 3}, "a grid's field must be one of depth.*got 'depht'"),
        ({"depth": 3, "width": 5}, "samples is required"),
        ({"samples": []}, "samples must have at least one value"),
        ({"samples": [5, 5]}, "samples must not repeat"),
        ({"samples": [[5]]}, "samples must be one value"),
        ({"samples": "width**2"}, "samples must be a positive integer or a rule"),
        ({"samples": 0}, "samples must be a positive integer"),
        ({"samples": 5, "width": [5, 0]}, r"width must be .*, got 0 in the cell width=0"),
        ({"samples": [2, 9], "norm": "batch@last"}, "at least 4 .* in the cell samples=2"),
        ({"samples": 5, "norm": ["batch@9"]}, "norm must place .* in the cell norm='batch@9'"),
        (
            {"samples": 5, "activation": [lambda u: u]},
            "activation must be a name or a function that",
        ),
        ({"samples": 5, "activation": ["swosh"]}, "activation must be one of"),
        ({"samples": 5, "draws": 0}, "draws must be a positive integer"),
        ({"samples": 5, "seed": -1}, "seed must be an integer of at least 0"),
        ({"samples": 0, "seed": 2**63}, r"seed must be below 2\*\*63, got 9223372036854775808"),
        ({"samples": 5, "precision": "float16"}, "precision must be one of"),
        ({"samples": 5, "method": "exact"}, "method must be one of"),
        ({"samples": 5, "second_moment": "no"}, "second_moment must be true or false"),
    ],
)
def test_bad_grids(fields, message):
    with pytest.raises(ValueError, match=message):
        Grid(**{"depth": 3, "width": 5, **fields})


def test_a_users_function_is_kept_by_its_name():
    grid = Grid(depth=2, width=5, samples=5, activation=["tanh", custom_activations.swish])
    assert grid.labels("activation") == ["tanh", "custom_activations:swish"]
    assert Grid(**json.loads(json.dumps(grid.to_dict()))) == grid


@pytest.mark.parametrize("text", ["width = ", "\xff", "[section]\nwidth = 3"])
def test_bad_files(tmp_path, text):
    path = tmp_path / "grid.toml"
    path.write_bytes(text.encode("latin1"))
    with pytest.raises(ValueError, match=r"must be|samples is required"):
        Grid.from_toml(path)
    with pytest.raises(FileNotFoundError):
        Grid.from_toml(tmp_path / "none.toml")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_are_grids(path):
    assert len(Grid.from_toml(path)) > 20


def test_a_merged_grid_has_the_old_values_in_front():
    old = Grid(depth=2, width=[20, 10], samples=5, draws=2)
    new = Grid(depth=2, width=[5, 10, 20, 40], samples=5, draws=3)
    assert merged(old, new) == Grid(depth=2, width=[20, 10, 5, 40], samples=5, draws=3)
    assert merged(old, old) == old


def test_every_difference_of_grids_that_do_not_merge_is_told():
    old = Grid(depth=2, width=[20, 10], samples=5, bias_var=0.1, draws=2)
    new = Grid(depth=3, width=[10], samples=[5], outputs=1, draws=1)
    with pytest.raises(ValueError, match="bias_var is not in it") as refused:
        merged(old, new)
    assert str(refused.value).split("; ") == [
        "bias_var is not in it",
        "outputs is new in it",
        "width lacks [20]",
        "depth is 3, it was 2",
        "samples is [5], it was 5",
        "draws is 1, it was 2",
    ]


EVIL = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\nimport jax.numpy\n"
EVIL += "f = jax.numpy.tanh\n"


def test_what_a_file_names_is_not_imported(tmp_path, monkeypatch):
    """Nor what any other of its fields says that looks like such a name."""
    (tmp_path / "evil.py").write_text(EVIL)
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "grid.toml"
    path.write_text('depth = 2\nwidth = 3\nsamples = 5\nactivation = ["tanh", "evil:f"]\n')
    grid = Grid.from_toml(path)
    assert grid.unimported == ("evil:f",)
    assert grid.labels("activation") == ["tanh", "evil:f"]
    assert merged(grid, grid).to_dict() == grid.to_dict()
    for field in ("norm", "samples", "method", "width"):
        with pytest.raises(ValueError, match=field):
            Grid(**{**grid.fixed, field: "evil:f"})
    assert not (tmp_path / "ran").exists()
    trusted = Grid.from_toml(path, trust=True)
    assert (tmp_path / "ran").exists()
    assert trusted == grid
    assert trusted.unimported == grid.unimported == ()


@pytest.mark.parametrize(
    "text",
    [
        f"samples = {'9' * 400}",
        f"samples = {'9' * 5000}",
        "samples = 7\noutputs = 9223372036854775808",
        f"samples = 7\nweight_var = {'9' * 400}",
        'samples = "width/0"',
        "samples = 7\nx = " + "[" * 3000,
        f'samples = 7\nactivation = "{"a" * 10000}"',
        f'samples = 7\nnorm = "{"a" * 10000}"',
    ],
)
def test_files_with_monstrous_numbers_are_refused(tmp_path, text):
    path = tmp_path / "grid.toml"
    path.write_text(f"depth = 2\nwidth = 3\n{text}\n")
    with pytest.raises(ValueError, match="must be") as error:
        Grid.from_toml(path)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"width": range(1, 1001), "depth": range(2, 1002), "samples": range(1, 1001)}, "cells"),
        ({"width": range(1, 10**9), "depth": 2, "samples": 5}, "cells"),
        ({"width": [4], "depth": 2, "samples": 5, "draws": 10**12}, "draws"),
    ],
)
def test_more_than_can_be_kept_is_refused_before_it_is_counted_out(fields, said):
    with pytest.raises(ValueError, match=f"a grid must have at most 10+ {said} in all, got 9*0*"):
        Grid(**fields)


def test_a_seed_is_one_of_simulate():
    with pytest.raises(ValueError, match=r"seed must be below 2\*\*63"):
        Grid(depth=2, width=4, samples=3, seed=2**63)
