"""The layer recursion on T×T matrices (theory.md sections 3 and 7)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.kinked import jumps_at_zero
from meanfield.spec.network import Network
from meanfield.spec.norms import SAMPLES
from meanfield.theory.given_inputs.batch_fields import average_over_fields
from meanfield.theory.given_inputs.options import SAMPLED, Options
from meanfield.theory.given_inputs.passage import Passage, passage
from meanfield.theory.kernels import Full
from meanfield.theory.layer import Layer, advance, input_layer, layer_step
from meanfield.theory.norms import kernels

REPLICAS = 4  # independent recursions that share the fields: their scatter is the error


def input_kernel(x: np.ndarray) -> Full:
    """Q⁰ = X Xᵀ/M_0, its gaps from differences: |x_s − x_t|²/(2 M_0)."""
    from scipy.spatial.distance import pdist, squareform  # on first use: importing takes time

    M_0 = x.shape[1]
    x = x.astype(np.float64)  # the squares of an image's bytes are none
    with np.errstate(over="ignore"):  # an infinite kernel is reported as such
        gap = squareform(pdist(x, "sqeuclidean")) / (2 * M_0)
        same = (x**2).sum(axis=1) / M_0
    return Full(jnp.asarray(same), jnp.asarray(gap).reshape(len(x), -1))


class Solution(NamedTuple):
    """What the recursion finds.

    Attributes:
        outputs: (S, K) of the output layer, once or per replica.
        passages: The hidden layers; batch norms among them self-averaging.
        error: The averages' relative error.
    """

    outputs: list[tuple[Full, Full]]
    passages: list[Passage]
    error: float


def solve(network: Network, x: np.ndarray, options: Options) -> Solution:
    """The recursion of section 3 on full kernels."""
    start = input_layer(input_kernel(x), _layer(network, 0))
    if not _samples_fields(network, options):
        return _solve(network, start, None, 0)
    fields = -(-options.fields // REPLICAS)
    keys = jax.random.split(jax.random.key(options.seed), REPLICAS)
    found = [_solve(network, start, key, fields) for key in keys]
    outputs = [pair for replica in found for pair in replica.outputs]
    shortcut = _solve(network, start, None, 0)
    return Solution(outputs, shortcut.passages, max(replica.error for replica in found))


def _samples_fields(network: Network, options: Options) -> bool:
    hidden = network.norm_records[:-1]
    return options.batch_statistics == SAMPLED and any(n.divide is SAMPLES for n in hidden)


def _solve(
    network: Network, start: tuple[Full, Full], key: jax.Array | None, fields: int
) -> Solution:
    """One recursion; with a key batch norms are averaged over so many fields, and no passages."""
    (S, K), error, passages = start, 0.0, []
    _check_finite(network, S, K, 1)
    for index, norm in enumerate(network.norm_records[:-1]):
        _check_layer(network, S, K, index + 1)
        layer = _layer(network, index + 1)
        if key is not None and norm.divide is SAMPLES:
            layer_key = jax.random.fold_in(key, index)
            S, K = advance(*average_over_fields(S, K, network.activation, fields, layer_key), layer)
        else:
            S_bar, K_bar = kernels(norm, S, K)
            step = layer_step(S_bar, K_bar, network.activation, layer)
            if key is None:
                every = (S, K), (S_bar, K_bar), step
                passages.append(passage(norm, layer, network.activation, *every))
            S, K, error = step.S, step.K, max(error, float(step.error))
        _check_finite(network, S, K, index + 2)
    _check_layer(network, S, K, network.depth)
    return Solution([(S, K)], passages, error)


def _layer(network: Network, index: int) -> Layer:
    """The numbers of a layer, 0 being the inputs."""
    return Layer(float(network.widths[index]), network.weight_var, network.bias_var)


def _check_layer(network: Network, S: Full, K: Full, layer: int) -> None:
    """Refuses samples that a norm divides by zero, or that stay where the gradient jumps."""
    norm = network.norm_records[layer - 1]
    S_bar, K_bar = kernels(norm, S, K)
    if not _is_finite(S_bar, K_bar):
        zero = jnp.flatnonzero(S.same == 0)
        why = "all samples are alike" if norm.mixes_samples else f"row {zero[0]} leads to zeros"
        raise ValueError(
            f"inputs make norm {norm.name!r} in layer {layer} divide by zero: {why} there"
        )
    # Such a sample's φ' is of no matter where no gradient passes: K̄ = 0 or σ_w² = 0.
    stuck = jnp.flatnonzero((S_bar.same == 0) & (K_bar.same > 0))
    if layer < network.depth and network.weight_var > 0 and stuck.size and _has_kink(network):
        raise ValueError(
            f"inputs must not make all pre-activations 0 where {network.activation.name} has a "
            f"kink and no gradient: row {stuck[0]} does in layer {layer}; accepted are "
            f"bias_var > 0 or rows that are not 0"
        )


def _has_kink(network: Network) -> bool:
    """Whether φ' jumps at 0."""
    return jumps_at_zero(network.activation)[1]


def _is_finite(*kernels: Full) -> bool:
    return all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(kernels))


def _check_finite(network: Network, S: Full, K: Full, layer: int) -> None:
    if _is_finite(S, K):
        return
    raise ValueError(
        f"weight_var={network.weight_var:g} and bias_var={network.bias_var:g} at "
        f"depth={network.depth} take the kernels of {network.activation.name} on these inputs "
        f"beyond the range of floating-point numbers in layer {layer}; accepted are variances "
        f"that keep them finite and, where a norm divides by them, non-zero"
    )
