"""How the coordinates of a hidden layer respond, and the noise it adds (theory.md section 11).

The coordinates are (p_l, ν_{l+1}/σ_w², r_l) from sample to sample and (q̂_st/2, ĝ, q̃_st/2) from
network to network. Both respond alike to what comes from below, to changes x of q̄_st/2 and y of ḡ.
A norm over units takes away what it makes the same for every sample: a shift c of all its units,
and the square τ of their length, relative to its mean,

    (x, y) → (x, y) − τ (q̄_st/2, ḡ),      δ̃ → (1 − τ/2) δ̃,      τ = 2 x + y + noise.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.theory.white_noise.bulk.features import Features
from meanfield.theory.white_noise.bulk.units import Bulk


class Response(NamedTuple):
    """Of the three coordinates of every hidden layer, layers × 3 where not said otherwise.

    Attributes:
        cross, gap: To x and to y, after the norm.
        shift: To c, which a norm that centres over units takes away; 0 without one.
        length: To τ, which one that divides over them takes away; 0 without one.
        above: Of r_l to r_{l+1}, one number per layer.
    """

    cross: jax.Array
    gap: jax.Array
    shift: jax.Array
    length: jax.Array
    above: jax.Array

    def to_p(self, bulk: Bulk, features: Features) -> jax.Array:
        """To p_{l−1}, which a norm over samples takes out: (x, y) = (s² σ_w² p_{l−1}, 0)."""
        shared = features.scale**2 * (1 - features.mixes)
        return (shared * bulk.weight_var)[:, None] * (self.cross - 2 * self.length)

    def to_v(self, features: Features) -> jax.Array:
        """To ν_l: (x, y) = (0, s² ν_l)."""
        return features.scale[:, None] ** 2 * (self.gap - self.length)

    def of_networks(self, features: Features) -> "Response":
        """From network to network a division over samples makes ḡ 1 in each of them."""
        return self._replace(gap=(1 - features.fixes)[:, None] * self.gap)


def response_of(bulk: Bulk, features: Features) -> Response:
    """The responses; κ, φ_1, φ_2 and φ_3 are the means of φ and its derivatives at given ζ.

    To x ⟨φ_1² + κφ_2⟩, to y ½ ⟨κφ_2⟩ and to c ⟨κφ_1⟩ for p, and the like for ν/σ_w² and r.
    """
    u, mean, back = features.averages, features.mean, _back(bulk, features)
    k, f1, f2, f3 = u.value, u.slope, u.curvature, u.third
    of_each = lambda p, v, r: jnp.stack([mean(p), mean(v), back * mean(r)], axis=1)  # noqa: E731
    cross = of_each(f1**2 + k * f2, u.by_mean, f2**2 + f1 * f3)
    gap = of_each(k * f2 / 2, u.by_variance, f1 * f3 / 2)
    shift = of_each(k * f1, 2 * u.covariance, f1 * f2)
    own = of_each(0 * k, 0 * k, f1**2 / 2)  # δ̃'s own factor
    length = features.cross[:, None] / 2 * cross + features.gap[:, None] * gap + own
    return Response(
        cross=cross,
        gap=gap,
        shift=features.centres[:, None] * shift,
        length=features.divides[:, None] * length,
        above=features.scale**2 * bulk.weight_var * mean(f1**2),
    )


def noise_of_samples(bulk: Bulk, features: Features, response: Response) -> jax.Array:
    """Covariances over samples of the noise in p, ν/σ_w² and r: layers × 3 × 3."""
    u, mean, back = features.averages, features.mean, _back(bulk, features)
    k, f1 = u.value, u.slope
    above = features.scale**2 * bulk.weight_var * features.seen
    r = 3 * back**2 * mean(f1**2 * u.slope_variance)
    r += back * above * mean(f1**2 * (f1**2 + u.slope_variance))
    p, v, pv = mean(k**2 * u.value_variance), mean(u.square_variance), mean(k * u.cube)
    pr, vr = back * mean(k * f1 * u.covariance), back * mean(f1 * u.slope_square)
    q, g = features.cross[:, None], features.gap[:, None]
    with_length = 2 * g * (q * response.cross + g * response.gap)
    noise = _symmetric(p, v, r, pv, pr, vr)
    left = _left(noise, response, g, with_length, 2 * g * (2 * q + g))
    return left / bulk.widths[1:, None, None]


def noise_of_networks(bulk: Bulk, features: Features, response: Response) -> jax.Array:
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
    q = features.cross[:, None]
    noise = _symmetric(p, v, r, pv, pr, vr)
    left = _left(noise, response, q, q**2 * response.cross, 2 * q**2)
    return left / bulk.widths[1:, None, None]


def noise_between_outputs(bulk: Bulk, features: Features) -> tuple[jax.Array, jax.Array]:
    """The variance of r_l between two outputs, over samples and over networks: one per layer.

    Outputs share all but their backward signals: two independent weights stand in place of one's
    square, and lengths and shifts, which all outputs have, take nothing away.
    """
    u, mean, back = features.averages, features.mean, _back(bulk, features)
    above = features.scale**2 * bulk.weight_var * features.seen
    slope = u.slope**2
    of_samples = back**2 * mean(slope * u.slope_variance)
    of_samples += back * above * mean(slope * (slope + u.slope_variance))
    widths = bulk.widths[1:]
    return of_samples / widths, back**2 * mean(slope**2) / widths


def _left(
    noise: jax.Array,
    response: Response,
    shift_variance: jax.Array,
    with_length: jax.Array,
    length_variance: jax.Array,
) -> jax.Array:
    """What a norm over units leaves of the noise f: the covariances of f − b c − S τ.

    b and S are the responses to c and τ; Cov(f, c) = b Var c by Stein's lemma, and c and τ are
    uncorrelated:

        N − b bᵀ Var c − S Cov(f, τ)ᵀ − Cov(f, τ) Sᵀ + S Sᵀ Var τ

    Args:
        noise: N, layers × 3 × 3.
        response: Of the layers.
        shift_variance, length_variance: M_l Var c and M_l Var τ.
        with_length: M_l Cov(f, τ).
    """
    b, S = response.shift, response.length
    outer = lambda x, y: x[:, :, None] * y[:, None, :]  # noqa: E731
    crossed = outer(S, with_length - length_variance * S / 2)
    return noise - outer(shift_variance * b, b) - crossed - jnp.swapaxes(crossed, 1, 2)


def _back(bulk: Bulk, features: Features) -> jax.Array:
    """s² σ_w² q̃^{l+1}_st."""
    return features.scale**2 * bulk.weight_var * features.later


def _symmetric(p, v, r, pv, pr, vr) -> jax.Array:
    rows = jnp.stack([p, pv, pr]), jnp.stack([pv, v, vr]), jnp.stack([pr, vr, r])
    return jnp.moveaxis(jnp.stack(rows), -1, 0)
