"""What holds for files of every format: names, paths, and damage of every kind."""

import gzip
import os

import numpy as np
import pytest
from file_contents import (
    IMAGES,
    WHOLE,
    idx,
    load,
    npy,
    npz,
    refused,
    survives,
)

from meanfield import load_data
from meanfield.data.files import READERS


@pytest.mark.parametrize("rows", [2**17, 2**17 + 1])  # of 8 bytes: whole pieces, and a part more
def test_files_of_several_pieces(tmp_path, rows):
    x = np.arange(float(rows))[:, None]
    np.testing.assert_array_equal(load(tmp_path, "x.npy", npy(x)), x)
    np.testing.assert_array_equal(load(tmp_path, "x.npz", npz(x=x)), x)
    images = gzip.compress(idx(x.astype(">f8")), 1)
    np.testing.assert_array_equal(load(tmp_path, "x-ubyte.gz", images), x)


def test_paths_are_relative_to_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    monkeypatch.chdir(tmp_path)
    assert load_data("mnist").name == "mnist"  # a word, but there is such a folder
    monkeypatch.chdir(tmp_path / "mnist")
    assert load_data(".").name == "mnist"
    assert load_data("train-images-idx3-ubyte").shape == (6, 6)


BAD = {
    "unknown suffix": ("x.txt", b"1,2", ["ends in one of .npy, .npz, .csv, -ubyte, -ubyte.gz"]),
    "no suffix": ("x", b"1,2", ["ends in one of"]),
    "a .npy named .npz": ("x.npz", WHOLE[".npy"], ["as .npz", "not a zip file"]),
    "a .npz named .npy": ("x.npy", WHOLE[".npz"], ["as .npy", "magic string"]),
    "an IDX named .gz": ("x-ubyte.gz", idx(IMAGES), ["as -ubyte.gz", "Not a gzipped file"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_get_one_clear_line(tmp_path, kind):
    name, content, fragments = BAD[kind]
    refused(tmp_path, name, content, *fragments)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.npy")
    with pytest.raises(ValueError, match="must be a file"):
        load_data(tmp_path / "x.npy")


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


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", "-ubyte", "-ubyte.gz"])
def test_what_would_not_fit_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr("meanfield.machine.memory.free_memory", lambda: 100)
    with pytest.raises(ValueError, match=r"would need .* GB, more than the 1e-07 GB .* are free"):
        load(tmp_path, f"x{suffix}", WHOLE[suffix])
