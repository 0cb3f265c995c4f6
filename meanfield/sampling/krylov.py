"""The method `krylov`, for every network: products with F* = J Jᵀ / T only.

Gradients run through the norms' statistics, hidden batch norm included. λ_max and the other
outliers come from Lanczos; the trace and second moment are estimated with random probes after
these eigenvectors are projected out, since a single outlier would spoil the estimate. Where it is
cheap, a surrogate S of F* that is known exactly (`meanfield.sampling.dual_matrix`) does most of the
work: its eigenvectors start Lanczos, and the probes only see the difference,

    tr F* = tr S + E[zᵀ(F* − S)z],      tr F*² = tr S² + E[|F* z|² − |S z|²].
"""

from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.numerics.lanczos import top_eigenpairs
from meanfield.sampling import dual
from meanfield.sampling.dual_matrix import (
    STRIPS,
    DualMatrix,
    Factors,
    dual_matrix,
    find_factors,
    gram,
    strips_for,
)
from meanfield.sampling.measurement import Measurement, MethodCost, Request
from meanfield.sampling.networks import Parameters, forward
from meanfield.spec.network import Network, Structure

LANCZOS_PRODUCTS = 30  # expected
PROBES = 32
PROBES_ON_SURROGATE = 2
SURROGATE_NUMBERS = 2**30  # the most that a surrogate may hold: 4 GB in float32
ROUGH = 1e-2  # tolerance of the surrogate's eigenvectors: they are a start only
ISOLATED = 2.0  # ratio of neighbouring eigenvalues above which Lanczos needs a few steps only


class Linearization(NamedTuple):
    """What products with F* need of one sampled network.

    Attributes:
        push: Changes of u^1..u^L → those of the outputs, C×T.
        nudges: No change of u^1..u^L: zeros, T×M_l each.
        inputs: Of each layer, h^{l−1} h^{l−1}ᵀ + 1 (T×T), or h^{l−1} where that is much narrower.
    """

    push: Callable[[tuple[jax.Array, ...]], jax.Array]
    nudges: tuple[jax.Array, ...]
    inputs: tuple[jax.Array, ...]


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
    outs = (*network.widths[1:], network.outputs)
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
    outs = (*network.widths[1:], network.outputs)
    layers = list(zip(network.widths, outs, strict=True))
    through = sum(4 * T * n_in * n_out for n_in, n_out in layers[1:])
    return through + sum(2 * T * n_out * min(T, 2 * n_in) for n_in, n_out in layers)


def _has_surrogate(network: Network, samples: int, request: Request) -> bool:
    """Whether it costs at most twice the probes that it saves, and little enough memory.

    Twice, for it makes the estimates more accurate too.
    """
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
    structure, size = network.structure, C * T
    count = max(C, request.leading)  # the outliers, so that the probes are spared them
    if request.spectrum or max(PROBES, count) >= size:
        matrix = materialize(structure, parameters, inputs)
        return Measurement.exact(np.asarray(matrix, np.float64), request)
    start_key, probe_key = jax.random.split(key)
    start = np.asarray(jax.random.normal(start_key, (size,), jnp.float32))
    surrogate, close = None, False
    strips = strips_for(inputs)
    if _has_surrogate(network, T, request):
        linearization, factors = linearize_with_factors(structure, parameters, inputs, strips)
        blocks = dual.plan(T, C, request)._replace(strips=strips)
        surrogate = dual_matrix(structure, blocks, factors)
        start, close = _warm_start(surrogate, count, precision, start)
    else:
        linearization = linearize(structure, parameters, inputs, strips)
    product = partial(apply, linearization)
    values, vectors = top_eigenpairs(product, count, precision, start, close=close)
    number = PROBES_ON_SURROGATE if surrogate else PROBES
    probes = np.asarray(random_signs(size, number, precision, probe_key))
    (trace, trace_squared), (sem, squared_sem) = outside_moments(
        product, vectors, probes, surrogate
    )
    values = values.astype(np.float64)
    return Measurement(
        leading=values[: request.leading],
        trace=float(values.sum() + trace),
        trace_squared=float((values**2).sum() + trace_squared) if request.second_moment else None,
        trace_sem=float(sem),
        trace_squared_sem=float(squared_sem),
    )


def _warm_start(
    surrogate: DualMatrix, count: int, precision: str, start: np.ndarray
) -> tuple[np.ndarray, bool]:
    """A vector near the surrogate's `count` leading ones, and whether these are outliers."""
    wanted = min(count + 1, start.size - 1)
    values, vectors = top_eigenpairs(surrogate.product, wanted, precision, start, tolerance=ROUGH)
    outliers = wanted > count and values[count - 1] > ISOLATED * values[count]
    return vectors[:, :count] @ start[:count].astype(precision), bool(outliers)


@partial(jax.jit, static_argnames=("structure", "strips"))
def linearize(
    structure: Structure, parameters: Parameters, inputs: jax.Array, strips: int = STRIPS
) -> Linearization:
    """The linearization of one sampled network in its pre-activations."""

    def outputs_of(nudges):
        passed = forward(structure, parameters, inputs, nudges)
        return passed.outputs.T, passed.activations

    T = len(inputs)
    nudges = tuple(jnp.zeros((T, layer.biases.size), inputs.dtype) for layer in parameters)
    _, push, activations = jax.linearize(outputs_of, nudges, has_aux=True)
    correlations = (h if 2 * h.shape[1] < T else gram(h, strips) + 1 for h in activations)
    return Linearization(push, nudges, tuple(correlations))


