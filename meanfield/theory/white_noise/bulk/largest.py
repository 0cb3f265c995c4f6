"""λ_max of one formula: the outlier where there is one, else the edge of the bulk.

    λ_max = z(min(x_1, x*)),     1/x_1 = B + Var_s(a)/B,     z'(x*) = 0

(theory.md section 11). Near the edge eigenvalues of finite networks follow the Tracy–Widom law.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.theory.white_noise.bulk.edge import Goal, find
from meanfield.theory.white_noise.bulk.units import Bulk


class Largest(NamedTuple):
    """The bulk's ends, and λ_max.

    Attributes:
        variance: R'(0), that of the bulk's eigenvalues.
        edge: Its upper end.
        scale: σ = (z''(x*)/2)^{1/3}: near the edge the eigenvalues are those of a Tracy–Widom
            point process times σ N^{−2/3}, N = C T.
        by_top: ∂ log E/∂ log θ_L, what the last hidden layer's H̃ adds to the edge.
        outlier: z(min(x_1, x*)).
        is_outlier: Whether x_1 < x*: whether the direction that all samples share stands out.
        lower: The bulk's lower end.
        error: The edge's relative error, from half as many values of ζ.
    """

    variance: jax.Array
    edge: jax.Array
    scale: jax.Array
    by_top: jax.Array
    outlier: jax.Array
    is_outlier: jax.Array
    lower: jax.Array
    error: jax.Array


def largest(bulk: Bulk, strength: jax.Array, all_of_it: bool = False) -> Largest:
    """The bulk's ends and the outlier's place.

    Args:
        bulk: The bulk.
        strength: 1/x_1, 0 or less where there is no outlier.
        all_of_it: Whether to look for the lower end and the error too, which are NaN else.
    """
    positive = strength > 0
    given = jnp.where(positive, 1 / jnp.where(positive, strength, 1), jnp.inf)
    more, zero = 2 if all_of_it else 0, jnp.zeros_like(given)
    goals = Goal(  # the edge, x = 0, the outlier; the lower end, and the edge by fewer values of ζ
        side=jnp.array([1.0, 0.0, 0.0, -1.0, 1.0][: 3 + more]),
        target=jnp.stack([zero, zero, given, zero, zero][: 3 + more]),
        coarse=jnp.array([0.0, 0.0, 0.0, 0.0, 1.0][: 3 + more]),
    )
    points = find(bulk, goals)
    z, unknown = points.z, jnp.full_like(given, jnp.nan)
    return Largest(
        variance=jnp.where(points.found[1] > 0, points.slope[1], jnp.nan),
        edge=jnp.where(points.found[0] > 0, z[0], jnp.nan),
        scale=jnp.cbrt(points.bend[0] / 2),
        by_top=points.by_top[0] / z[0],
        outlier=z[2],
        is_outlier=positive & (given < points.x[0]) & (points.found[2] > 0),
        lower=_lower(bulk, points.found[3] > 0, z[3]) if all_of_it else unknown,
        error=jnp.abs(z[4] / z[0] - 1) if all_of_it else unknown,
    )


def _lower(bulk: Bulk, found: jax.Array, z: jax.Array) -> jax.Array:
    """The lower end: r where z only comes closer to it as x → −∞, of eigenvalues that coincide."""
    between = found & (z > bulk.rest) & (z < bulk.mean)
    return jnp.where(between, z, jnp.minimum(bulk.rest, bulk.mean))
