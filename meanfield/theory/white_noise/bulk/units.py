"""The kinds of units of every layer, as what each adds to the law (theory.md section 11).

The forward and backward signals of unit i of layer l are, as random features of the samples,

    h̃_i = a ũ_i + noise,      δ̃_i = s [γ (c ũ_i + noise') + p v_i + noise''],

with γ² ~ (σ_w² q̃^{l+1}_st/M_l) χ²_C. The inputs are a layer of units that are noise alone.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.shifted import ShiftedAverages
from meanfield.theory.white_noise.bulk.features import Features
from meanfield.theory.white_noise.recursion import Numbers, Solution

COEFFICIENTS = 10
FORWARD = np.arange(COEFFICIENTS) < 3  # those without a backward signal: 1, α, β
INPUTS = np.eye(COEFFICIENTS)[[0, 2]].sum(0)
MOST_SAMPLES = 1e4  # per unit of the widest layer: the edge is at its limit then, to 1e-4


class Units(NamedTuple):
    """The kinds of units of every layer, the inputs first, each as what it adds to the law.

    A kind stands for a share of the layer's units, each in one of its C directions. With U, V, t^d
    and t^h of theory.md section 11 (B and N are its 2×2 matrices, c and c' coefficients)

        det(I − B t) = 1 − t^h (α U + β x) − t^d (ε U + κ V + ν x)
                         + t^h t^d (α κ U V + μ U x + β κ V x + ρ x²)

    Attributes:
        coefficients: layers × kinds × (1, α, β, ε, κ, ν, α κ, μ, β κ, ρ).
        weight: layers × kinds: their shares, which sum to 1 in every layer.
    """

    coefficients: jax.Array
    weight: jax.Array


class Bulk(NamedTuple):
    """What the law rests on; per layer 0..L−1 where not said otherwise.

    Attributes:
        units: Of every layer.
        theta: T θ = q̃^{l+1}_st, what H̃_l weighs by itself.
        eta: T η = M_{l−1} q̂^{l−1}_st + 1, what D̃_l weighs by itself; 0 where there is no D̃: in
            the inputs and at a norm over samples.
        sees_below: 1 where the layer below passes the weight of its D̃ on to this layer, else 0.
        sees_above: 1 where this layer sees fluctuations v of the layer above it, else 0.
        rest: r, what adds to every eigenvalue.
        mean: λ_2.
        widths: M_0..M_{L−1}.
        samples: T, or as many as stand for infinity.
        weight_var: σ_w².
    """

    units: Units
    theta: jax.Array
    eta: jax.Array
    sees_below: jax.Array
    sees_above: jax.Array
    rest: jax.Array
    mean: jax.Array
    widths: jax.Array
    samples: jax.Array
    weight_var: jax.Array


def bulk_of(numbers: Numbers, solution: Solution, features: Features, outputs: jax.Array) -> Bulk:
    """The kinds of units and the weights of their Gram matrices.

    All is as it is before a division in the last layer, which multiplies every eigenvalue.

    Args:
        numbers, solution: The network's, solved.
        features: Of its hidden layers.
        outputs: C.
    """
    f, C, w = features, outputs, jnp.asarray(numbers.weight_var)
    widths = jnp.asarray(numbers.widths)
    T = jnp.minimum(numbers.samples, MOST_SAMPLES * widths.max())
    q_hat = jnp.append(0.0, solution.layers.Q.cross)
    # as the features have it: after a norm over samples that of the recursion differs by 1/T
    q_hat_gap = jnp.append(1.0, f.mean(f.averages.value_variance))
    eta = jnp.where(f.mixes > 0, 0.0, widths[:-1] * q_hat[:-1] + 1)
    gathered = (f.theta * widths * q_hat_gap).sum() + (eta * f.own).sum()
    weights = jnp.asarray(numbers.backward_weights)
    squares, shares = weights[:, 0], weights[:, 1]
    squares = squares * (w * f.later / widths[1:])[:, None]
    kinds = _kinds(f, w * q_hat_gap[:-1], squares, w * f.seen / widths[1:], C)
    coefficients, weight = _rows(kinds, f.probability, shares, C)
    return Bulk(
        units=Units(_below_inputs(coefficients), _even(weight)),
        theta=f.theta,
        eta=jnp.append(0.0, eta),
        sees_below=jnp.append(0.0, 1 - f.mixes),
        sees_above=jnp.append(0.0, 1 - jnp.append(f.mixes, 1.0)[1:]),
        rest=(solution.K.gap - gathered) / T,
        mean=solution.K.gap / T,
        widths=widths,
        samples=T,
        weight_var=w,
    )


def _kinds(
    features: Features, gap: jax.Array, squares: jax.Array, above: jax.Array, outputs: jax.Array
) -> jax.Array:
    """The coefficients of units in the direction of their backward weights.

    Args:
        features: Of the hidden layers.
        gap: g, the variance of ũ.
        squares: γ², layers × its values.
        above: σ_w² g̃^{l+1}/M_l.
        outputs: C; noise'' and v count C times.

    Returns:
        layers × values of ζ × values of γ × coefficients.
    """
    s, gap, above = (x[:, None, None] for x in (features.scale, features.scale**2 * gap, above))
    u = ShiftedAverages(*(x[:, :, None] for x in features.averages))
    a, e, carried = s * u.slope, s**2 * u.curvature, outputs * (s * u.slope) ** 2  # e over γ
    N_11 = u.value_variance - u.slope**2 * gap
    N_12 = s * (u.covariance - u.slope * u.curvature * gap)  # over γ
    own = u.slope_variance - u.curvature**2 * gap
    square = squares[:, None, :]
    N_22 = s**2 * (square * own + outputs * u.slope_variance * above)
    mixed = a**2 * N_22 + square * (e**2 * N_11 - 2 * a * e * N_12)
    determinant = N_11 * N_22 - square * N_12**2
    alone = a**2, N_11, square * e**2, carried, N_22
    every = jnp.ones_like(a), *alone, a**2 * carried, mixed, carried * N_11, determinant
    return jnp.stack(jnp.broadcast_arrays(*every), axis=-1)


def _rows(
    kinds: jax.Array, probability: jax.Array, shares: jax.Array, outputs: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """All kinds in one row, and their shares; with those of the C − 1 other directions.

    Those have no backward signal, so that γ is the same to them.
    """
    C, weight = outputs, probability[:, :, None] * shares[:, None, :]
    shape = len(kinds), weight.shape[1] * weight.shape[2]
    flat = kinds.reshape(*shape, COEFFICIENTS)
    others = kinds[:, :, 0] * FORWARD[None, None, :]
    return (
        jnp.concatenate([flat, others], axis=1),
        jnp.concatenate([weight.reshape(shape) / C, probability * (1 - 1 / C)], axis=1),
    )


def _below_inputs(coefficients: jax.Array) -> jax.Array:
    """With the inputs below: white noise of variance 1, which has no backward signal."""
    shape = 1, *coefficients.shape[1:]
    return jnp.concatenate([jnp.broadcast_to(INPUTS, shape), coefficients])


def _even(weight: jax.Array) -> jax.Array:
    """With the inputs below, which are of one kind."""
    shape = 1, weight.shape[1]
    return jnp.concatenate([jnp.full(shape, 1 / shape[1]), weight])
