"""What a norm is: one small piece that the sampler and the theory both ask."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.theory.given_inputs.readout import GivenReadout
from meanfield.theory.kernels import Exchangeable, Full
from meanfield.theory.white_noise.readout import Readout


def unit_factor(S: Exchangeable) -> jax.Array:
    """r = 1."""
    return jnp.ones_like(S.same)


def no_flaw(*_) -> str | None:
    """Nothing to say, whatever the network."""
    return None


@dataclass(frozen=True)
class Norm:
    """A normalization of pre-activations (theory.md section 1).

    To add one, build a record in a file of its own and list it in `meanfield.norms.NORMS`.

    Attributes:
        name: The name in a network's spec.
        batch: ū for a T×M batch of pre-activations u: what a network does.
        kernels: (S, K) of u → (S̄, K̄) of ū: what the theory says of it (theory.md section 3).
        chain_factor: S → r, by which the norm multiplies the backward order parameter q̃.
        output_chain_factor: S → q̃^L when the norm acts on the output layer: the chain's start.
        readout: (S, K, C) of the output layer → the spectrum (theory.md sections 4 to 6).
        read_given: (S, K, C, vectors, draws, rng) of the output layer on given inputs → the
            spectrum (theory.md section 7).
        sample_largest: (S, K, C, draws, rng) → draws of λ_max at finite T, where the readout's is
            a slowly approached limit of T → ∞; else None.
        mixes_samples: Whether one sample's output depends on the other samples.
        batch_held: `batch` with its statistics over samples held constant in derivatives; none
            where it has no such statistics.
        min_samples: The fewest samples for which the norm and its theory exist.
        few_samples: Below this many samples the theory's error in a hidden layer needs a note.
        width_flaw: M → why nothing is left of a layer of M units, if so.
        divergence: C → what has no finite mean over networks with C normalized outputs, if so.
        division_flaw: (σ_w², σ_b²) → why the norm divides by zero there, if it does.
        given_kernels: `kernels` on given inputs, where those differ.
        average_over_fields: (S, K, φ, fields, key) → E[φ φᵀ] and E[φ' φ'ᵀ ∘ K̄], where given
            inputs leave the normalized field of a hidden layer random; else None.
    """

    name: str
    batch: Callable[[jax.Array], jax.Array]
    kernels: Callable[[Exchangeable, Exchangeable], tuple[Exchangeable, Exchangeable]]
    chain_factor: Callable[[Exchangeable], jax.Array]
    output_chain_factor: Callable[[Exchangeable], jax.Array]
    readout: Callable[[Exchangeable, Exchangeable, int], Readout]
    read_given: Callable[[Full, Full, int, int, int, np.random.Generator], GivenReadout]
    sample_largest: (
        Callable[[Exchangeable, Exchangeable, int, int, np.random.Generator], np.ndarray] | None
    ) = None
    mixes_samples: bool = False
    batch_held: Callable[[jax.Array], jax.Array] | None = None
    min_samples: int = 1
    few_samples: int = 1
    width_flaw: Callable[[int], str | None] = no_flaw
    divergence: Callable[[int], str | None] = no_flaw
    division_flaw: Callable[[float, float], str | None] = no_flaw
    given_kernels: Callable[[Full, Full], tuple[Full, Full]] | None = None
    average_over_fields: (
        Callable[[Full, Full, Callable, int, jax.Array], tuple[Full, Full]] | None
    ) = None

    @property
    def held(self) -> Callable[[jax.Array], jax.Array]:
        """`batch`, its derivative that of one sample at a time."""
        return self.batch_held or self.batch
