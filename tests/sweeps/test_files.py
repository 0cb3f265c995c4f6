"""Folders of stores: what is refused in one, and who writes to it."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys

import pytest
from small_sweep import GRID

from meanfield.sweeps.dataset import load
from meanfield.sweeps.files import is_new, only_writer, store_folder
from meanfield.sweeps.kept import left
from meanfield.sweeps.sweep import sweep

HOLD = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("store", ["file:///tmp/a.zarr", "s3://bucket/a.zarr", "file:/tmp/a"])
def test_a_store_is_no_url(store):
    for call in (load, store_folder, lambda path: sweep(GRID, path), lambda p: left(p, GRID)):
        with pytest.raises(ValueError, match=r"store must be a folder .* got \w+:/"):
            call(store)


@pytest.mark.parametrize("kind", ["a chunk's folder", "a chunk", "the description", "a pipe"])
def test_what_is_no_file_in_a_store_is_refused_and_what_it_leads_to_left_alone(
    whole, tmp_path, kind
):
    store, victim = shutil.copytree(whole, tmp_path / "s"), tmp_path / "victim"
    victim.mkdir()
    shutil.copytree(store / "status", victim / "status")
    (victim / "zarr.json").write_bytes((store / "zarr.json").read_bytes())
    before = {path: path.stat().st_mtime_ns for path in victim.rglob("*")}
    (store / "eigenvalue_max" / "c" / "0" / "0" / "1" / "0").write_text("damaged")
    if kind == "a chunk's folder":
        shutil.rmtree(store / "status" / "c" / "0" / "0" / "1")
        (store / "status" / "c" / "0" / "0" / "1").symlink_to(victim / "status/c/0/0/1")
    elif kind == "a chunk":
        (store / "status" / "c" / "0" / "0" / "1" / "0").unlink()
        (store / "status" / "c" / "0" / "0" / "1" / "0").symlink_to(victim / "status/c/0/0/1/0")
    elif kind == "the description":
        (store / "zarr.json").unlink()
        (store / "zarr.json").symlink_to(victim / "zarr.json")
    else:
        os.mkfifo(store / "status" / "pipe")  # whoever opens it waits
    for call in (load, lambda path: sweep(GRID, path), lambda path: left(path, GRID)):
        with pytest.raises(ValueError, match="store must hold files and folders only"):
            call(store)
    assert {path: path.stat().st_mtime_ns for path in victim.rglob("*")} == before


def test_a_store_may_be_reached_through_a_link(whole, tmp_path):
    (tmp_path / "link").symlink_to(whole)
    assert load(tmp_path / "link").identical(load(whole))


def test_what_a_killed_call_left_of_nothing_is_new(tmp_path):
    assert is_new(tmp_path)
    (tmp_path / f"zarr.{'0f' * 16}.partial").touch()
    (tmp_path / "zarr.json").write_text('{"attributes": {}, "node_type": "group"}')
    assert is_new(tmp_path)
    (tmp_path / "mine").touch()
    assert not is_new(tmp_path)
    (tmp_path / "zarr.json").unlink()
    with pytest.raises(ValueError, match="store must be new"):
        is_new(tmp_path)


def test_a_store_has_one_writer_and_is_free_once_that_is_killed(whole, tmp_path):
    store = shutil.copytree(whole, tmp_path / "s")
    holder = [sys.executable, "-c", HOLD, str(store)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(OSError, match=f"another sweep is writing to the store {store}"):
            sweep(GRID, store)
        assert load(store).identical(load(whole))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert sweep(GRID, store).equals(load(whole))


def test_where_there_are_no_locks_there_is_none(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    with only_writer(tmp_path / "s"):
        assert (tmp_path / "s").is_dir()
