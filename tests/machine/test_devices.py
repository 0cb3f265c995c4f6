"""Several devices: virtual ones, which JAX makes only in a process that starts with them."""

import json
import os
import subprocess
import sys

import jax
import pytest

from meanfield import Network, simulate
from meanfield.machine.devices import available_memory

DEVICES = 4
SCRIPT = """
import json
import jax
import numpy as np
from meanfield import Network, simulate
from meanfield.sampling import dual
from meanfield.sampling import krylov
from meanfield.sampling import dual_matrix as layered
from meanfield.machine.devices import spread
from meanfield.sampling.measurement import LARGEST
from meanfield.sampling.networks import draw_key, draw_network

results, T = {}, 32
networks = {
    "dual": Network(depth=2, width=24, outputs=2, activation="tanh", norm="batch@last"),
    "krylov": Network(depth=2, width=24, outputs=2, activation="tanh", norm="batch@hidden"),
}
statistics = ("eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment")
for name, network in networks.items():
    for devices in (1, 4):
        run = simulate(network, T, draws=2, precision="float64", devices=devices)
        results[f"{name}-{devices}"] = [getattr(run, s).draws for s in statistics]


def bytes_of(name, devices):
    network = networks[name]
    parameters, inputs = draw_network(network, draw_key(0, 0), None, T, np.dtype("float64"))
    parameters, inputs = spread(parameters, inputs, devices)
    strips, structure = layered.strips_for(inputs), network.structure
    if name == "dual":
        factors = layered.find_factors(structure, parameters, inputs, strips)
        plan = dual.plan(T, network.outputs, LARGEST)._replace(strips=strips)
        piece = layered.reduce_blocks.lower(structure, plan, factors)
    else:
        linearization = krylov.linearize(structure, parameters, inputs, strips)
        piece = krylov.apply.lower(linearization, np.ones(network.outputs * T))
    used = piece.compile().memory_analysis()
    return used.argument_size_in_bytes + used.output_size_in_bytes + used.temp_size_in_bytes


with jax.enable_x64(True):
    memory = {f"{n}-{d}": bytes_of(n, d) for n in networks for d in (1, 4)}
print(json.dumps([results, memory]))
"""


@pytest.fixture(scope="module")
def spread_and_not():
    """Statistics and bytes per device, by method and number of devices."""
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize("method", ["dual", "krylov"])
def test_the_samples_can_be_spread_over_devices(spread_and_not, method):
    """The same results but for the order of sums: float64's rounding, and Lanczos' tolerance."""
    results, _ = spread_and_not
    for here, there in zip(results[f"{method}-1"], results[f"{method}-4"], strict=True):
        assert there == pytest.approx(here, rel=1e-9)


@pytest.mark.parametrize("method", ["dual", "krylov"])
def test_each_device_then_holds_less(spread_and_not, method):
    """T×T matrices and signals fall to a quarter; what an all-gather collects for a while stays."""
    _, memory = spread_and_not
    assert memory[f"{method}-4"] < 0.6 * memory[f"{method}-1"]


NET = Network(widths=(6, 5), bias_var=0.2)


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        (0, "devices must be a positive integer, got 0"),
        (1.5, "devices must be a positive integer, got 1.5"),
        (99, f"devices must be at most {jax.device_count()}, all that JAX has here, got 99"),
    ],
)
def test_devices_that_are_not_there_are_refused(devices, message):
    with pytest.raises(ValueError, match=message):
        simulate(NET, 198, devices=devices)


def test_devices_must_divide_the_samples(monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 8)
    with pytest.raises(ValueError, match="devices must divide samples=9, got 2"):
        simulate(NET, 9, devices=2)


def test_available_memory_is_that_of_a_machine():
    assert 2**28 < available_memory() < 2**50
