"""Where the spectrum of a network ends, and its largest eigenvalue (theory.md section 11)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.theory.white_noise.bulk.expected import expected_largest
from meanfield.theory.white_noise.bulk.largest import Edge, Largest, largest
from meanfield.theory.white_noise.bulk.situation import Premises, Situation, situation_of
from meanfield.theory.white_noise.readout import Readout

# Of the squared mean: a variance below it is rounding, and the bulk a single eigenvalue.
NO_SPREAD = 1e-20


class Ends(NamedTuple):
    """The bulk's ends and λ_max, all of F.

    Attributes:
        largest: λ_max as expected at these sizes.
        trace_squared: tr F².
        outlier: z(min(x_1, x*)).
        is_outlier: Whether the outlier is λ_max.
        variance: R'(0), that of the bulk's eigenvalues.
        edge, lower: E, and the lower end.
        scale: σ of the fluctuations at the edge.
        deviation: The standard deviation of λ_max from network to network by what many eigenvalues
            share, relative to λ_max.
        own_scale: By what Tracy–Widom's law is multiplied in λ_max; 0 for an outlier.
    """

    largest: jax.Array
    trace_squared: jax.Array
    outlier: jax.Array
    is_outlier: jax.Array
    variance: jax.Array
    edge: jax.Array
    lower: jax.Array
    scale: jax.Array
    deviation: jax.Array
    own_scale: jax.Array


def no_ends(readout: Readout) -> Ends:
    """Where the law does not reach: the larger of λ_1 and λ_2."""
    unknown = jnp.full_like(readout.bulk, jnp.nan)
    return Ends(
        largest=jnp.maximum(readout.outlier, readout.bulk),
        trace_squared=readout.trace_squared,
        outlier=readout.outlier,
        is_outlier=readout.outlier >= readout.bulk,
        variance=unknown,
        edge=unknown,
        lower=unknown,
        scale=unknown,
        deviation=unknown,
        own_scale=unknown,
    )


def ends_of(given: Premises, all_of_it: bool) -> Ends:
    """The ends by the law, times what a division in the last layer does to every eigenvalue.

    tr F² = D ( λ_1² + (T − 1) (λ_2² + R'(0)) + 2 Var_s(a) + Var(B) ),     D directions of outputs
    """
    here, readout, factor = situation_of(given), given.readout, given.factor
    bulk, directions = here.bulk, given.of_outputs.outputs
    found = largest(bulk, here.even, here.strength, directions > 1, lower_too=all_of_it)
    found = _without_spread(here, found)
    few, rest = bulk.samples / given.numbers.samples, bulk.samples - 1
    known = jnp.isfinite(found.variance) & jnp.isfinite(found.edge.place)
    varies, positive = here.common_varies, here.common > 0
    of_common = varies.shared + (directions + 1) * varies.matrix
    spread = jnp.where(known, rest * found.variance, 0) + 2 * here.overlap
    spread += jnp.where(positive, here.common**2 * of_common, 0)
    top = expected_largest(given, here, found)
    return Ends(
        largest=jnp.where(known, factor * top.place, jnp.maximum(readout.outlier, readout.bulk)),
        trace_squared=readout.trace_squared + directions * factor**2 * spread,
        outlier=factor * found.outlier,
        is_outlier=found.is_outlier,
        variance=factor**2 * found.variance * few,
        edge=jnp.where(known, factor * found.edge.place, jnp.nan),
        lower=factor * found.lower * few,
        scale=factor * found.edge.scale * jnp.where(few > 0, few, 0) ** (-2 / 3),
        deviation=jnp.sqrt(top.variance),
        own_scale=factor * top.scale,
    )


def _without_spread(here: Situation, found: Largest) -> Largest:
    """Where all eigenvalues of the bulk are the same, they are its ends: no search is needed."""
    mean, zero = here.bulk.mean, jnp.zeros_like(here.bulk.mean)
    single = found.variance <= NO_SPREAD * mean**2
    positive, one = here.common > 0, zero + 1

    def or_single(edge: Edge) -> Edge:
        return jax.tree.map(lambda a, b: jnp.where(single, a, b), Edge(mean, zero, zero), edge)

    strength = jnp.where(positive, here.strength, 0)
    return found._replace(
        edge=or_single(found.edge),
        even=or_single(found.even),
        lower=jnp.where(single, mean, found.lower),
        outlier=jnp.where(single, mean + strength, found.outlier),
        by_strength=jnp.where(single, one, found.by_strength),
        is_outlier=jnp.where(single, positive, found.is_outlier),
    )
