"""Trainings that are interrupted, taken up again and continued: the same to the bit."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import jax
import numpy as np
import pytest

from meanfield import Network, teacher, train
from meanfield.training import train as training

NET = Network(widths=(4, 5), bias_var=0.2)
X, Y = teacher(NET, 9)
OPTIONS = {"learning_rates": (0.01, 0.1, 0.5, 50.0), "draws": 3, "steps": 110}
FIELDS = ("losses", "diverged", "rose", "steps_taken", "initial_losses")
RUN = """
from tests.training.test_store import NET, OPTIONS, X, Y, train
train(NET, X, Y, store={store!r}, **{{**OPTIONS, "steps": 10**6}})
"""


@pytest.fixture(scope="module")
def whole():
    return train(NET, X, Y, **OPTIONS)


def same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.threshold == b.threshold


@pytest.mark.parametrize("segments", [1, 3, 6, 8])
def test_an_interrupted_training_is_taken_up(whole, tmp_path, monkeypatch, segments):
    """Ctrl-C after some segments, in the first group of lanes or in the second."""
    calls, descend = count(), training.descend

    def interrupted(*arguments):
        if next(calls) == segments:
            raise KeyboardInterrupt
        return descend(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "descend", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(NET, X, Y, store=tmp_path, **OPTIONS)
    same(train(NET, X, Y, store=tmp_path, **OPTIONS), whole)
    monkeypatch.setattr(training, "descend", None)  # a finished one computes nothing
    same(train(NET, X, Y, store=tmp_path, **OPTIONS), whole)


def test_more_steps_continue(whole, tmp_path):
    for steps in (7, 25, 60):
        train(NET, X, Y, store=tmp_path / "new" / "a", **{**OPTIONS, "steps": steps})
    same(train(NET, X, Y, store=tmp_path / "new" / "a", **OPTIONS), whole)


def test_a_killed_training_is_taken_up(tmp_path):
    """Killed outright in the middle; what it left is continued to the same end."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN.format(store=str(tmp_path))],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    while not list(tmp_path.glob("lanes-*.npz")) and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with np.load(tmp_path / "lanes-0000.npz") as kept:
        taken = kept["arr_4"]
    steps = int(taken.max()) + 30
    request = tmp_path / "request.json"  # as if it had been asked for no more steps than that
    request.write_text(request.read_text().replace('"steps": 1000000', f'"steps": {steps}'))
    options = {**OPTIONS, "steps": steps}
    same(train(NET, X, Y, store=tmp_path, **options), train(NET, X, Y, **options))


OTHERS = {
    "learning_rates": ({"learning_rates": (0.01,)}, "learning_rates is"),
    "draws": ({"draws": 4}, "draws is 4, it was 3"),
    "seed": ({"seed": 1}, "seed is 1, it was 0"),
    "steps": ({"steps": 109}, "steps is 109, it was 110"),
    "targets": ({"targets": Y + 1}, "targets is .* it was"),
    "inputs": ({"inputs": X[::-1]}, "inputs is .* it was"),
    "network": ({"network": NET.with_norms("mean@last")}, "network is .*'mean'.* it was"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    store = tmp_path_factory.mktemp("finished")
    train(NET, X, Y, store=store, **OPTIONS)
    return store


@pytest.mark.parametrize("kind", OTHERS)
def test_another_training_is_refused(finished, monkeypatch, kind):
    monkeypatch.setattr(training, "descend", None)
    change, said = OTHERS[kind]
    before = {path: path.read_bytes() for path in finished.iterdir()}
    with pytest.raises(ValueError, match=said) as error:
        train(**{"network": NET, "inputs": X, "targets": Y, **OPTIONS, "store": finished, **change})
    assert str(finished) in str(error.value)
    assert "\n" not in str(error.value)
    assert {path: path.read_bytes() for path in finished.iterdir()} == before


def test_functions_of_the_same_name_are_told_apart(tmp_path):
    """All lambdas are called <lambda>; the same values may come from another process's."""
    options = {**OPTIONS, "steps": 2, "store": tmp_path}

    def network(function):
        return Network(widths=(4, 5), activation=function, bias_var=0.2)

    first = train(network(lambda u: u * jax.nn.sigmoid(u)), X, Y, **options)
    again = train(network(lambda v: jax.nn.sigmoid(v) * v), X, Y, **options)
    same(first, again)
    with pytest.raises(ValueError, match=r"activation is '.*', it was '-0\.1336, .*'"):
        train(network(lambda u: u * jax.nn.sigmoid(2 * u)), X, Y, **options)


def test_a_store_that_kept_less_is_continued(whole, tmp_path):
    """As one of a version that did not look at the activation's values."""
    train(NET, X, Y, store=tmp_path, **{**OPTIONS, "steps": 30})
    path = tmp_path / "request.json"
    kept = json.loads(path.read_text())
    del kept["request"]["activation"]
    path.write_text(json.dumps(kept))
    same(train(NET, X, Y, store=tmp_path, **OPTIONS), whole)


@pytest.mark.parametrize("name", ["lanes-0001.npz", "request.json"])
def test_a_damaged_store_is_refused(tmp_path, name):
    train(NET, X, Y, store=tmp_path, **{**OPTIONS, "steps": 2})
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=f"damaged .*{name}"):
        train(NET, X, Y, store=tmp_path, **OPTIONS)


def test_a_store_keeps_its_groups_on_a_machine_with_other_memory(whole, tmp_path, monkeypatch):
    train(NET, X, Y, store=tmp_path, **{**OPTIONS, "steps": 30})
    monkeypatch.setattr(training, "LANES_ON_CPU", 2)
    same(train(NET, X, Y, store=tmp_path, **OPTIONS), whole)


@pytest.mark.parametrize("store", ["file:///tmp/a", "s3://bucket/a"])
def test_a_store_is_no_url(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"store must be a folder .* got .*:/"):
        train(NET, X, Y, store=store, **OPTIONS)
    assert not list(tmp_path.iterdir())
