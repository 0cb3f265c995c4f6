"""The trace and second moment by random probes, outside the span of the leading eigenvectors.

A single outlier would spoil the estimates. Where a surrogate S of F* is known, the probes only see
the difference,

    tr F* = tr S + E[zᵀ(F* − S)z],      tr F*² = tr S² + E[|F* z|² − |S z|²].
"""

from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.sampling.dual_matrix import DualMatrix


@partial(jax.jit, static_argnames=("size", "number", "dtype"))
def random_signs(size: int, number: int, dtype: str, key: jax.Array) -> jax.Array:
    """Random signs, one probe per row."""
    return stochtrace().sampler_signs(jnp.zeros(size, dtype), num=number)(key)


def outside_moments(
    product: Callable[[np.ndarray], jax.Array],
    basis: np.ndarray,
    probes: np.ndarray,
    surrogate: DualMatrix | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates of tr F and tr F² outside the span of `basis`, and their standard errors.

    With z random signs, P the projection and S the surrogate (or 0):
    tr PF = tr PS + E[zᵀP(F − S)Pz], tr (PF)² = tr (PS)² + E[|PFPz|² − |PSPz|²].
    """

    def project(v):
        return v - basis @ (basis.T @ v)

    def images(product):
        # One product at a time: a batch of them would hold as many sets of gradients.
        return np.stack([project(np.asarray(product(project(z))).ravel()) for z in probes])

    ours = images(product)
    if surrogate is None:
        return _estimate(probes, ours)
    theirs = images(surrogate.product)
    differences = ours - theirs
    across = [project(np.asarray(surrogate.product(d)).ravel()) for d in differences]
    estimates = _estimate(probes, ours)[0] - _estimate(probes, theirs)[0]
    return estimates + _known_outside(surrogate, basis), _error_bounds(differences, across)


def _known_outside(surrogate: DualMatrix, basis: np.ndarray) -> np.ndarray:
    """tr PS = tr S − tr VᵀSV and tr (PS)² = tr S² − 2 |SV|² + |VᵀSV|², V the basis."""
    images = np.stack([np.asarray(surrogate.product(v)).ravel() for v in basis.T], axis=1)
    inside = basis.T @ images
    squares = -2 * np.sum(images**2, dtype=np.float64) + np.sum(inside**2, dtype=np.float64)
    trace = float(surrogate.trace) - np.trace(inside, dtype=np.float64)
    return np.array([trace, float(surrogate.trace_squared) + squares])


def _error_bounds(differences: np.ndarray, across: Sequence[np.ndarray]) -> np.ndarray:
    """Standard errors of both estimates, from above, from Dz and SDz with D = P(F − S)P.

    Few probes say little by their spread. But Var zᵀAz ≤ 2 |A|² = 2 E|Az|² for symmetric A; here
    A is D, and then SD + DS + D², of norm at most 2 |SD| + |D|².                     [derived]
    """
    square = np.sum(np.square(differences, dtype=np.float64)) / len(differences)
    cross = np.sum(np.square(across, dtype=np.float64)) / len(differences)
    return np.sqrt(2 / len(differences)) * np.array([np.sqrt(square), 2 * np.sqrt(cross) + square])


@jax.jit
def _estimate(probes: jax.Array, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Means over probes of zᵀAz and |Az|², from z and Az, and their standard errors."""
    library = stochtrace()
    integrands = library.monte_carlo_trace(), library.monte_carlo_frobeniusnorm_squared()

    def both(_, pair):
        probe, image = pair
        return jnp.stack([f(lambda _: image, probe) for f in integrands])

    pairs = tuple(a.astype(jnp.float64) for a in (probes, images))
    return library.estimator_monte_carlo_mean_and_sem(both, lambda _: pairs)(None, None)


def stochtrace() -> ModuleType:
    """Matfree's module, imported on first use: no other method needs the extra."""
    from matfree import stochtrace

    return stochtrace
