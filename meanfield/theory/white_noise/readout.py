"""Reading the FIM's spectrum off the kernels of the output layer (theory.md sections 4 and 6)."""

from math import lgamma
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.spec.norms import UNITS, Norm
from meanfield.theory.kernels import Exchangeable
from meanfield.theory.kinds import QUANTILES
from meanfield.theory.norms import kernels
from meanfield.theory.white_noise.recursion import Code, Solution

LEAST_OWN = 1e-30  # of the variance: what a sample has of its own, where it may be nothing


class Readout(NamedTuple):
    """What the output layer's kernels say of the FIM's spectrum.

    Attributes:
        diagonal, off_diagonal: A and B of theory.md section 4.
        trace, trace_squared: tr F and tr F².
        outlier: The eigenvalue λ_1 of the direction that all samples share.
        bulk: The mean λ_2 of the eigenvalues that are not outliers.
        outlier_multiplicity, bulk_multiplicity: How many eigenvalues each stands for.
        outlier_quantiles: The 10, 50 and 90 % quantiles of λ_1 over networks where it stays
            random as the width grows, else None.
    """

    diagonal: jax.Array
    off_diagonal: jax.Array
    trace: jax.Array
    trace_squared: jax.Array
    outlier: jax.Array
    bulk: jax.Array
    outlier_multiplicity: jax.Array
    bulk_multiplicity: jax.Array
    outlier_quantiles: jax.Array | None


def read(code: Code, solution: Solution) -> Readout:
    """The spectrum of a solved network, as its last norm asks for."""
    S, K = before_division(code.last, solution.S, solution.K)
    free = code.outputs - code.last.lost_directions
    if code.last.divide is UNITS:
        return read_normalized_outputs(S, K, code.outputs, free)
    return read_outputs(kernels(code.last, solution.S, solution.K)[1], free)


def before_division(
    norm: Norm, S: Exchangeable, K: Exchangeable
) -> tuple[Exchangeable, Exchangeable]:
    """(S, K) of the outputs, centred if the norm does it over samples."""
    return kernels(Norm(norm.name, norm.centre), S, K)


def two_eigenvalues(K: Exchangeable) -> tuple[jax.Array, jax.Array]:
    """λ_1 = (A + (T−1) B)/T and λ_2 = (A − B)/T (theory.md section 4).

    λ_1 is formed as A − (A − B)(1 − 1/T) and cut at zero, its value for a centred kernel.
    """
    outlier = jnp.maximum(K.same - K.gap * (1 - 1 / K.samples), 0)
    return outlier, K.gap / K.samples


def read_outputs(K: Exchangeable, dimensions: int) -> Readout:
    """The spectrum where `dimensions` directions of the output space each carry K/T.

        tr F = D A,   tr F² = D (λ_1² + (T−1) λ_2²)

    D is C, or C − 1 where the norm projects one direction away (theory.md sections 4 and 6).
    """
    outlier, bulk = two_eigenvalues(K)
    rest = K.samples - 1
    return Readout(
        diagonal=K.same,
        off_diagonal=K.cross,
        trace=dimensions * K.same,
        # (T−1) λ_2², written so that it has a limit and a derivative at T → ∞
        trace_squared=dimensions * (outlier**2 + K.gap**2 / K.samples * (1 - 1 / K.samples)),
        outlier=outlier,
        bulk=bulk,
        outlier_multiplicity=jnp.full_like(rest, dimensions),
        bulk_multiplicity=dimensions * rest,
        outlier_quantiles=None,
    )


