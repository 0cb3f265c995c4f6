"""Files in every format that `load_data` reads, whole ones and promises that they do not keep."""

import gzip
import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from meanfield import load_data

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


def takes_no_memory(folder, name, content):
    """What the file promises is not set aside before it is there."""
    (folder / name).write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="promises"):
            load_data(folder / name)
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()


def survives(path, content):
    """It loads whole, or is refused in one line."""
    path.write_bytes(content)
    try:
        loaded = load_data(path)
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert np.isfinite(loaded.inputs).all()
