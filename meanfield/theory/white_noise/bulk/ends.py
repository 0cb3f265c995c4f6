"""Where the spectrum of a network ends, and its largest eigenvalue (theory.md section 11)."""

import math
from statistics import NormalDist
from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.spec.norms import SAMPLES
from meanfield.theory.norms import kernels
from meanfield.theory.white_noise.bulk.features import Features, features_of
from meanfield.theory.white_noise.bulk.largest import Largest, largest
from meanfield.theory.white_noise.bulk.overlap import variances_of
from meanfield.theory.white_noise.bulk.spread import edge_variance, factors_of
from meanfield.theory.white_noise.bulk.tracy_widom import MEAN, QUANTILES
from meanfield.theory.white_noise.bulk.units import Bulk, bulk_of
from meanfield.theory.white_noise.readout import Readout
from meanfield.theory.white_noise.recursion import Code, Numbers, Solution

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
        deviation: The standard deviation of λ_max from network to network by what all eigenvalues
            share, relative to λ_max.
        error: The edge's relative error.
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
    error: jax.Array


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
        error=unknown,
    )


class Premises(NamedTuple):
    """What the ends follow from: numbers only, so that all networks of a depth share a compilation.

    Attributes:
        numbers, solution, features, readout: Of the network.
        factor: By what a division in the last layer multiplies every eigenvalue.
        divides: 1 if that division is over samples, else 0.
        outputs: C.
    """

    numbers: Numbers
    solution: Solution
    features: Features
    readout: Readout
    factor: jax.Array
    divides: jax.Array
    outputs: jax.Array


def premises_of(code: Code, numbers: Numbers, solution: Solution, readout: Readout) -> Premises:
    """What the ends of a solved network follow from."""
    return Premises(
        numbers=jax.tree.map(jnp.asarray, numbers),
        solution=solution,
        features=features_of(code, numbers, solution),
        readout=readout,
        factor=division(code, solution),
        divides=jnp.asarray(float(code.last.divide is SAMPLES)),
        outputs=jnp.asarray(float(code.outputs)),
    )


class Situation(NamedTuple):
    """The bulk and what may stand out of it, before a division in the last layer.

    Attributes:
        bulk: The bulk.
        common: B.
        overlap: Var_s(a).
        common_variance: The relative variance of B from network to network.
    """

    bulk: Bulk
    common: jax.Array
    overlap: jax.Array
    common_variance: jax.Array

    @property
    def strength(self) -> jax.Array:
        """1/x_1 = B + Var_s(a)/B; 0 or less where nothing stands out."""
        return self.common + self.overlap / jnp.where(self.common > 0, self.common, 1)


def situation_of(given: Premises) -> Situation:
    """The bulk and what may stand out of it."""
    features = given.features
    bulk = bulk_of(given.numbers, given.solution, features, given.outputs)
    common = (given.readout.outlier - given.readout.bulk) / given.factor
    varies, positive = variances_of(bulk, features), common > 0
    return Situation(
        bulk=bulk,
        common=common,
        overlap=jnp.where(positive, varies.overlap, 0),
        common_variance=varies.strength / jnp.where(positive, common, 1) ** 2,
    )


def ends_of(given: Premises, all_of_it: bool) -> Ends:
    """The ends by the law, times what a division in the last layer does to every eigenvalue.

    tr F² = D ( λ_1² + (T − 1) (λ_2² + R'(0)) + 2 Var_s(a) ),     D the directions of the outputs
    """
    here, readout, factor = situation_of(given), given.readout, given.factor
    bulk = here.bulk
    found = _without_spread(here, largest(bulk, here.strength, all_of_it))
    factors, share = factors_of(bulk, given.features), 1 - found.by_top
    of_edge = edge_variance(factors, share, given.divides) / given.outputs
    directions, few = readout.outlier_multiplicity, bulk.samples / given.numbers.samples
    rest = bulk.samples - 1
    known = jnp.isfinite(found.variance) & jnp.isfinite(found.edge)
    spread = jnp.where(known, rest * found.variance, 0) + 2 * here.overlap
    edge = expected_edge(found, bulk.mean, directions * rest)
    top = factor * jnp.where(found.is_outlier, found.outlier, edge)
    return Ends(
        largest=jnp.where(known, top, jnp.maximum(readout.outlier, readout.bulk)),
        trace_squared=readout.trace_squared + directions * factor**2 * spread,
        outlier=factor * found.outlier,
        is_outlier=found.is_outlier,
        variance=factor**2 * found.variance * few,
        edge=jnp.where(known, factor * found.edge, jnp.nan),
        lower=factor * found.lower * few,
        scale=factor * found.scale * jnp.where(few > 0, few, 0) ** (-2 / 3),
        deviation=jnp.sqrt(jnp.where(found.is_outlier, here.common_variance, of_edge)),
        error=found.error,
    )


def expected_edge(found: Largest, mean: jax.Array, count: jax.Array) -> jax.Array:
    """The expected largest of N eigenvalues of the bulk, never below their mean λ_2.

    E − 1.2065 σ N^{−2/3}, in which E − λ_2 loses 1/(4N) of itself: so few eigenvalues, down to a
    single one, come out right too.
    """
    inner = mean + (found.edge - mean) * jnp.sqrt(1 - 1 / (2 * count))
    return jnp.maximum(mean, inner + MEAN * found.scale * count ** (-2 / 3))


def largest_quantiles(ends: Ends, count: float) -> list[float]:
    """The 10, 50 and 90 % quantiles of one network's λ_max; of NumPy's numbers.

    What all eigenvalues share is a log-normal factor. At an edge Tracy–Widom comes on top, which is
    independent of it: the deviations from the mean are added in quadrature.

    Args:
        ends: With λ_max and its deviation.
        count: N, the number of the bulk's eigenvalues.
    """
    mean, shared = float(ends.largest), float(ends.deviation)
    own = 0.0 if ends.is_outlier else float(ends.scale) * count ** (-2 / 3)
    quantiles = []
    for p, tracy_widom in QUANTILES.items():
        factor = math.expm1(shared * NormalDist().inv_cdf(p) - shared**2 / 2) * mean
        edge = own * (tracy_widom - MEAN)
        far = math.copysign(math.hypot(factor, edge), p - 0.5)
        quantiles.append(mean + (factor + edge if p == 0.5 else far))
    return quantiles


def division(code: Code, solution: Solution) -> jax.Array:
    """By what the last norm multiplies the differences between samples."""
    before = solution.K.gap
    positive = before > 0
    after = kernels(code.last, solution.S, solution.K)[1].gap
    return jnp.where(positive, after / jnp.where(positive, before, 1), 1)


def _without_spread(here: Situation, found: Largest) -> Largest:
    """Where all eigenvalues of the bulk are the same, they are its ends: no search is needed."""
    mean, zero = here.bulk.mean, jnp.zeros_like(here.bulk.mean)
    single = found.variance <= NO_SPREAD * mean**2
    positive = here.common > 0
    return found._replace(
        edge=jnp.where(single, mean, found.edge),
        lower=jnp.where(single, mean, found.lower),
        scale=jnp.where(single, zero, found.scale),
        by_top=jnp.where(single, zero, found.by_top),
        outlier=jnp.where(single, mean + jnp.where(positive, here.strength, 0), found.outlier),
        is_outlier=jnp.where(single, positive, found.is_outlier),
    )
