"""The spectrum as JAX arrays: one compiled call from a network's numbers to it."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.spec.network import Network
from meanfield.theory.kernels import Source
from meanfield.theory.white_noise.readout import Readout, read
from meanfield.theory.white_noise.recursion import Code, Numbers, Solution, solve_both

# κ₂ below this fraction of κ₁ is rounding: cross kernels are differences of O(1) numbers.
VANISHING = 1e-12


class Spectrum(NamedTuple):
    """The predicted spectrum as JAX arrays, for transformations such as `vmap` and `grad`.

    Attributes:
        eigenvalue_mean: m_λ = tr F / P.
        eigenvalue_second_moment: s_λ = tr F² / P.
        eigenvalue_max: max(λ_1, λ_2).
        outlier, bulk: λ_1 and λ_2 (theory.md section 4).
        outlier_multiplicity, bulk_multiplicity: How many eigenvalues each stands for.
        kappa1, kappa2: A and B at T → ∞ without the bias block, divided by α M; NaN for a
            depth of 1, where α = 0.
    """

    eigenvalue_mean: jax.Array
    eigenvalue_second_moment: jax.Array
    eigenvalue_max: jax.Array
    outlier: jax.Array
    bulk: jax.Array
    outlier_multiplicity: jax.Array
    bulk_multiplicity: jax.Array
    kappa1: jax.Array
    kappa2: jax.Array


class Solved(NamedTuple):
    """A network at one sample count, solved and read.

    Attributes:
        solution: The recursion.
        readout: What the output layer says of the spectrum.
        spectrum: The spectrum.
    """

    solution: Solution
    readout: Readout
    spectrum: Spectrum

    @property
    def essentials(self) -> tuple[jax.Array, ...]:
        """What must stay finite for a spectrum to mean anything."""
        here, readout = self.solution, self.readout
        return (
            here.layers.S.same,
            here.S.same,
            readout.diagonal,
            readout.off_diagonal,
            here.backward.same,
        )


def spectrum(
    network: Network,
    samples: jax.Array | float,
    weight_var: jax.Array | None = None,
    bias_var: jax.Array | None = None,
) -> Spectrum:
    """The predicted spectrum as a transformable function of T, σ_w² and σ_b².

        m_λ = tr F / P,   s_λ = tr F² / P,   λ_max = max(λ_1, λ_2)      (theory.md sections 3–6)

    Can be jit-compiled, vmapped and differentiated; call it (and `grad` or `vmap` of it) inside
    `with jax.enable_x64(True):`. Divergent means are infinite here; `predict` explains them.

    Args:
        network: The spec; its variances are used where none are passed.
        samples: T, also as a traced number; infinity is the limit T → ∞.
        weight_var: σ_w².
        bias_var: σ_b².

    Raises:
        ValueError: 64-bit floats are not enabled.
    """
    return solve_network(network, samples, weight_var, bias_var).spectrum


def solve_network(
    network: Network,
    samples: jax.Array | float,
    weight_var: jax.Array | None = None,
    bias_var: jax.Array | None = None,
) -> Solved:
    """A network's spec solved, with its variances or other (traced) ones.

    Raises:
        ValueError: 64-bit floats are not enabled; the gaps need them.
    """
    if not jax.config.read("jax_enable_x64"):
        raise ValueError(
            "the theory needs 64-bit floats: call it inside `with jax.enable_x64(True):`"
        )
    numbers = Numbers.of(network, jnp.asarray(samples, jnp.float64))
    return solve_jointly(
        Code.of(network),
        numbers._replace(
            weight_var=jnp.asarray(network.weight_var if weight_var is None else weight_var, float),
            bias_var=jnp.asarray(network.bias_var if bias_var is None else bias_var, float),
        ),
    )


def solve(code: Code, source: Source, numbers: Numbers) -> Solved:
    """The recursion at T samples and its leading order, and the spectrum read off both."""
    here, leading = solve_both(code, source, numbers)
    readout, limit = read(code, here), read(code, leading)
    A, B, P = limit.diagonal, limit.off_diagonal, numbers.parameters
    found = Spectrum(
        eigenvalue_mean=readout.trace / P,
        eigenvalue_second_moment=readout.trace_squared / P,
        eigenvalue_max=jnp.maximum(readout.outlier, readout.bulk),
        outlier=readout.outlier,
        bulk=readout.bulk,
        outlier_multiplicity=readout.outlier_multiplicity,
        bulk_multiplicity=readout.bulk_multiplicity,
        kappa1=A / numbers.scale,
        kappa2=jnp.where(B > VANISHING * A, B, 0) / numbers.scale,
    )
    return Solved(here, readout, found)


@partial(jax.jit, static_argnames="code")
def solve_jointly(code: Code, numbers: Numbers) -> Solved:
    """`solve` by the activation's own averages, compiled."""
    return solve(code, code.activation, numbers)
