"""What is kept between runs, and by what."""

import pytest

from meanfield.reproduction.run import Run, Workers

CELLS = [{"norm": "none", "width": 3}, {"norm": "none", "width": 4}]


def a_run(tmp_path, **options):
    return Run("x", **{"full": True, "out": tmp_path, "workers": Workers(), **options})


@pytest.fixture
def count():
    """A function that notes the cells that it computes."""

    def compute(cell):
        compute.cells.append(cell)
        return {"twice": 2 * cell["width"], "draws": (1, 2)}

    compute.cells = []
    return compute


def test_numbers_are_kept(tmp_path):
    kept = a_run(tmp_path)
    assert kept.keep("cell", {"widths": (3,)}, lambda: {"value": (1,)}) == {"value": [1]}
    assert kept.keep("cell", {"widths": (3,)}, lambda: 1 / 0) == {"value": [1]}
    with pytest.raises(ZeroDivisionError):
        kept.keep("other", {"widths": (3,)}, lambda: 1 / 0)


def test_numbers_of_something_else_are_not_taken(tmp_path):
    kept = a_run(tmp_path)
    kept.keep("cell", {"width": 3}, lambda: {"value": 1})
    assert kept.keep("cell", {"width": 4}, lambda: {"value": 2}) == {"value": 2}
    other = a_run(tmp_path, seed=1)
    assert other.keep("cell", {"width": 4}, lambda: {"value": 3}) == {"value": 3}


def test_a_table_has_a_row_per_cell(tmp_path, count):
    found = a_run(tmp_path).table("t", CELLS, count, {"depth": 3})
    assert list(found) == ["norm", "width", "twice", "draws"]
    assert found["width"].tolist() == [3, 4]
    assert found["twice"].tolist() == [6, 8]
    assert found["draws"].tolist() == [[1, 2], [1, 2]]


def test_a_table_is_taken_up_again(tmp_path, count):
    def interrupted(cell):
        return count(cell) if cell == CELLS[0] else 1 / 0

    with pytest.raises(ZeroDivisionError):
        a_run(tmp_path).table("t", CELLS, interrupted, {})
    first = a_run(tmp_path).table("t", CELLS, count, {})
    assert count.cells == CELLS
    again = a_run(tmp_path).table("t", [*CELLS, {"norm": "none", "width": 5}], count, {})
    assert [cell["width"] for cell in count.cells] == [3, 4, 5]
    assert again.head(2).equals(first)


@pytest.mark.parametrize(
    ("changed", "options"),
    [({"depth": 4}, {}), ({"depth": 3}, {"seed": 1}), ({"depth": 3}, {"full": False})],
)
def test_a_table_of_something_else_is_computed_anew(tmp_path, count, changed, options):
    a_run(tmp_path).table("t", CELLS, count, {"depth": 3})
    a_run(tmp_path, **options).table("t", CELLS, count, changed)
    assert count.cells == [*CELLS, *CELLS]


def test_cells_of_another_kind_are_told_apart(tmp_path, count):
    """Their coordinates read alike in the name of a file."""
    kept = a_run(tmp_path)
    kept.table("t", [{"norm": "none", "width": 3}], count, {})
    kept.table("t", [{"inputs": "none", "width": 3}], count, {})
    assert len(count.cells) == 2


@pytest.mark.parametrize(("full", "draws"), [(False, 5), (True, 20)])
def test_the_effort_is_that_of_the_size(tmp_path, full, draws):
    found = a_run(tmp_path, full=full, seed=7).effort(5, 20)
    assert found == {"draws": draws, "seed": 7, "second_moment": False}
