"""Spreading the samples of one measurement over several devices."""

from typing import TypeVar

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from meanfield.checks import count
from meanfield.machine.memory import free_memory

AXIS = "samples"
Tree = TypeVar("Tree")


def check_devices(devices: object, samples: int) -> int:
    """`devices` as an int: there are as many, and each gets the same number of samples.

    Raises:
        ValueError: Otherwise.
    """
    number, present = count("devices", devices), jax.device_count()
    if number > present:
        raise ValueError(f"devices must be at most {present}, all that JAX has here, got {number}")
    if samples % number:
        raise ValueError(f"devices must divide samples={samples}, got {number}")
    return number


def spread(parameters: Tree, inputs: jax.Array, devices: int) -> tuple[Tree, jax.Array]:
    """The inputs' rows spread over so many devices, the parameters copied to each.

    Everything that is computed from them then is spread by samples too: T×T matrices by rows.
    """
    if devices == 1:
        return parameters, inputs
    mesh = jax.make_mesh((devices,), (AXIS,), axis_types=(AxisType.Auto,))
    everywhere = NamedSharding(mesh, PartitionSpec())
    by_sample = NamedSharding(mesh, PartitionSpec(AXIS))
    return jax.device_put(parameters, everywhere), jax.device_put(inputs, by_sample)


def available_memory(devices: int = 1) -> int:
    """Bytes that a measurement may use: so many accelerators', or what is free of the machine's."""
    stats = jax.devices()[0].memory_stats() or {}
    if "bytes_limit" in stats:
        return devices * (stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    return free_memory()
