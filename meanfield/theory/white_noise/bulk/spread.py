"""How an edge spreads from network to network and between outputs (theory.md section 11, derived).

An outlier spreads as B does. An edge spreads by Tracy–Widom, and by factors that many eigenvalues
share: chiefly the squares of the last weights, of which the share f = 1 − ∂ log E/∂ log θ_L of the
edge is made; a division over samples in the last layer divides by the outputs' own variance v.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.theory.outputs import Deviations
from meanfield.theory.white_noise.bulk.features import Features
from meanfield.theory.white_noise.bulk.response import Response, noise_of_networks
from meanfield.theory.white_noise.bulk.units import Bulk


class Factors(NamedTuple):
    """What the eigenvalues of an output share.

    Attributes:
        common: The relative variance of q̃^{L−1}_st that all outputs share.
        matrix: That of the matrix of q̃^{L−1}_st between outputs off its diagonal, where it is
            twice as much.
        variance: The relative variance of v, the outputs' variance over samples, by all but the
            sum of the squares of the last weights.
        squares: That by their sum alone, 2/M_{L−1}.
    """

    common: jax.Array
    matrix: jax.Array
    variance: jax.Array
    squares: jax.Array


def factors_of(bulk: Bulk, features: Features, response: Response) -> Factors:
    """The variances of the factors.

    Var log q̃^{L−1}_st = (3 ⟨φ_1⁴⟩/⟨φ_1²⟩² − 1)/M_{L−1},     between outputs ⟨φ_1⁴⟩/⟨φ_1²⟩²/M_{L−1},
    but for what a norm over units takes,
    Var log v = 2 (κ_{L−1}/ĝ² + 1/T),     κ_l = (σ_w² ⟨φ_1²⟩)² κ_{l−1} + ⟨V²⟩/M_l,     κ_0 = 1/M_0

    where κ_l is the mean of (h̃^l(s)·h̃^l(t)/M_l)² over pairs of samples.
    """
    widths, mean = bulk.widths, features.mean
    slope = features.averages.slope**2
    own = mean(features.averages.value_variance**2) / widths[1:]

    def step(below, layer):
        return layer[0] * below + layer[1], None

    overlap, _ = jax.lax.scan(step, 1 / widths[0], (response.above**2, own))
    gap = jnp.append(1.0, mean(features.averages.value_variance))[-1]
    backward = response.above * features.later  # q̃^l_st
    positive = backward > 0
    noise = 4 * noise_of_networks(bulk, features, response)[:, 2, 2]
    relative = jnp.where(positive, noise / jnp.where(positive, backward, 1) ** 2, 0)
    matrix = mean(slope**2) / mean(slope) ** 2 / widths[1:]
    none = jnp.zeros_like(widths[0])
    squares = 2 / widths[-1]
    every = 2 * (overlap / gap**2 + 1 / bulk.samples)
    return Factors(
        common=jnp.append(none, relative - 2 * matrix)[-1],
        matrix=jnp.append(none, matrix)[-1],
        variance=jnp.maximum(every - squares, 0),
        squares=squares,
    )


def edge_deviations(factors: Factors, share: jax.Array, divides: jax.Array) -> Deviations:
    """How the edges of the outputs deviate.

    Args:
        factors: Of the network.
        share: f.
        divides: 1 if the last layer divides over samples, E ∝ |w|^{2f}/v, else 0.
    """
    matrix = share**2 * factors.matrix
    diagonal = (1 - share) ** 2 * factors.squares + factors.variance
    return Deviations(
        shared=jnp.where(divides > 0, 0, share**2 * factors.common),
        matrix=matrix,
        own=jnp.where(divides > 0, diagonal - 2 * matrix, 0),
        weights=factors.matrix,
    )
