"""MNIST's format, alone, gzipped and in a folder with labels."""

import gzip
import tracemalloc

import numpy as np
import pytest
from file_contents import (
    IMAGES,
    LABELS,
    WHOLE,
    Y,
    idx,
    load,
    refused,
    takes_no_memory,
)

from meanfield import load_data


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


BAD = {
    "empty IDX": ("x-ubyte", b"", ["as -ubyte", "got ''"]),
    "wrong magic": ("x-ubyte", b"\0\1" + idx(IMAGES)[2:], ["got '00 01 08 03'"]),
    "unknown type": ("x-ubyte", b"\0\0\x0a" + idx(IMAGES)[3:], ["got '00 00 0a 03'"]),
    "other byte order": ("x-ubyte", b"\3\x08\0\0" + idx(IMAGES)[4:], ["got '03 08 00 00'"]),
    "cut IDX header": ("x-ubyte", idx(IMAGES)[:9], ["promises 3 axes, but ends after 5 bytes"]),
    "cut IDX": ("x-ubyte", idx(IMAGES)[:-1], ["(6, 3, 2)", "36 bytes, but 35 bytes follow"]),
    "longer IDX": ("x-ubyte", idx(IMAGES) + b"\0", ["36 bytes, but more follow"]),
    "huge IDX": ("x-ubyte", b"\0\0\x08\3" + b"\xff" * 12, ["would need"]),
    "too many axes": ("x-ubyte", b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0", ["as -ubyte", "dim"]),
    "labels alone": ("x-labels-idx1-ubyte", idx(LABELS), ["must have shape", "got (6,)"]),
    "no images": ("x-ubyte", idx(IMAGES[:0]), ["must have shape", "got (0, 3, 2)"]),
    "empty gzip": ("x-ubyte.gz", b"", ["as -ubyte.gz", "got ''"]),
    "cut gzip": ("x-ubyte.gz", WHOLE["-ubyte.gz"][:-9], ["as -ubyte.gz", "ended before"]),
    "wrong sum": ("x-ubyte.gz", WHOLE["-ubyte.gz"][:-8] + bytes(8), ["as -ubyte.gz", "CRC"]),
    "huge gzip": (
        "x-ubyte.gz", gzip.compress(b"\0\0\x08\3" + b"\xff" * 12), ["would need"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_get_one_clear_line(tmp_path, kind):
    name, content, fragments = BAD[kind]
    refused(tmp_path, name, content, *fragments)


@pytest.mark.parametrize("kind", ["huge IDX", "huge gzip"])
def test_promises_take_no_memory(tmp_path, kind):
    takes_no_memory(tmp_path, *BAD[kind][:2])


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
