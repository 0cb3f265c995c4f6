"""Where compilations are kept."""

import subprocess
import sys
from functools import lru_cache

import jax
import numpy as np
import pytest

from meanfield import Network, diagram, predict, simulate, train
from meanfield.machine import compilations
from meanfield.machine.compilations import Clock, keep_compilations, make_room


def test_a_cache_that_cannot_be_written_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "meanfield").write_text("a file where the folder would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", None)
    try:
        keep_compilations()
        assert jax.config.values["jax_compilation_cache_dir"] is None
    finally:
        jax.config.update("jax_compilation_cache_dir", before)


def test_options_that_this_compiler_does_not_have_are_left_out(monkeypatch):
    assert compilations._options.__wrapped__() == compilations.QUICKER
    monkeypatch.setattr(compilations, "QUICKER", {"xla_cpu_no_such_option": True})
    assert compilations._options.__wrapped__() is None


@pytest.fixture
def forgotten(monkeypatch):
    """How often JAX was made to forget, without the loss for other tests."""
    times = []
    monkeypatch.setattr(jax, "clear_caches", lambda: times.append(1))
    return times


def test_room_is_made_where_maps_grow_scarce(forgotten, monkeypatch, tmp_path):
    monkeypatch.setattr(compilations, "compilation_clock", lru_cache(Clock))
    monkeypatch.setattr(compilations, "MAPS", tmp_path / "maps")
    monkeypatch.setattr(compilations, "MOST_MAPS", tmp_path / "most")
    (tmp_path / "most").write_text("100\n")
    for lines, times in ((50, 0), (51, 1)):
        (tmp_path / "maps").write_text("a map\n" * lines)
        compilations.compilation_clock().seconds += 1
        make_room()
        assert len(forgotten) == times
    make_room()  # nothing was compiled since
    assert len(forgotten) == 1
    for hidden in ("maps", "most"):  # as on other systems, or in a sandbox
        (tmp_path / hidden).unlink()
        compilations.compilation_clock().seconds += 1
        make_room()
    assert len(forgotten) == 1


def test_maps_that_are_not_jaxs_are_not_forgotten_again(forgotten, monkeypatch, tmp_path):
    """Half of the rest is JAX's: 80 of 100 with 60 of others."""
    monkeypatch.setattr(compilations, "compilation_clock", lru_cache(Clock))
    monkeypatch.setattr(compilations, "MAPS", tmp_path / "maps")
    monkeypatch.setattr(compilations, "MOST_MAPS", tmp_path / "most")
    (tmp_path / "most").write_text("100\n")
    for lines, times in ((60, 1), (60, 1), (80, 1), (81, 2)):
        (tmp_path / "maps").write_text("a map\n" * lines)
        compilations.compilation_clock().seconds += 1
        make_room()
        assert len(forgotten) == times


def test_predictions_and_measurements_in_a_users_loop_look(forgotten, monkeypatch, tmp_path):
    monkeypatch.setattr(compilations, "compilation_clock", lru_cache(Clock))
    monkeypatch.setattr(compilations, "MAPS_SHARE", -1)
    monkeypatch.setattr(compilations, "MAPS", tmp_path / "maps")
    monkeypatch.setattr(compilations, "MOST_MAPS", tmp_path / "most")
    for name in ("maps", "most"):
        (tmp_path / name).write_text("10")
    network, x = Network(depth=1, width=3), np.eye(4, 3)
    calls = (
        lambda: predict(network, 4),
        lambda: diagram(network, 4, 1.0, 0.1),
        lambda: simulate(network, 4, draws=1),
        lambda: train(network, x, np.arange(4.0), learning_rates=[0.1], draws=1, steps=1),
    )
    for times, call in enumerate(calls, start=1):
        compilations.compilation_clock().seconds += 1
        call()
        assert len(forgotten) == times


@pytest.mark.skipif(not compilations.MAPS.exists(), reason="only Linux counts memory maps")
def test_forgetting_gives_maps_back():
    """In a process of its own, for it forgets what other tests compiled."""
    script = """
import jax
from meanfield import Network, simulate
from meanfield.machine import compilations
held = lambda: sum(1 for _ in compilations.MAPS.open())
before = held()
for width in (4, 5):
    simulate(Network(depth=1, width=width), 4, draws=1)
grown = held()
compilations.MAPS_SHARE = 0
compilations.make_room()
print(before, grown, held())
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    before, grown, after = map(int, run.stdout.split())
    assert grown - before > 2 * (after - before)
