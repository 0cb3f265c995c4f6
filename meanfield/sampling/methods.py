"""The two ways to measure a sampled network, and the choice between them."""

from collections.abc import Callable
from dataclasses import dataclass

from meanfield.checks import positive_integer
from meanfield.machine.devices import available_memory
from meanfield.sampling import dual, krylov
from meanfield.sampling.measurement import LARGEST, Measurement, MethodCost, Request
from meanfield.spec.network import Network

BYTES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class Method:
    """One way to measure the FIM's spectrum of a sampled network.

    Attributes:
        name: The name in options and results.
        supports: Network → whether the method applies to it.
        cost: (network, T, request) → flops and numbers held.
        measure: (network, parameters, inputs, key, request) → the statistics.
        extra: A package that the method needs beyond the core dependencies.
    """

    name: str
    supports: Callable[[Network], bool]
    cost: Callable[[Network, int, Request], MethodCost]
    measure: Callable[..., Measurement]
    extra: str | None = None


METHODS = {
    m.name: m
    for m in (
        Method("dual", dual.supports, dual.cost, dual.measure),
        Method("krylov", krylov.supports, krylov.cost, krylov.measure, extra="matfree"),
    )
}


def choose_method(
    network: Network,
    samples: int,
    method: str = "auto",
    precision: str = "float32",
    request: Request = LARGEST,
    memory_limit: int | None = None,
    devices: int = 1,
) -> Method:
    """The method asked for or, for `auto`, the cheapest one that applies and fits in memory.

    The estimates are those of `dual.cost` and `krylov.cost`.

    Raises:
        ValueError: The method asked for does not apply to this network, or nothing that was
            allowed fits in memory; the message names a method or size that does.
    """
    limit = available_memory(devices)
    if memory_limit is not None:
        limit = positive_integer("memory_limit", memory_limit)
    costs = {
        m.name: m.cost(network, samples, request) for m in METHODS.values() if m.supports(network)
    }
    if method != "auto" and method not in costs:
        raise ValueError(
            f"method {method!r} needs a network without batch-type norms in hidden layers, got "
            f"norms={','.join(network.norms)}; accepted are auto, {', '.join(costs)}"
        )
    asked = list(costs) if method == "auto" else [method]
    size = BYTES[precision]
    fitting = [name for name in asked if costs[name].numbers * size <= limit]
    if fitting:
        return METHODS[min(fitting, key=lambda name: costs[name].flops)]
    raise ValueError(
        f"samples={samples} with this network and method={method!r} would need "
        f"{min(costs[n].numbers for n in asked) * size / 1e9:.2g} GB in {precision}, more than the "
        f"{limit / 1e9:.2g} GB available; "
        + _way_out(network, samples, precision, request, limit, costs)
    )


def _way_out(network, samples, precision, request, limit, costs) -> str:
    """A method or a number of samples that fits."""
    size = BYTES[precision]
    for name, cost in costs.items():
        if cost.numbers * size <= limit:
            return f"method={name!r} fits"
    fewer, least = samples, max(norm.min_samples for norm in network.norm_records)
    while fewer > least:
        fewer = max(fewer // 2, least)
        for name in costs:
            if METHODS[name].cost(network, fewer, request).numbers * size <= limit:
                return f"samples={fewer} with method={name!r} fits"
    return "no number of samples fits: make the network narrower"