def read_normalized_outputs(
    S: Exchangeable, K: Exchangeable, outputs: int, dimensions: int
) -> Readout:
    """The spectrum where each sample's C outputs are divided by their own spread.

    The n = `dimensions` outputs that are free before the division have covariance S and the
    tangent kernel K (theory.md section 6; s_λ and the bulk are derived in the same way):

        tr F  = A E[(n−1)/σ²],   σ² = |û|²/C,   E[1/σ²] = C/(q_t (n−2))
        tr F² = A²/T (n−1) E[1/σ⁴] + B² (T−1)/T E[(n−1) a⊥² + a∥²],  E[1/σ⁴] = C²/(q_t² (n−2)(n−4))
        λ_1   = E[a⊥] (A + (T−1) B)/T,   λ_2 = E[1/σ²] (A − B)/T

    A quantity whose mean diverges (n ≤ 2; for tr F² n ≤ 4) is infinite.
    """
    C, n, q = outputs, dimensions, S.same
    outlier, bulk = two_eigenvalues(K)
    inverse_variance = C / (q * (n - 2)) if n > 2 else jnp.inf * q
    inverse_square = C**2 / (q**2 * (n - 2) * (n - 4)) if n > 4 else jnp.inf * q
    log_radius, density = _radius_grid(n)
    across, along = _response(S, C, n, jnp.exp(log_radius))
    own = K.same**2 / K.samples * (n - 1) * inverse_square
    shared = K.cross**2 * (1 - 1 / K.samples) * (density * ((n - 1) * across**2 + along**2)).sum()
    from scipy.special import chdtri  # on first use: it takes as long to import as half of JAX

    radius_quantiles = jnp.asarray(chdtri(n, QUANTILES))
    at_quantiles = _response(S, C, n, radius_quantiles)[0] * outlier
    of_many = (density * across).sum() * outlier if n > 2 else jnp.inf * q
    single = K.samples == 1  # has no other sample to share anything with: A/σ² is all there is
    return Readout(
        diagonal=K.same,
        off_diagonal=K.cross,
        trace=K.same * (n - 1) * inverse_variance,
        trace_squared=own + shared,
        outlier=jnp.where(single, inverse_variance * K.same, of_many),
        bulk=jnp.where(single, 0.0, inverse_variance * bulk),
        outlier_multiplicity=jnp.full_like(q, n - 1),
        bulk_multiplicity=(n - 1) * (K.samples - 1),
        outlier_quantiles=jnp.where(single, K.same * C / (q * radius_quantiles), at_quantiles),
    )


def _radius_grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes log x and weights of a trapezoid rule for E[f(x)], x ~ χ²_n."""
    log_x = np.arange(-120.0, 9.0, 0.05)
    log_density = n / 2 * (log_x - np.log(2)) - np.exp(log_x) / 2 - lgamma(n / 2)
    return log_x, 0.05 * np.exp(log_density)


def _response(
    S: Exchangeable, outputs: int, n: int, radius_squared: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """a⊥ and a∥ given |ζ|²: E[H_t/σ_t² | ζ] across and along ζ (theory.md section 6).

    |û|² is noncentral χ² with noncentrality δ = p|ζ|²/g, p = max(q_st, 0), g = q_t − p. In its
    Poisson mixture the angle and the radius are independent, and E[s^{2j}] = e^{−δ(1−s²)/2} gives

        E_j[1/(n+2j−2)] = ∫_0^1 s^{n−3} e^{−δ(1−s²)/2} ds =: I_{n−3}
        a⊥ = (C/2g)(I_{n−3} + I_{n−1}),   a∥ = (C/2g)(n−1)(I_{n−3} − I_{n−1})        [derived]
    """
    if n < 3:  # the mean over the own part of û diverges whatever ζ is
        return jnp.full_like(radius_squared, jnp.inf), jnp.full_like(radius_squared, jnp.inf)
    common = jnp.maximum(S.cross, 0)
    own = jnp.where(S.cross > 0, jnp.maximum(S.gap, LEAST_OWN * S.same), S.same)
    strength = common * radius_squared[..., None] / own
    # The integrand lives within 80/δ of s = 1; x = 1 − s keeps that distance exact. Where the
    # nodes are put does not change the integral, so no derivative is taken through them.
    ratio = jnp.minimum(80 / jnp.maximum(jax.lax.stop_gradient(strength), 1e-300), 1)
    width = ratio / (1 + jnp.sqrt(1 - ratio))
    along_s = (1,) * jnp.ndim(radius_squared) + (-1,)
    nodes, weights = (v.reshape(along_s) for v in np.polynomial.legendre.leggauss(64))
    x = width * (nodes + 1) / 2
    density = width / 2 * weights * jnp.exp(-strength / 2 * x * (2 - x))
    s = 1 - x
    lower = s ** (n - 3)
    across = (density * lower * (1 + s**2)).sum(-1)
    along = (n - 1) * (density * lower * x * (2 - x)).sum(-1)
    return outputs / (2 * own) * across, outputs / (2 * own) * along
