"""The density of the bulk's eigenvalues: the law at complex x (theory.md section 11).

At z = λ + i0 the solution of z = 1/x + R(x) has ρ(λ) = −Im x/π. It is followed from far above the
axis, where x = 1/(z − λ_2), down to it.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.spec.network import Network
from meanfield.theory.white_noise.bulk.features import features_of
from meanfield.theory.white_noise.bulk.law import law, start
from meanfield.theory.white_noise.bulk.situation import division
from meanfield.theory.white_noise.bulk.units import bulk_of
from meanfield.theory.white_noise.recursion import Code, Numbers, solve

POINTS = 128  # of an angle: λ = middle + half width · cos θ resolves the roots at both ends
HEIGHTS = np.concatenate([np.geomspace(10, 1e-3, 15), np.geomspace(1e-4, 1e-9, 6)])  # over E
STEPS = 4  # of Newton's method at every height


@dataclass(frozen=True)
class Density:
    """A density between two ends, with what is not in it at the lower one.

    Attributes:
        lower, edge: The ends.
        values: The density at θ = π (j + ½)/J, from the edge down.
    """

    lower: float
    edge: float
    values: np.ndarray

    @property
    def angles(self) -> np.ndarray:
        """θ."""
        return np.pi * (np.arange(len(self.values)) + 0.5) / len(self.values)

    def eigenvalues(self, angles: np.ndarray) -> np.ndarray:
        """λ at every θ."""
        return self._middle + self._half * np.cos(angles)

    def at(self, eigenvalue: np.ndarray) -> np.ndarray:
        """The density, 0 outside."""
        cosine = (eigenvalue - self._middle) / self._half
        angle = np.arccos(np.clip(cosine, -1, 1))
        shape = np.interp(angle, self.angles, self.values / np.sin(self.angles))
        return np.where(np.abs(cosine) < 1, shape * np.sin(angle), 0.0)

    def quantile(self, p: np.ndarray) -> np.ndarray:
        """The eigenvalue below which the share p lies."""
        places = self.eigenvalues(np.linspace(0, np.pi, 4097))
        steps = -np.diff(places) * (self.at(places)[1:] + self.at(places)[:-1]) / 2
        # what is missing in the end is at the lower end
        below = 1 - np.append(0.0, np.cumsum(steps))
        return np.interp(p, below[::-1], places[::-1], left=self.lower)

    @property
    def _middle(self) -> float:
        return (self.edge + self.lower) / 2

    @property
    def _half(self) -> float:
        return (self.edge - self.lower) / 2


def density_of(network: Network, samples: int, lower: float, edge: float) -> Density:
    """The density between the ends; called with 64-bit floats enabled."""
    density = Density(lower, edge, np.zeros(POINTS))
    if edge <= lower:
        return density
    numbers = Numbers.of(network, float(samples))
    places = density.eigenvalues(density.angles)
    values = jax.device_get(_densities(Code.of(network), numbers, places, edge))
    return Density(lower, edge, np.maximum(values, 0))


@partial(jax.jit, static_argnames="code")
def _densities(code: Code, numbers: Numbers, places: jax.Array, edge: jax.Array) -> jax.Array:
    solution = solve(code, code.activation, numbers, jnp.ones(()))
    bulk = bulk_of(
        numbers, solution, features_of(code, numbers, solution), jnp.asarray(float(code.outputs))
    )
    factor = division(code, solution)

    def down(place):
        def improve(at, z):
            x, state = at
            here = law(bulk, x, state)
            change = (z - 1 / x - here.transform) / (here.slope - x**-2)
            new = x + change, state + here.step + here.tangent * change
            usable = jnp.isfinite(new[0]) & (new[0].imag < 0) & jnp.isfinite(new[1]).all()
            return jax.tree.map(lambda a, b: jnp.where(usable, a, b), new, at), None

        z = (place + 1j * HEIGHTS * edge) / factor
        first = 1 / (z[0] - bulk.mean), start(bulk).astype(complex)
        (x, _), _ = jax.lax.scan(improve, first, jnp.repeat(z, STEPS))
        return -x.imag / jnp.pi / factor

    return jax.lax.map(down, places, batch_size=16)
