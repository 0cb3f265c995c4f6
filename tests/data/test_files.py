import gzip
import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest

from meanfield import load_data
from meanfield.data.files import READERS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).round(3)
Y = np.array([3, 1, 4, 1, 5, 9])
IMAGES = RNG.integers(0, 256, (6, 3, 2), dtype=np.uint8)
LABELS = Y.astype(np.uint8)


def npy(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), **options)
    return file.getvalue()


def npz(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def header(text):
    """A version 1 .npy file's first 128 bytes."""
    return b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(118)


def promise(shape, descr="<f8"):
    return header(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}")


def idx(array):
    codes = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    start = bytes([0, 0, codes[array.dtype.str[1:]], array.ndim])
    return start + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def csv(lines):
    return "\n".join(lines).encode()


CSV = [",".join(map(str, row)) for row in X]
WHOLE = {
    ".npy": npy(X),
    ".npz": npz(x=X, y=Y),
    ".csv": csv(["a,b,c,d", *CSV]),
    "-ubyte": idx(IMAGES),
    "-ubyte.gz": gzip.compress(idx(IMAGES)),
}


def load(folder, name, content, **options):
    path = folder / name
    path.write_bytes(content)
    return load_data(path, **{"standardize": False, **options})


def refused(folder, name, content, *fragments):
    """One line that names the file."""
    with pytest.raises(ValueError, match=r"\w") as error:
        load(folder, name, content)
    message = str(error.value)
    assert [f for f in (str(folder), *fragments) if f not in message] == []
    assert "\n" not in message
    assert len(message) < 500


# What is read


@pytest.mark.parametrize(
    "content",
    [
        npy(X),
        npy(X, version=(2, 0)),
        npy(np.asfortranarray(X)),
        npy(X.astype(">f8")),
        npy(X.reshape(6, 2, 2)),
    ],
)
def test_npy(tmp_path, content):
    loaded = load(tmp_path, "x.npy", content)
    np.testing.assert_array_equal(loaded, X)
    assert (loaded.name, loaded.targets) == ("x.npy", None)
    assert loaded.inputs.flags.writeable


@pytest.mark.parametrize("rows", [2**17, 2**17 + 1])  # of 8 bytes: whole pieces, and a part more
def test_files_of_several_pieces(tmp_path, rows):
    x = np.arange(float(rows))[:, None]
    np.testing.assert_array_equal(load(tmp_path, "x.npy", npy(x)), x)
    np.testing.assert_array_equal(load(tmp_path, "x.npz", npz(x=x)), x)
    images = gzip.compress(idx(x.astype(">f8")), 1)
    np.testing.assert_array_equal(load(tmp_path, "x-ubyte.gz", images), x)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("inputs", ["x", "X", "inputs", "data", "x_train", "anything"])
@pytest.mark.parametrize("targets", ["y", "targets", "labels", "y_train", None])
def test_npz(tmp_path, save, inputs, targets):
    given = {} if targets is None else {targets: Y}
    loaded = load(tmp_path, "x.npz", npz(save, **{inputs: X, "mean": X[0]}, **given))
    np.testing.assert_array_equal(loaded, X)
    np.testing.assert_array_equal(loaded.targets, None if targets is None else Y)


def test_npz_names_go_before_shapes_and_objects_beside_are_not_read(tmp_path):
    notes = np.array([{}], dtype=object)
    loaded = load(tmp_path, "x.npz", npz(x_test=X + 1, x_train=X, y_train=Y, notes=notes))
    np.testing.assert_array_equal(loaded, X)
    one_hot = np.eye(10)[Y]
    loaded = load(tmp_path, "x.npz", npz(features=X, y=one_hot, notes=notes), samples=4)
    np.testing.assert_array_equal(
        loaded.targets, one_hot[np.random.default_rng(0).permutation(6)[:4]]
    )


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


@pytest.mark.parametrize("dtype", [">u1", ">i1", ">i2", ">i4", ">f4", ">f8"])
def test_idx(tmp_path, dtype):
    array = (IMAGES // 2).astype(dtype)
    for name, content in (("x-ubyte", idx(array)), ("x.idx3-ubyte.gz", gzip.compress(idx(array)))):
        np.testing.assert_array_equal(load(tmp_path, name, content), array.reshape(6, 6))


@pytest.mark.parametrize("dot", ["-", "."])
@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("labels_gz", ["", ".gz", None])
def test_folders_of_mnist(tmp_path, dot, gz, labels_gz):
    def write(name, array, suffix):
        content = idx(array)
        (tmp_path / f"{name}-ubyte{suffix}").write_bytes(
            gzip.compress(content) if suffix else content
        )

    write(f"train-images{dot}idx3", IMAGES, gz)
    write(f"t10k-images{dot}idx3", IMAGES[::-1], gz)
    if labels_gz is not None:
        write(f"train-labels{dot}idx1", LABELS, labels_gz)
        write(f"t10k-labels{dot}idx1", LABELS[::-1], labels_gz)
    for path, step in ((tmp_path, 1), (tmp_path / f"t10k-images{dot}idx3-ubyte{gz}", -1)):
        loaded = load_data(str(path), standardize=False)
        np.testing.assert_array_equal(loaded, IMAGES[::step].reshape(6, 6))
        np.testing.assert_array_equal(loaded.targets, None if labels_gz is None else Y[::step])
        assert loaded.classes == (None if labels_gz is None else (1, 3, 4, 5, 9))
        assert loaded.name == path.name


def test_paths_are_relative_to_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    monkeypatch.chdir(tmp_path)
    assert load_data("mnist").name == "mnist"  # a word, but there is such a folder
    monkeypatch.chdir(tmp_path / "mnist")
    assert load_data(".").name == "mnist"
    assert load_data("train-images-idx3-ubyte").shape == (6, 6)


# What is refused

OBJECTS = np.array([[{}, None]])
BAD = {
    # as a file
    "unknown suffix": ("x.txt", b"1,2", ["ends in one of .npy, .npz, .csv, -ubyte, -ubyte.gz"]),
    "no suffix": ("x", b"1,2", ["ends in one of"]),
    "a .npy named .npz": ("x.npz", WHOLE[".npy"], ["as .npz", "not a zip file"]),
    "a .npz named .npy": ("x.npy", WHOLE[".npz"], ["as .npy", "magic string"]),
    "an IDX named .gz": ("x-ubyte.gz", idx(IMAGES), ["as -ubyte.gz", "Not a gzipped file"]),
    # .npy
    "empty .npy": ("x.npy", b"", ["as .npy", "expected 8 bytes got 0"]),
    "damaged header": ("x.npy", header("}{(" * 39), ["as .npy"]),
    "cut header": ("x.npy", npy(X)[:40], ["as .npy", "EOF"]),
    "cut .npy": ("x.npy", npy(X)[:-8], ["promises shape (6, 4)", "192 bytes, but 184 bytes"]),
    "longer .npy": ("x.npy", npy(X) * 2, ["192 bytes, but more follow"]),
    "terabytes": ("x.npy", promise((10**12, 5)) + bytes(40), ["but 40 bytes follow"]),
    "beyond any memory": ("x.npy", promise((10**30, 10**30)), ["but 0 bytes follow"]),
    "negative shape": ("x.npy", promise((-3, -2)) + bytes(48), ["as .npy", "negative"]),
    "half negative shape": ("x.npy", promise((-3, 2)) + bytes(48), ["but more follow"]),
    "unknown version": ("x.npy", npy(X, version=(3, 0)), ["version 1.0 or 2.0, got (3, 0)"]),
    "pickled": ("x.npy", npy(OBJECTS), ["pickled Python objects, which are never loaded"]),
    # .npz
    "empty .npz": ("x.npz", b"", ["as .npz", "not a zip file"]),
    "cut .npz": ("x.npz", WHOLE[".npz"][:-8], ["as .npz", "not a zip file"]),
    "no arrays": ("x.npz", npz(), ["an array named x, X, inputs, data, x_train", "no arrays"]),
    "only others": ("x.npz", npz(a=X, b=X[:3]), ["a (6, 4), b (3, 4)"]),
    "only targets": ("x.npz", npz(y=Y), ["got y (6,)"]),
    "pickled in .npz": ("x.npz", npz(x=OBJECTS), ["pickled Python objects"]),
    "pickled targets": ("x.npz", npz(x=X, y=OBJECTS), ["pickled Python objects"]),
    "terabytes in .npz": ("x.npz", zipped(x=promise((10**12, 5))), ["but 0 bytes follow"]),
    "cut member": ("x.npz", zipped(x=npy(X)[:-8]), ["but 184 bytes follow"]),
    "damaged member": ("x.npz", zipped(x=npy(X)).replace(npy(X)[-9:], bytes(9)), ["CRC"]),
    "few targets": ("x.npz", npz(x=X, y=Y[:5]), ["targets", "(6,) or (6, C), got (5,)"]),
    "deep targets": ("x.npz", npz(x=X, y=X.reshape(6, 2, 2)), ["targets", "got (6, 2, 2)"]),
    "empty targets": ("x.npz", npz(x=X, y=X[:, :0]), ["targets", "got (6, 0)"]),
    "one target": ("x.npz", npz(x=X, y=3), ["targets", "got ()"]),
    "NaN targets": ("x.npz", npz(x=X, y=Y * np.nan), ["targets of", "got 6 NaN", "row 0"]),
    "words as targets": ("x.npz", npz(x=X, y=Y.astype(str)), ["targets of", "dtype <U"]),
    # .csv
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
    # IDX
    "empty IDX": ("x-ubyte", b"", ["as -ubyte", "got ''"]),
    "wrong magic": ("x-ubyte", b"\0\1" + idx(IMAGES)[2:], ["got '00 01 08 03'"]),
    "unknown type": ("x-ubyte", b"\0\0\x0a" + idx(IMAGES)[3:], ["got '00 00 0a 03'"]),
    "other byte order": ("x-ubyte", b"\3\x08\0\0" + idx(IMAGES)[4:], ["got '03 08 00 00'"]),
    "cut IDX header": ("x-ubyte", idx(IMAGES)[:9], ["promises 3 axes, but ends after 5 bytes"]),
    "cut IDX": ("x-ubyte", idx(IMAGES)[:-1], ["(6, 3, 2)", "36 bytes, but 35 bytes follow"]),
    "longer IDX": ("x-ubyte", idx(IMAGES) + b"\0", ["36 bytes, but more follow"]),
    "huge IDX": ("x-ubyte", b"\0\0\x08\3" + b"\xff" * 12, ["but 0 bytes follow"]),
    "too many axes": ("x-ubyte", b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0", ["as -ubyte", "dim"]),
    "labels alone": ("x-labels-idx1-ubyte", idx(LABELS), ["must have shape", "got (6,)"]),
    "no images": ("x-ubyte", idx(IMAGES[:0]), ["must have shape", "got (0, 3, 2)"]),
    "empty gzip": ("x-ubyte.gz", b"", ["as -ubyte.gz", "got ''"]),
    "cut gzip": ("x-ubyte.gz", WHOLE["-ubyte.gz"][:-9], ["as -ubyte.gz", "ended before"]),
    "wrong sum": ("x-ubyte.gz", WHOLE["-ubyte.gz"][:-8] + bytes(8), ["as -ubyte.gz", "CRC"]),
    "huge gzip": (
        "x-ubyte.gz", gzip.compress(b"\0\0\x08\3" + b"\xff" * 12), ["but 0 bytes follow"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_get_one_clear_line(tmp_path, kind):
    name, content, fragments = BAD[kind]
    refused(tmp_path, name, content, *fragments)


@pytest.mark.parametrize(
    "kind", ["terabytes", "terabytes in .npz", "beyond any memory", "huge IDX", "huge gzip"]
)
def test_promises_take_no_memory(tmp_path, kind):
    name, content, _ = BAD[kind]
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="promises"):
            load_data(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()


def test_what_unpacks_to_more_than_promised_is_not_unpacked_whole(tmp_path):
    packed = gzip.compress(idx(IMAGES) + bytes(2**25), 1)
    tracemalloc.start()
    try:
        refused(tmp_path, "x-ubyte.gz", packed, "36 bytes, but more follow")
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()


def test_folders_must_hold_the_images(tmp_path):
    (tmp_path / "x.npy").mkdir()
    for path in (tmp_path, tmp_path / "x.npy"):
        with pytest.raises(ValueError, match="must hold train-images-idx3-ubyte"):
            load_data(path)


@pytest.mark.parametrize(
    ("labels", "said"), [(idx(LABELS[:5]), r"got \(5,\)"), (b"\0", "train-labels.*cannot be read")]
)
def test_labels_must_fit_the_images(tmp_path, labels, said):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(labels)
    with pytest.raises(ValueError, match=said):
        load_data(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.npy")
    with pytest.raises(ValueError, match="must be a file"):
        load_data(tmp_path / "x.npy")


# Damage of every kind: an error is a ValueError in one line, and what still loads is whole.


def survives(path, content):
    path.write_bytes(content)
    try:
        loaded = load_data(path)
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert np.isfinite(loaded.inputs).all()


@pytest.mark.parametrize("suffix", READERS)
def test_random_bytes(tmp_path, suffix):
    rng = np.random.default_rng(1)
    path = tmp_path / f"x{suffix}"
    starts = [b"", WHOLE[suffix][:4], WHOLE[suffix][:10], WHOLE[suffix][:60]]
    for case in range(200):
        survives(path, starts[case % 4] + rng.bytes(rng.integers(0, 300)))


@pytest.mark.parametrize("suffix", READERS)
def test_truncations(tmp_path, suffix):
    path, whole = tmp_path / f"x{suffix}", WHOLE[suffix]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if suffix == ".csv":  # a text cut between rows is a text
            survives(path, whole[:length])
            continue
        with pytest.raises(ValueError, match="cannot be read"):
            load_data(path)


@pytest.mark.parametrize("suffix", READERS)
def test_damaged_bytes(tmp_path, suffix):
    rng = np.random.default_rng(2)
    for _ in range(300):
        content = bytearray(WHOLE[suffix])
        for _ in range(rng.integers(1, 4)):
            content[rng.integers(len(content))] = rng.integers(256)
        survives(tmp_path / f"x{suffix}", content)


def test_random_characters_in_csv(tmp_path):
    rng = np.random.default_rng(3)
    characters = np.array(list("0123456789.,,,,\n\n\n-+e\"' \t\rxyn\0;#é"))
    for _ in range(500):
        text = "".join(rng.choice(characters, rng.integers(60)))
        survives(tmp_path / "x.csv", text.encode())
