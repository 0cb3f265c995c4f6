"""NumPy's files, of one array and of several."""

import numpy as np
import pytest
from file_contents import (
    WHOLE,
    X,
    Y,
    header,
    load,
    npy,
    npz,
    promise,
    refused,
    takes_no_memory,
    zipped,
)


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


OBJECTS = np.array([[{}, None]])
BAD = {
    "empty .npy": ("x.npy", b"", ["as .npy", "expected 8 bytes got 0"]),
    "damaged header": ("x.npy", header("}{(" * 39), ["as .npy"]),
    "cut header": ("x.npy", npy(X)[:40], ["as .npy", "EOF"]),
    "cut .npy": ("x.npy", npy(X)[:-8], ["promises shape (6, 4)", "192 bytes, but 184 bytes"]),
    "longer .npy": ("x.npy", npy(X) * 2, ["192 bytes, but more follow"]),
    "terabytes": ("x.npy", promise((10**12, 5)) + bytes(40), ["would need"]),
    "beyond any memory": ("x.npy", promise((10**30, 10**30)), ["would need"]),
    "negative shape": ("x.npy", promise((-3, -2)) + bytes(48), ["as .npy", "negative"]),
    "half negative shape": ("x.npy", promise((-3, 2)) + bytes(48), ["but more follow"]),
    "unknown version": ("x.npy", npy(X, version=(3, 0)), ["version 1.0 or 2.0, got (3, 0)"]),
    "pickled": ("x.npy", npy(OBJECTS), ["pickled Python objects, which are never loaded"]),
    "empty .npz": ("x.npz", b"", ["as .npz", "not a zip file"]),
    "cut .npz": ("x.npz", WHOLE[".npz"][:-8], ["as .npz", "not a zip file"]),
    "no arrays": ("x.npz", npz(), ["an array named x, X, inputs, data, x_train", "no arrays"]),
    "only others": ("x.npz", npz(a=X, b=X[:3]), ["a (6, 4), b (3, 4)"]),
    "only targets": ("x.npz", npz(y=Y), ["got y (6,)"]),
    "pickled in .npz": ("x.npz", npz(x=OBJECTS), ["pickled Python objects"]),
    "pickled targets": ("x.npz", npz(x=X, y=OBJECTS), ["pickled Python objects"]),
    "terabytes in .npz": ("x.npz", zipped(x=promise((10**12, 5))), ["would need"]),
    "cut member": ("x.npz", zipped(x=npy(X)[:-8]), ["but 184 bytes follow"]),
    "damaged member": ("x.npz", zipped(x=npy(X)).replace(npy(X)[-9:], bytes(9)), ["CRC"]),
    "few targets": ("x.npz", npz(x=X, y=Y[:5]), ["targets", "(6,) or (6, C), got (5,)"]),
    "deep targets": ("x.npz", npz(x=X, y=X.reshape(6, 2, 2)), ["targets", "got (6, 2, 2)"]),
    "empty targets": ("x.npz", npz(x=X, y=X[:, :0]), ["targets", "got (6, 0)"]),
    "one target": ("x.npz", npz(x=X, y=3), ["targets", "got ()"]),
    "NaN targets": ("x.npz", npz(x=X, y=Y * np.nan), ["targets of", "got 6 NaN", "row 0"]),
    "words as targets": ("x.npz", npz(x=X, y=Y.astype(str)), ["targets of", "dtype <U"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_get_one_clear_line(tmp_path, kind):
    name, content, fragments = BAD[kind]
    refused(tmp_path, name, content, *fragments)


@pytest.mark.parametrize("kind", ["terabytes", "terabytes in .npz", "beyond any memory"])
def test_promises_take_no_memory(tmp_path, kind):
    takes_no_memory(tmp_path, *BAD[kind][:2])
