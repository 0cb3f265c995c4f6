"""The method `krylov`, for every network: products with F* = J Jᵀ / T only.

Gradients run through the norms' statistics, hidden batch norm included. λ_max and the other
outliers come from Lanczos; the trace and second moment are estimated with random probes after
these eigenvectors are projected out. Where it is cheap, a surrogate of F* that is known exactly
(`meanfield.sampling.dual_matrix`) does most of the work: its eigenvectors start Lanczos, and the
probes only see the difference.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.numerics.lanczos import top_eigenpairs
from meanfield.sampling import dual
from meanfield.sampling.dual_matrix import DualMatrix, dual_matrix, strips_for
from meanfield.sampling.linearization import apply, linearize, linearize_with_factors, materialize
from meanfield.sampling.measurement import Measurement, MethodCost, Request
from meanfield.sampling.networks import Parameters
from meanfield.sampling.probes import outside_moments, random_signs
from meanfield.spec.network import Network

LANCZOS_PRODUCTS = 30  # expected
PROBES = 32
PROBES_ON_SURROGATE = 2
SURROGATE_NUMBERS = 2**30  # the most that a surrogate may hold: 4 GB in float32
ROUGH = 1e-2  # tolerance of the surrogate's eigenvectors: they are a start only
ISOLATED = 2.0  # ratio of neighbouring eigenvalues above which Lanczos needs a few steps only


def supports(network: Network) -> bool:
    """Every network."""
    return True


def cost(network: Network, samples: int, request: Request) -> MethodCost:
    """Flops of the matrix products, and numbers held, of one draw.

    product = Σ_{l>1} 4 T M_l M_{l−1} + Σ_l 2 T M_l min(T, 2 M_{l−1})         backward, F*, forward
    flops = 2 T P + T² Σ_l M_{l−1} + product · (30 + 2 probes) + those of the surrogate
            [without a surrogate 32 probes; for the whole spectrum CT products and 2 (CT)³]
    numbers held = 3 P + T Σ_l [M_{l−1} + 4 M_l + min(T, 2 M_{l−1})] + T
            + those of the surrogate [or 4 (CT)² for the whole spectrum]
    """
    T, P, size = samples, network.parameters, network.outputs * samples
    outs = [layer.units for layer in network.layers]
    flops: float = 2 * T * P + T**2 * sum(network.widths)
    held = 3 * P + T * (sum(network.widths) + 4 * sum(outs) + 1)
    held += T * sum(min(T, 2 * m) for m in network.widths)
    if request.spectrum:
        return MethodCost(
            flops + _product_flops(network, T) * size + 2 * size**3, held + 4 * size**2
        )
    if not _has_surrogate(network, T, request):
        return MethodCost(flops + _product_flops(network, T) * (LANCZOS_PRODUCTS + PROBES), held)
    products = LANCZOS_PRODUCTS + PROBES_ON_SURROGATE
    surrogate = dual.cost(network, T, request)
    flops += _product_flops(network, T) * products + surrogate.flops
    return MethodCost(flops, held + surrogate.numbers)


def _product_flops(network: Network, T: int) -> int:
    through = sum(4 * T * n_in * n_out for n_in, n_out in network.layers[1:])
    return through + sum(2 * T * n_out * min(T, 2 * n_in) for n_in, n_out in network.layers)


def _has_surrogate(network: Network, samples: int, request: Request) -> bool:
    """Whether it costs at most twice the probes that it saves, and little enough memory.

    Twice, for it makes the estimates more accurate too.
    """
    if not dual.has_factors(network):
        return False
    surrogate = dual.cost(network, samples, request)
    saved = (PROBES - PROBES_ON_SURROGATE) * _product_flops(network, samples)
    return surrogate.flops <= 2 * saved and surrogate.numbers <= SURROGATE_NUMBERS


def measure(
    network: Network, parameters: Parameters, inputs: jax.Array, key: jax.Array, request: Request
) -> Measurement:
    """λ_max of one sampled network, and estimates of tr F and tr F² with standard errors.

    A system of no more than `PROBES` outputs, or a request for the spectrum, is solved exactly.
    """
    precision = inputs.dtype.name
    T, C = inputs.shape[0], network.outputs
    size = C * T
    count = max(C, request.leading)  # the outliers, so that the probes are spared them
    if request.spectrum or max(PROBES, count) >= size:
        matrix = materialize(network.structure, parameters, inputs)
        return Measurement.exact(np.asarray(matrix, np.float64), request)
    problem = _linearized(network, parameters, inputs, request)
    start_key, probe_key = jax.random.split(key)
    start, close = np.asarray(jax.random.normal(start_key, (size,), jnp.float32)), False
    if problem.surrogate:
        start, close = _warm_start(problem.surrogate, count, precision, start)
    values, vectors = top_eigenpairs(problem.product, count, precision, start, close=close)
    number = PROBES_ON_SURROGATE if problem.surrogate else PROBES
    probes = np.asarray(random_signs(size, number, precision, probe_key))
    outside, sems = outside_moments(problem.product, vectors, probes, problem.surrogate)
    values = values.astype(np.float64)
    squares = float((values**2).sum() + outside[1])
    return Measurement(
        leading=values[: request.leading],
        trace=float(values.sum() + outside[0]),
        trace_squared=squares if request.second_moment else None,
        trace_sem=float(sems[0]),
        trace_squared_sem=float(sems[1]),
    )


class Problem(NamedTuple):
    """Products with F*, and the surrogate of F* where it pays."""

    product: Callable[[np.ndarray], jax.Array]
    surrogate: DualMatrix | None


def _linearized(
    network: Network, parameters: Parameters, inputs: jax.Array, request: Request
) -> Problem:
    structure, T, strips = network.structure, len(inputs), strips_for(inputs)
    if not _has_surrogate(network, T, request):
        return Problem(partial(apply, linearize(structure, parameters, inputs, strips)), None)
    linearization, factors = linearize_with_factors(structure, parameters, inputs, strips)
    blocks = dual.plan(T, network.outputs, request)._replace(strips=strips)
    return Problem(partial(apply, linearization), dual_matrix(structure, blocks, factors))


def _warm_start(
    surrogate: DualMatrix, count: int, precision: str, start: np.ndarray
) -> tuple[np.ndarray, bool]:
    """A vector near the surrogate's `count` leading ones, and whether these are outliers."""
    wanted = min(count + 1, start.size - 1)
    values, vectors = top_eigenpairs(surrogate.product, wanted, precision, start, tolerance=ROUGH)
    outliers = wanted > count and values[count - 1] > ISOLATED * values[count]
    return vectors[:, :count] @ start[:count].astype(precision), bool(outliers)
