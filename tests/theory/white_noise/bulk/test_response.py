"""What a norm over units leaves of a layer's responses and noise: drawn units, whole networks."""

from typing import NamedTuple

import jax
import numpy as np
import pytest
from bulk_networks import net, prepared
from jax.scipy.special import ndtr
from problems import RELU

from meanfield.theory.white_noise.bulk.ends import Situation, situation_of
from meanfield.theory.white_noise.bulk.response import (
    noise_of_networks,
    noise_of_samples,
    response_of,
)

pytestmark = pytest.mark.usefixtures("x64")

UNITS, DRAWS, SEED = 200, 4000, 1


class Found(NamedTuple):
    """What a network's premises say."""

    situation: Situation
    of_samples: np.ndarray
    of_networks: np.ndarray
    weights: np.ndarray  # Var log q̃^{L−1}_st


@jax.jit
def _found(given):
    here, features = situation_of(given), given.features
    response = response_of(here.bulk, features)
    return Found(
        situation=here,
        of_samples=noise_of_samples(here.bulk, features, response),
        of_networks=noise_of_networks(here.bulk, features, response),
        weights=here.factors.common + 2 * here.factors.matrix,
    )


def found(norms, width, **changes):
    """That of a ReLU network at T = M, and its features."""
    network = net({**RELU, **changes}, norm=None, norms=norms.split(), width=width)
    given = prepared(network, width).premises
    return jax.device_get((_found(given), given.features))


@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_lengths_that_the_next_norm_takes_away_may_as_well_be_divided_by(norm):
    # Without biases ReLU networks pass lengths on as they are. All but the biases' share is the
    # same then, which is 1/M of the rest.
    M = 10**5
    once, twice = (
        found(f"{first} {norm} none", M, bias_var=0.0)[0].situation for first in ("none", "rms")
    )
    assert once.common == pytest.approx(twice.common, rel=3 / M)
    assert once.overlap == pytest.approx(twice.overlap, rel=3 / M)
    assert once.common_varies.alone == pytest.approx(twice.common_varies.alone, rel=3 / M)


# The relative standard deviation of λ_max that `meanfield.simulate` measured over so many networks,
# at M = T (seeds 21 and 11).
MEASURED = [
    ("layer layer none", 300, 800, 0.0331),
    ("rms rms none", 300, 800, 0.0745),
    ("layer-mean layer-mean none", 300, 800, 0.0529),
    ("none layer none", 200, 200, 0.0414),
    ("none layer-mean none", 200, 200, 0.0754),
    ("none rms none", 200, 200, 0.0871),
    ("layer none none", 200, 200, 0.1008),
]


@pytest.mark.parametrize(("norms", "width", "networks", "measured"), MEASURED)
def test_an_outlier_spreads_as_in_networks(norms, width, networks, measured):
    deviation = np.sqrt(found(norms, width)[0].situation.common_varies.alone)
    assert deviation == pytest.approx(measured, rel=3 / np.sqrt(2 * networks))


@pytest.mark.parametrize(("first", "varies"), [("batch", False), ("mean", True)])
def test_what_is_divided_over_samples_comes_from_no_network(first, varies):
    # Units that are centred over samples have no ζ; so all that differs is their variance.
    here = found(f"none {first} none", 1600)[0].situation
    assert (here.common_varies.alone > 1e-5) == varies
    assert here.overlap > 1


def normalized(norm, u):
    """u after the norm, and by what it was divided, of units in rows."""
    if norm != "rms":
        u = u - u.mean(axis=1, keepdims=True)
    length = np.ones((len(u), 1))
    if norm != "layer-mean":
        length = np.sqrt((u**2).mean(axis=1, keepdims=True))
    return u / length, length


def relu_averages(m, g):
    """k, V and φ_1 at every mean."""
    root = np.sqrt(g)
    slope = np.asarray(ndtr(m / root))
    density = root * np.exp(-(m**2) / (2 * g)) / np.sqrt(2 * np.pi)
    value = m * slope + density
    return value, (m**2 + g) * slope + m * density - value**2, slope


def samples_of(norm, q, g, rng):
    """p, ν/σ_w² and r of one sample in each of many networks, r over s² σ_w² q̃."""
    zeta, z = rng.standard_normal((2, DRAWS, UNITS))
    m = normalized("layer", zeta)[0] * np.sqrt(q)  # no network differs from the others
    k, _, slope = relu_averages(m, g)
    u, length = normalized(norm, m + np.sqrt(g) * z)
    h, backward = np.maximum(u, 0) - k, (u > 0) / length
    squares = rng.standard_normal((DRAWS, UNITS)) ** 2
    return k * h, h**2, squares * slope * (backward - slope)


def networks_of(norm, q, g, rng):
    """q̂_st/2, ĝ and q̃_st/2 of many networks, the last over s² σ_w² q̃."""
    m, length = np.sqrt(q) * rng.standard_normal((DRAWS, UNITS)), np.ones((DRAWS, 1))
    if norm != "rms":
        m = m - m.mean(axis=1, keepdims=True)
    if norm != "layer-mean":
        length = np.sqrt((m**2).mean(axis=1, keepdims=True) + g)
    k, V, slope = relu_averages(m / length, g / length**2)
    squares = rng.standard_normal((DRAWS, UNITS)) ** 2
    return k**2 / 2, V, squares * (slope / length) ** 2 / 2


@pytest.mark.parametrize("norm", ["layer", "rms", "layer-mean"])
def test_the_noise_is_that_of_drawn_units(norm):
    M = 1600
    here, features = found(f"{norm} {norm} none", M)
    back = np.array([1, 1, RELU["weight_var"] * features.scale[-1] ** 2])
    cases = (here.of_samples[-1], samples_of), (here.of_networks[-1], networks_of)
    for noise, drawn in cases:
        expected = noise * M
        parts = drawn(norm, features.cross[-1], features.gap[-1], np.random.default_rng(SEED))
        means = np.array([part.mean(axis=1) for part in parts])
        measured = UNITS * np.cov(means) * np.outer(back, back)
        size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        # 4000 draws know a covariance to √(2/4000) = 0.022 of it, and 1/200 is left out
        np.testing.assert_allclose(measured / size, expected / size, atol=0.08)
    # the last case's q̃ is what an edge spreads by
    assert here.weights * M == pytest.approx(UNITS * np.var(np.log(means[2])), rel=0.08)
