"""The bulk's ends and the outlier's place, as points of one law.

    λ_max = z(min(x_1, x*)),     1/x_1 = B + Var_s(a)/B,     z'(x*) = 0

(theory.md section 11). Near the edge eigenvalues of finite networks follow the Tracy–Widom law.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.theory.white_noise.bulk.edge import Goal, find
from meanfield.theory.white_noise.bulk.units import Bulk, Units


class Edge(NamedTuple):
    """An upper edge.

    Attributes:
        place: E.
        scale: σ = (z''(x*)/2)^{1/3}: near the edge the eigenvalues are those of a Tracy–Widom
            point process times σ N^{−2/3}, N of them.
        by_weights: f = 1 − ∂ log E/∂ log θ_L, the share of E that the squares of the last weights
            make; θ_L, which is of the last hidden layer's H̃, is free of them.
    """

    place: jax.Array
    scale: jax.Array
    by_weights: jax.Array


class Largest(NamedTuple):
    """The bulk's ends, and λ_max.

    Attributes:
        variance: R'(0), that of the bulk's eigenvalues.
        edge: Its upper end.
        even: That of the bulk whose largest backward weights count by their mean.
        outlier: z(min(x_1, x*)).
        by_strength: ∂z(x_1)/∂(1/x_1).
        is_outlier: Whether x_1 < x*: whether the direction that all samples share stands out.
        lower: The bulk's lower end.
    """

    variance: jax.Array
    edge: Edge
    even: Edge
    outlier: jax.Array
    by_strength: jax.Array
    is_outlier: jax.Array
    lower: jax.Array


def largest(
    bulk: Bulk, even: Units, strength: jax.Array, several: jax.Array | bool, lower_too: bool = False
) -> Largest:
    """The bulk's ends and the outlier's place.

    Args:
        bulk: The bulk.
        even: Its units with even backward weights.
        strength: 1/x_1, 0 or less where there is no outlier.
        several: Whether there are several outputs; else the even bulk is not looked at.
        lower_too: Whether to look for the lower end, which is NaN else.
    """
    positive = strength > 0
    given = jnp.where(positive, 1 / jnp.where(positive, strength, 1), jnp.inf)
    count, zero = 4 + lower_too, jnp.zeros_like(given)
    goals = Goal(  # the edge, x = 0, the outlier, the even bulk's edge; the lower end
        side=jnp.stack([zero + 1, zero, zero, zero + several, zero - 1][:count]),
        target=jnp.stack([zero, zero, given, zero, zero][:count]),
        even=jnp.array([0.0, 0.0, 0.0, 1.0, 0.0][:count]),
    )
    points = find(bulk, even, goals)
    z, found = points.z, points.found > 0
    share = jnp.where(found, points.by_top / z, jnp.nan)
    edge, even_edge = (
        Edge(jnp.where(found[i], z[i], jnp.nan), jnp.cbrt(points.bend[i] / 2), 1 - share[i])
        for i in (0, 3)
    )
    is_outlier = positive & (given < points.x[0]) & found[2]
    return Largest(
        variance=jnp.where(found[1], points.slope[1], jnp.nan),
        edge=edge,
        even=even_edge,
        outlier=jnp.where(is_outlier, z[2], edge.place),
        by_strength=1 - points.x[2] ** 2 * points.slope[2],
        is_outlier=is_outlier,
        lower=_lower(bulk, found[4], z[4]) if lower_too else jnp.full_like(given, jnp.nan),
    )


def _lower(bulk: Bulk, found: jax.Array, z: jax.Array) -> jax.Array:
    """The lower end: r where z only comes closer to it as x → −∞, of eigenvalues that coincide."""
    between = found & (z > bulk.rest) & (z < bulk.mean)
    return jnp.maximum(jnp.where(between, z, jnp.minimum(bulk.rest, bulk.mean)), 0)
