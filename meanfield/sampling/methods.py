"""The two ways to measure a sampled network, and the choice between them."""

from collections.abc import Callable
from dataclasses import dataclass

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
    limit: int | None = None,
) -> Method:
    """The method asked for or, for `auto`, the cheapest one that applies and fits in memory.

    The estimates are those of `dual.cost` and `krylov.cost`.

    Args:
        network, samples: What is to be measured.
        method: `auto`, or a name of `METHODS`.
        precision: `float32` or `float64`.
        request: What of the spectrum.
        limit: Bytes that a draw may use; all of this machine's by default.

    Raises:
        ValueError: The method asked for does not apply to this network, or nothing that was
            allowed fits in memory; the message names a method or size that does.
    """
    limit = available_memory() if limit is None else limit
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
        f"{limit / 1e9:.2g} GB available; {_way_out(network, samples, request, limit / size)}"
    )


def _way_out(network: Network, samples: int, request: Request, numbers: float) -> str:
    """A method, or a method and a number of samples, that holds no more numbers."""
    least = max(norm.min_samples for norm in network.norm_records)
    methods = [m for m in METHODS.values() if m.supports(network)]
    fewer = samples
    while True:
        for m in methods:
            if m.cost(network, fewer, request).numbers <= numbers:
                there = "" if fewer == samples else f"samples={fewer} with "
                return f"{there}method={m.name!r} fits"
        if fewer <= least:
            return "no number of samples fits: make the network narrower"
        fewer = max(fewer // 2, least)
