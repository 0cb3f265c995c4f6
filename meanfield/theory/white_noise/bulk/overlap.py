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
from meanfield.theory.white_noise.bulk.units import Bulk


class _Response(NamedTuple):
    """How a hidden layer's coordinates respond, to those below it and for r_by_r to that above."""

    p_by_p: jax.Array
    p_by_v: jax.Array
    v_by_p: jax.Array
    v_by_v: jax.Array
    r_by_p: jax.Array
    r_by_v: jax.Array
    r_by_r: jax.Array


class Counts(NamedTuple):
    """By what noise counts in a.

    Attributes:
        noise: That of p_l, ν_{l+1}/σ_w² and r_l of every hidden layer: layers × 3.
        inputs: That of ν_1, the inputs' own.
    """

    noise: jax.Array
    inputs: jax.Array


def counts_of(bulk: Bulk, features: Features) -> Counts:
    """By what every source of noise counts in a.

        a = Σ_l [ q̃^l_st M_{l−1} p_{l−1} + (M_{l−1} q̂^{l−1}_st + 1) r_l ],     p_0 = r_L = 0

    Only the layers above the last norm over samples count: below it gradients have no mean.
    """
    w, response = bulk.weight_var, _responses(bulk, features)
    mixed_above = jnp.cumsum(jnp.append(features.mixes, 0.0)[::-1])[::-1] > 0
    on_p = jnp.where(mixed_above[1:], 0, bulk.theta[1:] * bulk.widths[1:])
    on_r = jnp.where(mixed_above[:-1], 0, bulk.eta[1:])

    def up(below, layer):  # r_l counts by itself and through r_{l−1}
        own, passes = layer
        total = own + below
        return passes * total, total

    r_counts = jax.lax.scan(up, jnp.zeros_like(w), (on_r, response.r_by_r))[1]

    def down(above, layer):
        p_above, v_above = above
        own, r, by = layer
        p = own + p_above
        below = (
            by.p_by_p * p + by.v_by_p * v_above + by.r_by_p * r,
            by.p_by_v * p + by.v_by_v * v_above + by.r_by_v * r,
        )
        return below, jnp.stack([p, w * v_above, r])

    nothing = jnp.zeros_like(w), jnp.zeros_like(w)
    (_, inputs), noise = jax.lax.scan(down, nothing, (on_p, r_counts, response), reverse=True)
    return Counts(noise, inputs)


def overlap_variance(bulk: Bulk, features: Features, counts: Counts) -> jax.Array:
    """Var_s(a), from sample to sample."""
    noise = _noise_of_samples(bulk, features)
    own = jnp.einsum("li,lij,lj->", counts.noise, noise, counts.noise)
    return own + counts.inputs**2 * 2 * bulk.weight_var**2 / bulk.widths[0]


def strength_variance(bulk: Bulk, features: Features, counts: Counts) -> jax.Array:
    """Var(B), from network to network."""
    noise = _noise_of_networks(bulk, features)
    return 4 * jnp.einsum("li,lij,lj->", counts.noise, noise, counts.noise)


def between_outputs(bulk: Bulk, features: Features, counts: Counts) -> tuple[jax.Array, jax.Array]:
    """For two outputs: Var_s(ḡ·g'(s)), and Var(ḡ·ḡ') from network to network.

    They share all but the backward signals: only r_l differs, with two independent weights in
    place of one's square.
    """
    u, mean, back = features.averages, features.mean, _back(bulk, features)
    slope, square = u.slope**2, counts.noise[:, 2] ** 2 / bulk.widths[1:]
    above = features.scale**2 * bulk.weight_var * features.seen
    of_samples = back**2 * mean(slope * u.slope_variance)
    of_samples += back * above * mean(slope * (slope + u.slope_variance))
    return (square * of_samples).sum(), (square * back**2 * mean(slope**2)).sum()


def _responses(bulk: Bulk, features: Features) -> _Response:
    """p_l = σ_w² ⟨φ_1² + κφ_2⟩ p_{l−1} + ½ ⟨κφ_2⟩ ν_l + noise, and the like for ν and r.

    κ, φ_1, φ_2 and φ_3 are the means of φ and its derivatives at given ζ, over which ⟨⟩ averages.
    """
    u, w, mean = features.averages, bulk.weight_var, features.mean
    k, f1, f2, f3 = u.value, u.slope, u.curvature, u.third
    shared = features.scale**2 * (1 - features.mixes)  # a norm over samples takes it out
    back = _back(bulk, features)
    return _Response(
        p_by_p=shared * w * mean(f1**2 + k * f2),
        p_by_v=features.scale**2 * mean(k * f2) / 2,
        v_by_p=shared * w**2 * mean(u.by_mean),
        v_by_v=features.scale**2 * w * mean(u.by_variance),
        r_by_p=shared * back * w * mean(f2**2 + f1 * f3),
        r_by_v=features.scale**2 * back * mean(f1 * f3) / 2,
        r_by_r=features.scale**2 * w * mean(f1**2),
    )


def _back(bulk: Bulk, features: Features) -> jax.Array:
    """s² σ_w² q̃^{l+1}_st."""
    return features.scale**2 * bulk.weight_var * features.later


def _noise_of_samples(bulk: Bulk, features: Features) -> jax.Array:
    """Covariances over samples of the noise in p, ν/σ_w² and r: layers × 3 × 3."""
    u, mean, back = features.averages, features.mean, _back(bulk, features)
    k, f1 = u.value, u.slope
    above = features.scale**2 * bulk.weight_var * features.seen
    r = 3 * back**2 * mean(f1**2 * u.slope_variance)
    r += back * above * mean(f1**2 * (f1**2 + u.slope_variance))
    p, v, pv = mean(k**2 * u.value_variance), mean(u.square_variance), mean(k * u.cube)
    pr, vr = back * mean(k * f1 * u.covariance), back * mean(f1 * u.slope_square)
    return _symmetric(p, v, r, pv, pr, vr) / bulk.widths[1:, None, None]


def _noise_of_networks(bulk: Bulk, features: Features) -> jax.Array:
    """Covariances over networks of the noise in q̂_st/2, ĝ and q̃_st/2: layers × 3 × 3.

    A layer has M_l units, each with its own ζ, and with a backward weight whose square is χ²_1.
    """
    u, mean, back = features.averages, features.mean, _back(bulk, features)
    square, spread, slope = u.value**2, u.value_variance, u.slope**2
    covariance = lambda x, y: mean(x * y) - mean(x) * mean(y)  # noqa: E731
    r = back**2 * (3 * mean(slope**2) - mean(slope) ** 2) / 4
    p, v, pv = (
        covariance(square, square) / 4,
        covariance(spread, spread),
        covariance(square, spread) / 2,
    )
    pr, vr = back * covariance(square, slope) / 4, back * covariance(spread, slope) / 2
    return _symmetric(p, v, r, pv, pr, vr) / bulk.widths[1:, None, None]


def _symmetric(p, v, r, pv, pr, vr) -> jax.Array:
    rows = jnp.stack([p, pv, pr]), jnp.stack([pv, v, vr]), jnp.stack([pr, vr, r])
    return jnp.moveaxis(jnp.stack(rows), -1, 0)
