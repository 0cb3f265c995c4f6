"""Matrix-free measurement for every network: products with F* = J Jᵀ / T only.

Gradients run through the norms' statistics, hidden batch norm included. λ_max and the other
outliers come from Lanczos; the trace and second moment are estimated with random probes after these
eigenvectors are projected out, since a single outlier would spoil the estimate.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.lanczos import top_eigenpairs
from meanfield.measurement import Measurement, MethodCost, Request
from meanfield.network import Network, Structure
from meanfield.sampling import Parameters, forward

PROBES = 32
EXPECTED_PRODUCTS = 40 + 2 * PROBES


def supports(network: Network) -> bool:
    """Every network."""
    return True


def cost(network: Network, samples: int, request: Request) -> MethodCost:
    """Flops of the matrix products, and numbers held, of one draw.

    A product with F* runs forward, backward and tangent: 10 T P flops.

        flops = 10 T P · (40 + probes products) [(CT) products and 2 (CT)³ for the whole spectrum]
        numbers held = 5 P + 6 T Σ_l M_l [+ 4 (CT)² for the whole spectrum]
    """
    size = network.outputs * samples
    products = size if request.spectrum else EXPECTED_PRODUCTS
    held = 5 * network.parameters + 6 * samples * sum(network.widths)
    flops = 10 * samples * network.parameters * products
    if request.spectrum:
        held += 4 * size**2
        flops += 2 * size**3
    return MethodCost(flops, held)


def measure(
    network: Network, parameters: Parameters, inputs: jax.Array, key: jax.Array, request: Request
) -> Measurement:
    """λ_max of one sampled network, and estimates of tr F and tr F² with standard errors.

    A system of no more than `PROBES` outputs, or a request for the spectrum, is solved exactly.
    """
    precision = inputs.dtype.name
    T, C = inputs.shape[0], network.outputs
    start_key, probe_key = jax.random.split(key)
    count = max(C, request.leading)  # the outliers, so that the probes are spared them
    if request.spectrum or max(PROBES, count) >= C * T:
        matrix = np.asarray(_materialize(network.structure, parameters, inputs), np.float64)
        return Measurement.exact(matrix, request)
    start = np.asarray(jax.random.normal(start_key, (C * T,), jnp.float32), precision)
    product = lambda v: _product(network.structure, parameters, inputs, v.reshape(T, C))  # noqa: E731
    values, vectors = top_eigenpairs(product, C * T, count, precision, start)
    probes = np.asarray(_probes(C * T, inputs.dtype, probe_key))
    (trace, trace_squared), (sem, squared_sem) = _deflated_moments(product, vectors, probes)
    values = values.astype(np.float64)
    return Measurement(
        leading=values[: request.leading],
        trace=float(values.sum() + trace),
        trace_squared=float((values**2).sum() + trace_squared),
        trace_sem=float(sem),
        trace_squared_sem=float(squared_sem),
    )


def _dual_product(structure: Structure, parameters: Parameters, inputs: jax.Array):
    """v ↦ J Jᵀ v / T on T×C arrays."""

    def outputs_of(parameters):
        return forward(structure, parameters, inputs).outputs

    _, pushforward = jax.linearize(outputs_of, parameters)
    pullback = jax.linear_transpose(pushforward, parameters)
    return lambda v: pushforward(*pullback(v)) / v.shape[0]


@partial(jax.jit, static_argnames="structure")
def _product(structure, parameters, inputs, v) -> jax.Array:
    return _dual_product(structure, parameters, inputs)(v)


@partial(jax.jit, static_argnames="structure")
def _materialize(structure, parameters, inputs) -> jax.Array:
    """The (CT)×(CT) dual matrix, column by column; rows and columns are ordered (t, k)."""
    shape = inputs.shape[0], parameters[-1].biases.size
    basis = jnp.eye(shape[0] * shape[1], dtype=inputs.dtype).reshape(-1, *shape)
    product = _dual_product(structure, parameters, inputs)
    columns = jax.lax.map(product, basis)
    return columns.reshape(columns.shape[0], -1)


@partial(jax.jit, static_argnames=("size", "dtype"))
def _probes(size: int, dtype: jnp.dtype, key: jax.Array) -> jax.Array:
    """Random signs, one probe per row."""
    return stochtrace().sampler_signs(jnp.zeros(size, dtype), num=PROBES)(key)


def _deflated_moments(
    product: Callable[[np.ndarray], jax.Array], basis: np.ndarray, probes: np.ndarray
) -> tuple[jax.Array, jax.Array]:
    """Estimates of tr F and tr F² outside the span of `basis`, and their standard errors.

    With z random signs and P the projection: tr PF = E[zᵀPFPz], tr (PF)² = E[|PFPz|²].
    """

    def project(v):
        return v - basis @ (basis.T @ v)

    # One product at a time: a batch of them would hold as many sets of gradients.
    images = np.stack([project(np.asarray(product(project(z))).reshape(z.shape)) for z in probes])
    return _estimate(probes, images)


@jax.jit
def _estimate(probes: jax.Array, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Means over probes of zᵀAz and |Az|², from z and Az, and their standard errors."""
    library = stochtrace()
    integrands = library.monte_carlo_trace(), library.monte_carlo_frobeniusnorm_squared()

    def both(_, pair):
        probe, image = pair
        return jnp.stack([integrand(lambda _: image, probe) for integrand in integrands])

    pairs = probes.astype(jnp.float64), images.astype(jnp.float64)
    return library.estimator_monte_carlo_mean_and_sem(both, lambda _: pairs)(None, None)


def stochtrace() -> ModuleType:
    """Matfree's module, imported on first use: no other method needs the extra."""
    from matfree import stochtrace

    return stochtrace
