"""Tables as text."""

import numpy as np
import pytest
from file_contents import CSV, X, Y, csv, load, refused, survives


@pytest.mark.parametrize(
    "start", [[], ["a,b,c,d"], ["", '"a, b", c ,d,"e"', " "], ["\ufeffa,b,c,d"]]
)
def test_csv(tmp_path, start):
    for text in (csv([*start, *CSV]), csv([*start, *CSV, "", ""]).replace(b"\n", b"\r\n")):
        loaded = load(tmp_path, "x.csv", text)
        np.testing.assert_array_equal(loaded, X)
        assert loaded.targets is None


@pytest.mark.parametrize("name", ["target", "Label", "Y", " y "])
@pytest.mark.parametrize("values", [Y, Y + 0.5])
def test_a_csv_column_may_hold_targets(tmp_path, name, values):
    rows = [f"{a},{y},{b},{c},{d}" for (a, b, c, d), y in zip(X, values, strict=True)]
    loaded = load(tmp_path, "x.CSV", csv([f"0,{name},1,2,3", *rows]))
    np.testing.assert_array_equal(loaded, X)
    np.testing.assert_array_equal(loaded.targets, values)
    assert loaded.targets.dtype == values.dtype


BAD = {
    "empty .csv": ("x.csv", b"", ["no row of numbers"]),
    "blank .csv": ("x.csv", b"\n \n", ["no row of numbers"]),
    "header only": ("x.csv", b"a,b\n", ["line 1: no row of numbers"]),
    "short row": ("x.csv", b"a,b\n\n1,2\n3\n", ["line 4: the number of columns changed"]),
    "long row": ("x.csv", b"1,2\n3,4,5\n", ["line 2: the number of columns changed from 2 to 3"]),
    "long header": ("x.csv", b"a,b,c\n1,2\n", ["2 columns, but 3 in the header"]),
    "a word": ("x.csv", b"a,b\n1,2\n3,x\n", ["line 3: could not convert string 'x'"]),
    "an empty cell": ("x.csv", b"1,2\n3,\n", ["line 2: could not convert string ''"]),
    "an empty first cell": ("x.csv", b",2\n3,4\n", ["line 1: neither numbers nor a name", "''"]),
    "a misspelt first row": ("x.csv", b"1,2o\n3,4\n", ["line 1: neither numbers", "'2o'"]),
    "an index column": ("x.csv", b",a,b\n0,1,2\n", ["line 1: neither numbers nor a name"]),
    "semicolons": ("x.csv", b"a;b\n1;2\n", ["line 2: could not convert string '1;2'"]),
    "two targets": ("x.csv", b"y,label,a\n1,2,3\n", ["one column at most", "'label'"]),
    "targets only": ("x.csv", b"y\n1\n2\n", ["must have shape", "got (2, 0)"]),
    "NaN in .csv": ("x.csv", b"a,b\n1,2\n3,nan\n", ["got 1 NaN", "row 1, column 1"]),
    "infinite target": ("x.csv", b"a,y\n1,2\n3,1e999\n", ["targets of", "row 1, column 0"]),
    "no text": ("x.csv", b"1,2\n\xff\xfe,3\n", ["as .csv", "utf-8"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_get_one_clear_line(tmp_path, kind):
    name, content, fragments = BAD[kind]
    refused(tmp_path, name, content, *fragments)


def test_random_characters_in_csv(tmp_path):
    rng = np.random.default_rng(3)
    characters = np.array(list("0123456789.,,,,\n\n\n-+e\"' \t\rxyn\0;#é"))
    for _ in range(500):
        text = "".join(rng.choice(characters, rng.integers(60)))
        survives(tmp_path / "x.csv", text.encode())