@partial(jax.jit, static_argnames=("structure", "strips"))
def linearize_with_factors(
    structure: Structure, parameters: Parameters, inputs: jax.Array, strips: int = STRIPS
) -> tuple[Linearization, Factors]:
    """Both at once: the compiler shares their forward passes and Gram matrices."""
    arguments = structure, parameters, inputs, strips
    return linearize(*arguments), find_factors(*arguments)


@jax.jit
def apply(linearization: Linearization, v: jax.Array) -> jax.Array:
    """F* v for v of length CT, ordered output by output, as C×T.

    With δ^l(t) = Σ_s v(s)·∂f(s)/∂u^l(t), T F* v is the change of the outputs under that of the
    parameters by δ: u^l(s) changes by Σ_t (h^{l−1}(s)·h^{l−1}(t) + 1) δ^l(t).
    """
    push, nudges, inputs = linearization
    T = len(nudges[0])
    (backward,) = jax.linear_transpose(push, nudges)(v.reshape(-1, T))
    return push(tuple(map(_correlate, inputs, backward))) / T


def _correlate(h: jax.Array, delta: jax.Array) -> jax.Array:
    """(h hᵀ + 1) δ, from h or from that matrix."""
    if h.shape[0] == h.shape[1]:
        return h @ delta
    return h @ (h.T @ delta) + delta.sum(axis=0)


@partial(jax.jit, static_argnames="structure")
def materialize(structure: Structure, parameters: Parameters, inputs: jax.Array) -> jax.Array:
    """The (CT)×(CT) dual matrix, column by column, ordered output by output."""
    size = len(inputs) * parameters[-1].biases.size
    product = partial(apply, linearize(structure, parameters, inputs))
    return jax.lax.map(lambda v: product(v).ravel(), jnp.eye(size, dtype=inputs.dtype))


@partial(jax.jit, static_argnames=("size", "number", "dtype"))
def random_signs(size: int, number: int, dtype: str, key: jax.Array) -> jax.Array:
    """Random signs, one probe per row."""
    return stochtrace().sampler_signs(jnp.zeros(size, dtype), num=number)(key)


def outside_moments(
    product: Callable[[np.ndarray], jax.Array],
    basis: np.ndarray,
    probes: np.ndarray,
    surrogate: DualMatrix | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates of tr F and tr F² outside the span of `basis`, and their standard errors.

    With z random signs, P the projection and S the surrogate (or 0):
    tr PF = tr PS + E[zᵀP(F − S)Pz], tr (PF)² = tr (PS)² + E[|PFPz|² − |PSPz|²].
    """

    def project(v):
        return v - basis @ (basis.T @ v)

    def images(product):
        # One product at a time: a batch of them would hold as many sets of gradients.
        return np.stack([project(np.asarray(product(project(z))).ravel()) for z in probes])

    ours = images(product)
    if surrogate is None:
        return _estimate(probes, ours)
    theirs = images(surrogate.product)
    differences = ours - theirs
    across = [project(np.asarray(surrogate.product(d)).ravel()) for d in differences]
    estimates = _estimate(probes, ours)[0] - _estimate(probes, theirs)[0]
    return estimates + _known_outside(surrogate, basis), _error_bounds(differences, across)


def _known_outside(surrogate: DualMatrix, basis: np.ndarray) -> np.ndarray:
    """tr PS = tr S − tr VᵀSV and tr (PS)² = tr S² − 2 |SV|² + |VᵀSV|², V the basis."""
    images = np.stack([np.asarray(surrogate.product(v)).ravel() for v in basis.T], axis=1)
    inside = basis.T @ images
    squares = -2 * np.sum(images**2, dtype=np.float64) + np.sum(inside**2, dtype=np.float64)
    trace = float(surrogate.trace) - np.trace(inside, dtype=np.float64)
    return np.array([trace, float(surrogate.trace_squared) + squares])


def _error_bounds(differences: np.ndarray, across: Sequence[np.ndarray]) -> np.ndarray:
    """Standard errors of both estimates, from above, from Dz and SDz with D = P(F − S)P.

    Few probes say little by their spread. But Var zᵀAz ≤ 2 |A|² = 2 E|Az|² for symmetric A; here
    A is D, and then SD + DS + D², of norm at most 2 |SD| + |D|².                     [derived]
    """
    square = np.sum(np.square(differences, dtype=np.float64)) / len(differences)
    cross = np.sum(np.square(across, dtype=np.float64)) / len(differences)
    return np.sqrt(2 / len(differences)) * np.array([np.sqrt(square), 2 * np.sqrt(cross) + square])


@jax.jit
def _estimate(probes: jax.Array, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Means over probes of zᵀAz and |Az|², from z and Az, and their standard errors."""
    library = stochtrace()
    integrands = library.monte_carlo_trace(), library.monte_carlo_frobeniusnorm_squared()

    def both(_, pair):
        probe, image = pair
        return jnp.stack([f(lambda _: image, probe) for f in integrands])

    pairs = tuple(a.astype(jnp.float64) for a in (probes, images))
    return library.estimator_monte_carlo_mean_and_sem(both, lambda _: pairs)(None, None)


def stochtrace() -> ModuleType:
    """Matfree's module, imported on first use: no other method needs the extra."""
    from matfree import stochtrace

    return stochtrace
