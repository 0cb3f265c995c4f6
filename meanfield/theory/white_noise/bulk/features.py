"""What the units of every hidden layer do, by their own mean (theory.md section 11).

Unit i of layer l has ū = m + s ũ(x), m = √q̄_st ζ with ζ ~ N(0, 1) drawn once per unit and ũ a
Gaussian over samples of variance g = ḡ/s².
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.shifted import ShiftedAverages
from meanfield.numerics.roots import root
from meanfield.spec.norms import SAMPLES, UNITS
from meanfield.theory.kernels import Exchangeable
from meanfield.theory.white_noise.recursion import Code, Numbers, Solution

MEANS = 24  # intervals between values of ζ: half as many move no edge by 1e-4
FARTHEST = 6.0  # exp(−FARTHEST²/2) = 2e-8


class Features(NamedTuple):
    """Of the hidden layers l = 1..L−1.

    Attributes:
        averages: Of φ and its derivatives, layers × values of ζ.
        probability: Of the values of ζ.
        scale: s.
        gap, cross: ḡ and q̄_st, after the norm.
        mixes: 1 where Norm_l is over samples, else 0.
        fixes: 1 where it divides every unit by its own variance over samples, else 0.
        centres, divides: 1 where Norm_l centres, and where it divides, over units, else 0.
        theta: q̃^l_st of every layer, l = 1..L.
        own, seen: g̃^l = |D̃_l|², and g̃^{l+1} as layer l sees it.
    """

    averages: ShiftedAverages
    probability: jax.Array
    scale: jax.Array
    gap: jax.Array
    cross: jax.Array
    mixes: jax.Array
    fixes: jax.Array
    centres: jax.Array
    divides: jax.Array
    theta: jax.Array
    own: jax.Array
    seen: jax.Array

    @property
    def later(self) -> jax.Array:
        """q̃^{l+1}_st."""
        return self.theta[1:]

    def mean(self, values: jax.Array) -> jax.Array:
        """Over ζ, of every layer."""
        return (self.probability * values).sum(1)


def features_of(code: Code, numbers: Numbers, solution: Solution) -> Features:
    """The features, from the solved recursion; backward ones before a division in the last layer.

    g̃^l = s² σ_w² ( q̃^{l+1}_st (E E[φ'²] − E p²) + g̃^{l+1} E E[φ'²] ),     g̃^L = 0

    with p = E[φ'] at given ζ. A norm over samples takes g̃^{l+1} away from layer l.
    """

    def of_norms(values: list[bool]) -> jax.Array:  # of those of the hidden layers, 0 or 1
        return jnp.asarray(values, float)[numbers.hidden_norms]

    mixes = of_norms([norm.mixes_samples for norm in code.hidden])
    fixes = of_norms([norm.divide is SAMPLES for norm in code.hidden])
    centres = of_norms([norm.centre is UNITS for norm in code.hidden])
    divides = of_norms([norm.divide is UNITS for norm in code.hidden])
    scale, gap, cross = _normalized(solution.layers.S, mixes > 0, fixes > 0, divides > 0)
    zeta, probability = jax.vmap(_means)(gap, cross)
    averages = code.activation.quadrature.shifted_averages
    u = jax.vmap(averages)(root(cross)[:, None] * zeta, gap)
    # below a norm over samples an odd φ' leaves a share of −1/T, which is none
    theta = jnp.maximum(solution.backward.cross / solution.backward.same[-1], 0)
    square = scale**2 * numbers.weight_var
    spread = square * theta[1:] * (probability * u.slope_variance).sum(1)
    passed = square * (probability * (u.slope_variance + u.slope**2)).sum(1)
    seen = _seen(spread, passed, jnp.append(mixes, 1.0)[1:])
    own = spread + passed * seen
    return Features(
        averages=u,
        probability=probability,
        scale=scale,
        gap=gap,
        cross=cross,
        mixes=mixes,
        fixes=fixes,
        centres=centres,
        divides=divides,
        theta=theta,
        own=own,
        seen=seen,
    )


def _normalized(
    S: Exchangeable, mixes: jax.Array, fixes: jax.Array, divides: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """s, ḡ and q̄_st of every hidden layer; the last is 0 after a norm over samples."""
    same = jnp.where(mixes, S.gap, S.same)
    variance = jnp.where(fixes, S.gap, jnp.where(divides, same, 1.0))
    cross = jnp.where(mixes, 0.0, jnp.maximum(S.cross, 0) / variance)
    return variance**-0.5, S.gap / variance, cross


def _means(gap: jax.Array, cross: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Values of ζ and their probabilities.

    By the trapezoid rule in y of ζ = ρ sinh y. Features change with m = √q̄_st ζ within
    max(√ḡ, 1) of 0: there the values are close.
    """
    near = jnp.maximum(jnp.sqrt(gap), 1) / jnp.sqrt(jnp.maximum(cross, 1e-300))
    rho = jax.lax.stop_gradient(jnp.clip(near, 1e-6, FARTHEST))
    y = jnp.arcsinh(FARTHEST / rho) * np.linspace(-1, 1, MEANS + 1)
    zeta = rho * jnp.sinh(y)
    weight = jnp.exp(-(zeta**2) / 2) * jnp.cosh(y)
    return zeta, weight / weight.sum()


def _seen(spread: jax.Array, passed: jax.Array, cut: jax.Array) -> jax.Array:
    """g̃^{l+1} as layer l sees it: 0 where a norm over samples is in between."""

    def step(above, layer):
        own, factor, cut = layer
        seen = above * (1 - cut)
        return own + factor * seen, seen

    return jax.lax.scan(step, jnp.zeros_like(spread).sum(), (spread, passed, cut), reverse=True)[1]
