"""The method `dual`: everything from the exact dual matrix, never a Jacobian."""

import jax
import numpy as np

from meanfield.numerics.lanczos import top_eigenpairs
from meanfield.sampling.dual_matrix import (
    STRIPS,
    BlockPlan,
    assemble,
    dual_matrix,
    find_factors,
    strips_for,
)
from meanfield.sampling.measurement import Measurement, MethodCost, Request
from meanfield.sampling.networks import Parameters
from meanfield.spec.network import Network

LANCZOS_PRODUCTS = 25  # expected; an outlier takes 11, a bulk's edge 30 to 60
KEPT_BLOCKS = 2**28  # numbers: 1 GB in float32


def supports(network: Network) -> bool:
    """Whether no hidden norm mixes samples, and the last one does not mix them with outputs."""
    *hidden, _ = network.norm_records
    return has_factors(network) and not any(norm.mixes_samples for norm in hidden)


def has_factors(network: Network) -> bool:
    """Whether the dual matrix, or its surrogate, can be had from Gram matrices."""
    return not network.norm_records[-1].mixes_both


def plan(samples: int, outputs: int, request: Request) -> BlockPlan:
    """Blocks are formed where tr F² or fewer flops than those of Lanczos on the factors ask for it.

    They are kept where there is one, or where they hold no more than `KEPT_BLOCKS` numbers.
    """
    blocks = outputs * (outputs + 1) // 2
    pairs = request.second_moment or blocks <= LANCZOS_PRODUCTS
    return BlockPlan(pairs, pairs and (blocks == 1 or blocks * samples**2 <= KEPT_BLOCKS))


def cost(network: Network, samples: int, request: Request) -> MethodCost:
    """Flops of the matrix products, and numbers held, of one draw.

    flops = 2 T P (1 + C)                              forward and C backward passes
          + 5/4 T² Σ_l [M_{l−1} + M_l C]               symmetric Gram matrices
          + T² Σ_l M_l C(C−1)                          those of two outputs [if formed]
          + 25 · (2 T² C² on kept blocks, else Σ_l [2 T² M_l + 4 T M_l C])
          [+ 2 (CT)³ for the whole spectrum]
    numbers held = P + 2 T (1 + C) (Σ_l M_l + C) + T² (L + 5)
          [+ T² C(C+1)/2 kept blocks] [+ 3 (CT)² for the whole spectrum]
    """
    T, C = samples, network.outputs
    outs = [layer.units for layer in network.layers]
    blocks = plan(T, C, request)
    strips = 1 + 1 / STRIPS
    flops: float = 2 * T * network.parameters * (1 + C)
    flops += strips * T**2 * (sum(network.widths) + C * sum(outs))
    flops += blocks.pairs * T**2 * C * (C - 1) * sum(outs)
    on_factors = sum(2 * T**2 * m + 4 * T * m * C for m in outs)
    flops += LANCZOS_PRODUCTS * (2 * T**2 * C**2 if blocks.kept else on_factors)
    held = network.parameters + 2 * T * (1 + C) * (sum(network.widths) + C)
    held += T**2 * (network.depth + 5) + blocks.kept * T**2 * C * (C + 1) // 2
    if request.spectrum:
        held += 3 * (C * T) ** 2
        flops += 2 * (C * T) ** 3
    return MethodCost(flops, held)


def measure(
    network: Network, parameters: Parameters, inputs: jax.Array, key: jax.Array, request: Request
) -> Measurement:
    """The leading eigenvalues, tr F and tr F² of one sampled network, all exact up to rounding."""
    T, C = inputs.shape[0], network.outputs
    strips = strips_for(inputs)
    factors = find_factors(network.structure, parameters, inputs, strips)
    if request.spectrum or request.leading >= C * T:
        return Measurement.exact(np.asarray(assemble(network.structure, factors)), request)
    blocks = plan(T, C, request)._replace(strips=strips)
    matrix = dual_matrix(network.structure, blocks, factors)
    start = np.asarray(jax.random.normal(key, (C * T,), "float32"))
    leading, _ = top_eigenpairs(matrix.product, request.leading, inputs.dtype.name, start)
    return Measurement(
        leading=leading.astype(np.float64),
        trace=float(matrix.trace),
        trace_squared=float(matrix.trace_squared) if request.second_moment else None,
    )
