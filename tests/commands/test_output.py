"""How results are shown: JSON or tables, numbers with their errors, figures as files."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from command_line import strict
from rich.table import Table

from meanfield import Network, load_data
from meanfield.commands.output import (
    PIPE_WIDTH,
    bullets,
    check_figure,
    number,
    show,
    subject,
    with_data,
    with_error,
    write_figure,
)


def test_a_result_is_one_json_object_or_a_table(capsys):
    result, table = {"a": [1.5, None]}, Table("a")
    table.add_row("b " * PIPE_WIDTH)
    show(result, table, as_json=True)
    assert strict(capsys.readouterr().out) == result
    show(result, table, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert {len(line) for line in lines} == {PIPE_WIDTH}  # a pipe is wider than a terminal's 80


def test_what_is_no_number_is_never_printed_as_json():
    with pytest.raises(ValueError, match="not JSON compliant"):
        show({"a": np.nan}, None, as_json=True)


def test_what_was_done_to_data_is_printed_beside_a_result():
    data = load_data(np.array([[1.0, 5.0], [1.0, 7.0]]))
    assert with_data({"a": 1}, None) == {"a": 1}
    shown = with_data({"a": 1}, data)
    assert shown == {
        "a": 1,
        "data": {"name": "array", "dropped": [0], "notes": list(data.notes)},
    }


@pytest.mark.parametrize(
    ("value", "sem", "text"),
    [
        (None, None, "–"),
        (None, 0.1, "–"),
        (1234567.0, None, "1.2346e+06"),
        (0.123456789, 0.00987, "0.12346 ± 0.0099"),
        (2.0, 0.0, "2 ± 0"),
    ],
)
def test_numbers_have_five_digits_and_their_errors_two(value, sem, text):
    assert with_error(value, sem) == text
    assert number(value) == text.split(" ±")[0]


def test_a_table_says_what_it_is_of():
    network = Network(widths=(6, 5), outputs=2, activation="tanh", norm="mean@last")
    assert subject(network, 7, network.parameters).plain == (
        "tanh network 6→5→2, σ_w² = 2, σ_b² = 0, norms none,mean; T = 7 samples, P = 47 parameters"
    )
    assert [line.plain for line in bullets(("a", "null: b"))] == ["• a", "• no value: b"]


def test_figures_are_written_where_they_can_be(tmp_path):
    check_figure(tmp_path / "a.svg")
    _, axes = plt.subplots()
    write_figure(axes, tmp_path / "a.svg")
    plt.close("all")
    assert "<svg" in (tmp_path / "a.svg").read_text()
    for path, said in {
        "a.doc": "end in one of ",
        "none/a.png": "existing folder",
    }.items():
        with pytest.raises(ValueError, match=f"plot must .*{said}.*{re.escape(path)}"):
            check_figure(tmp_path / path)
