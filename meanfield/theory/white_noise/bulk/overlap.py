"""How B varies: from sample to sample, which moves the outlier, and from network to network.

The outlier lies at z(x_1) with x_1 ḡᵀ(I − x_1 Σ)^{-1} ḡ = 1, ḡ and Σ the mean and the covariance
over samples of the gradient of one output, |ḡ|² = B. To the next order (theory.md section 11,
derived)

    1/x_1 = B + Var_s(a)/B,     a(s) = ḡ·g(s) − B.

a is a sum of coordinates that all units of a layer share,

    p_l = h̄^l·h̃^l/M_l,     ν_{l+1} = σ_w² (|h̃^l|²/M_l − ĝ^l),     r_l = δ̄^l·δ̃^l,

each of which responds to those of the neighbouring layers and has noise of its own. From network
to network q̂_st/2, σ_w² ĝ and q̃_st/2 respond likewise, with another noise, and B changes by 2 a.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.theory.white_noise.bulk.features import Features
from meanfield.theory.white_noise.bulk.response import (
    Response,
    noise_between_outputs,
    noise_of_networks,
    noise_of_samples,
)
from meanfield.theory.white_noise.bulk.units import Bulk


class Counts(NamedTuple):
    """By what noise counts in a.

    Attributes:
        noise: That of p_l, ν_{l+1}/σ_w² and r_l of every hidden layer: layers × 3.
        inputs: That of ν_1, the inputs' own.
    """

    noise: jax.Array
    inputs: jax.Array


def counts_of(bulk: Bulk, features: Features, response: Response) -> Counts:
    """By what every source of noise counts in a.

        a = Σ_l [ q̃^l_st M_{l−1} p_{l−1} + (M_{l−1} q̂^{l−1}_st + 1) r_l ],     p_0 = r_L = 0

    Only the layers above the last norm over samples count: below it gradients have no mean.
    """
    w = bulk.weight_var
    mixed_above = jnp.cumsum(jnp.append(features.mixes, 0.0)[::-1])[::-1] > 0
    on_p = jnp.where(mixed_above[1:], 0, bulk.theta[1:] * bulk.widths[1:])
    on_r = jnp.where(mixed_above[:-1], 0, bulk.eta[1:])

    def up(below, layer):  # r_l counts by itself and through r_{l−1}
        own, passes = layer
        total = own + below
        return passes * total, total

    r_counts = jax.lax.scan(up, jnp.zeros_like(w), (on_r, response.above))[1]

    def down(above, layer):
        p_above, v_above = above
        own, r, to_p, to_v = layer
        counts = jnp.stack([own + p_above, w * v_above, r])
        return (to_p @ counts, to_v @ counts), counts

    nothing = jnp.zeros_like(w), jnp.zeros_like(w)
    layers = on_p, r_counts, response.to_p(bulk, features), response.to_v(features)
    (_, inputs), noise = jax.lax.scan(down, nothing, layers, reverse=True)
    return Counts(noise, inputs)


class Variances(NamedTuple):
    """How B varies.

    Attributes:
        overlap: Var_s(a), from sample to sample.
        strength: Var(B), from network to network.
        other_overlap, other_strength: Var_s(ḡ·g'(s)) and Var(ḡ·ḡ') between two outputs.
    """

    overlap: jax.Array
    strength: jax.Array
    other_overlap: jax.Array
    other_strength: jax.Array


def variances_of(bulk: Bulk, features: Features, response: Response) -> Variances:
    """The sums over all sources of noise, each by what it counts."""
    here = counts_of(bulk, features, response)
    between = counts_of(bulk, features, response.of_networks(features)).noise

    def summed(counts, noise):  # at 0 rounding has either sign
        return jnp.maximum(jnp.einsum("li,lij,lj->", counts, noise, counts), 0)

    by_r = here.noise[:, 2] ** 2
    others = noise_between_outputs(bulk, features)
    of_inputs = here.inputs**2 * 2 * bulk.weight_var**2 / bulk.widths[0]
    return Variances(
        overlap=summed(here.noise, noise_of_samples(bulk, features, response)) + of_inputs,
        strength=4 * summed(between, noise_of_networks(bulk, features, response)),
        other_overlap=(by_r * others[0]).sum(),
        other_strength=(by_r * others[1]).sum(),
    )
