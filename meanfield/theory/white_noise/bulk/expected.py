"""λ_max as expected at finite sizes, and how it spreads (theory.md section 11, derived)."""

import math
from statistics import NormalDist
from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.theory.white_noise.bulk.largest import Edge, Largest
from meanfield.theory.white_noise.bulk.situation import Premises, Situation
from meanfield.theory.white_noise.bulk.spread import edge_deviations
from meanfield.theory.white_noise.bulk.tracy_widom import MEAN, QUANTILES


class Expected(NamedTuple):
    """λ_max at finite sizes.

    Attributes:
        place: Its mean over networks.
        variance: Its relative variance by what many eigenvalues share.
        scale: By what Tracy–Widom's law is multiplied; 0 for an outlier.
    """

    place: jax.Array
    variance: jax.Array
    scale: jax.Array


def expected_largest(given: Premises, here: Situation, found: Largest) -> Expected:
    """The largest of what there is: an outlier, the edge of all outputs, that of the largest one.

    The bulk of C outputs has one edge while they are alike. In a finite network what they do not
    share takes them apart, and then the largest of C edges counts, each of T − 1 eigenvalues. That
    is known of an even bulk only: a unit of large backward weight is no output's own.
    """
    outlier = _outlier(given, here, found)
    together, apart = _together(given, here, found.edge), _apart(given, here, found.even)
    splits = (given.of_outputs.outputs > 1) & (apart.place > together.place)
    edge = _either(splits, apart, together)
    return _either(found.is_outlier & ~(outlier.place < edge.place), outlier, edge)


def _outlier(given: Premises, here: Situation, found: Largest) -> Expected:
    """The largest of C outliers, whose strengths differ; z is almost linear in them."""
    shift, variance = here.common_varies.largest(given.of_outputs)
    place = found.outlier + found.by_strength * here.common * shift
    return Expected(place, variance, jnp.zeros_like(place))


def _together(given: Premises, here: Situation, edge: Edge) -> Expected:
    """The edge of all outputs, which spreads as the mean of theirs."""
    outputs, count = given.of_outputs.outputs, here.bulk.samples - 1
    one = edge_deviations(here.factors, edge.by_weights, given.divides)
    variance = one.shared + (one.own + 2 * one.matrix) / outputs
    place = expected_edge(edge, here.bulk.mean, outputs * count)
    return Expected(place, variance, edge.scale * (outputs * count) ** (-2 / 3))


def _apart(given: Premises, here: Situation, edge: Edge) -> Expected:
    """The largest of C edges."""
    count = here.bulk.samples - 1
    varies = edge_deviations(here.factors, edge.by_weights, given.divides)
    shift, variance = varies.largest(given.of_outputs)
    place = expected_edge(edge, here.bulk.mean, count) * (1 + shift)
    return Expected(place, variance, edge.scale * (1 + shift) * count ** (-2 / 3))


def _either(condition: jax.Array, yes: Expected, no: Expected) -> Expected:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def expected_edge(edge: Edge, mean: jax.Array, count: jax.Array) -> jax.Array:
    """The expected largest of N eigenvalues of a bulk, never below their mean λ_2.

    E − 1.2065 σ N^{−2/3}, in which E − λ_2 loses 1/(4N) of itself: so few eigenvalues, down to a
    single one, come out right too.
    """
    inner = mean + (edge.place - mean) * jnp.sqrt(1 - 1 / (2 * count))
    return jnp.maximum(mean, inner + MEAN * edge.scale * count ** (-2 / 3))


def largest_quantiles(mean: float, deviation: float, scale: float) -> list[float]:
    """The 10, 50 and 90 % quantiles of one network's λ_max.

    What many eigenvalues share is a log-normal factor. At an edge Tracy–Widom comes on top, which
    is independent of it: the deviations from the mean are added in quadrature, those below it in
    the logarithm. There a width of few units knows no Gaussian deviations, but zero for certain.

    Args:
        mean: λ_max.
        deviation: Its relative standard deviation by what many eigenvalues share.
        scale: By what Tracy–Widom's law is multiplied.
    """
    low, middle, high = (
        (deviation * NormalDist().inv_cdf(p) - deviation**2 / 2, scale * (law - MEAN) / mean)
        for p, law in QUANTILES.items()
    )
    above = math.hypot(math.expm1(high[0]), high[1])
    return [mean * math.exp(-math.hypot(*low)), mean * math.exp(sum(middle)), mean * (1 + above)]
