"""What is free, by files of Linux as they may be; and requests that are far beyond."""

import resource
import tracemalloc

import numpy as np
import pytest

import meanfield as mf
from meanfield.machine import memory
from meanfield.machine.memory import check_memory, free_memory

GB = 2**30


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 8 GB free, and a function that gives a control group's files."""
    for name in ("MEMINFO", "CGROUPS", "MOUNT"):
        monkeypatch.setattr(memory, name, tmp_path / name)
    (tmp_path / "MEMINFO").write_text(f"MemTotal: 99 kB\nMemAvailable: {8 * 2**20} kB\n")

    def group(path, **files):
        folder = tmp_path / "MOUNT" / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(f"{text}\n")

    return group


def said(tmp_path, text):
    (tmp_path / "CGROUPS").write_text(text)
    return free_memory() / GB


def test_without_groups_it_is_what_the_machine_has(machine, tmp_path):
    assert free_memory() == 8 * GB
    (tmp_path / "MEMINFO").write_text("MemTotal: 99 kB\n")
    assert free_memory() > 8 * 2**20  # not said: all there is


def test_limits_of_groups_of_version_2_hold_at_every_level(machine, tmp_path):
    rest = {"memory__current": 2 * GB, "memory__stat": f"anon 1\ninactive_file {GB}"}
    machine("a/b", memory__max="max", **rest)
    assert said(tmp_path, "0::/a/b\n") == 8
    machine("a", memory__max=5 * GB, **rest)
    assert said(tmp_path, "0::/a/b\n") == 4
    machine("", memory__max=3 * GB, **rest)  # a container's, whose own path is another
    assert said(tmp_path, "0::/elsewhere/b\n") == 2
    machine("", memory__max=GB, **rest)
    assert said(tmp_path, "0::/\n") == 0


def test_so_do_those_of_version_1(machine, tmp_path):
    machine(
        "memory/a",
        memory__limit_in_bytes=3 * GB,
        memory__usage_in_bytes=2 * GB,
        memory__stat=f"total_inactive_file {GB}",
    )
    assert said(tmp_path, "9:name=systemd:/a\n4:cpu,memory:/a\n0::/\n") == 2
    assert said(tmp_path, "4:cpu:/a\n") == 8


def test_the_process_has_a_limit_of_its_own(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "PAGES", tmp_path / "PAGES")
    limit = resource.getrlimit(resource.RLIMIT_AS)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (3 * GB, limit[1]))
    assert free_memory() == 8 * GB  # nobody says what is taken
    (tmp_path / "PAGES").write_text(f"{2 * GB // resource.getpagesize()} 7 7 0 0 0 0\n")
    assert free_memory() == GB
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert free_memory() == 8 * GB


def test_what_does_not_fit_is_refused_with_what_is_needed_and_free(machine):
    check_memory(8 * GB, "it", "less")
    with pytest.raises(ValueError, match=r"it would need 9\.7 GB, .* the 8\.6 GB .* free: less"):
        check_memory(9 * GB, "it", "less")


NET = mf.Network(depth=2, width=10)
RANDOM = mf.Network(depth=2, width=10, outputs=5, norm="layer@last")
INPUTS = np.broadcast_to(np.float32(1), (10**7, 2))
BEYOND = {
    "depth": lambda: mf.Network(depth=10**12, width=1),
    "teacher": lambda: mf.teacher(NET, 10**13),
    "wide teacher": lambda: mf.teacher(mf.Network(depth=2, width=10**8), 5),
    "samples": lambda: mf.predict(RANDOM, 10**13, output_draws=2),
    "output_draws": lambda: mf.predict(RANDOM, 10, output_draws=2**62),
    "inputs": lambda: mf.predict(NET, inputs=INPUTS),
    "train": lambda: mf.train(NET, INPUTS[:3], INPUTS[:3, 0], learning_rates=[1], draws=2**62),
}


@pytest.mark.parametrize("request_", BEYOND)
def test_monstrous_requests_are_refused_without_taking_memory(request_):
    tracemalloc.start()
    try:
        with pytest.raises(
            ValueError, match=r"would need .* GB, more than the .* GB that are free"
        ):
            BEYOND[request_]()
        assert tracemalloc.get_traced_memory()[1] < 2**30
    finally:
        tracemalloc.stop()
