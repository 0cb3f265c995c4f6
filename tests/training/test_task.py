"""What is to be trained, before any of it is."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield import Network
from meanfield.training.descent import Course
from meanfield.training.task import Run, Task

X, Y = np.arange(18, dtype=np.float32).reshape(2, 9, 1)


def task(**changes):
    asked = {
        "network": Network(widths=(1, 4), activation="tanh"),
        "inputs": X,
        "targets": Y,
        "learning_rates": (0.1, 0.5),
        "draws": 3,
        "seed": 0,
        "steps": 60,
    }
    return Task(**{**asked, **changes})


def test_groups_are_full():
    first, second = task().groups(4)
    assert first == [Run(0.1, 0), Run(0.1, 1), Run(0.1, 2), Run(0.5, 0)]
    assert second == [Run(0.5, 1), Run(0.5, 2), Run(0.5, 2), Run(0.5, 2)]  # copies of the last


def test_lanes_start_from_the_networks_of_their_draws():
    lanes = task().start([Run(0.1, 1), Run(0.5, 0), Run(0.5, 1)])
    weights = np.asarray(lanes.parameters[0].weights)
    assert weights.shape == (3, 4, 1)
    np.testing.assert_array_equal(weights[0], weights[2])
    assert not (weights[0] == weights[1]).any()
    assert lanes.course.taken.tolist() == [0, 0, 0]


def test_what_is_left_is_counted_on_lanes_that_have_not_diverged():
    zeros = jnp.zeros(3)
    for taken, diverged, left in (([25, 7, 25], [0, 1, 0], 35), ([3, 7, 9], [1, 1, 1], 0)):
        course = Course(jnp.array(taken), zeros, zeros, zeros, jnp.array(diverged, bool))
        assert task().left(course) == left


def test_a_request_tells_in_plain_types_what_is_trained():
    request = task().request()
    assert json.loads(json.dumps(request, allow_nan=False)) == request
    assert request["network"]["activation"] == "tanh"
    assert request["learning_rates"] == [0.1, 0.5]
    assert request["activation"] == "-0.9959, -0.8617, -0.3799, 0.1974, 0.6044, 0.9562, 0.9996"
    assert request["inputs"].startswith("(9, 1) of SHA-256 ")


@pytest.mark.parametrize("name", ["learning_rates", "draws", "seed", "steps", "inputs", "targets"])
def test_requests_tell_tasks_apart(name):
    other = {"learning_rates": (0.1,), "inputs": X[::-1], "targets": Y + 1}.get(name, 7)
    differences = {
        key
        for key, value in task(**{name: other}).request().items()
        if value != task().request()[key]
    }
    assert differences == {name}


def test_functions_of_one_name_are_told_apart():
    def request(function):
        return task(network=Network(widths=(1, 4), activation=function)).request()

    swish = request(lambda u: u * jax.nn.sigmoid(u))
    assert swish == request(lambda v: jax.nn.sigmoid(v) * v)
    assert swish != request(lambda u: u * jax.nn.sigmoid(2 * u))
