"""Where a finite hidden width puts λ_max on given inputs (theory.md section 7, derived).

A layer's kernels are means over M_l units, each with its own field and backward signal. What a
single unit adds is passed on to the outputs' kernel as a small change: Θ becomes Θ + δ, and δ
repels its eigenvalues.
"""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.numerics.estimates import mean_of
from meanfield.spec.network import Network
from meanfield.spec.norms import SAMPLES, Norm
from meanfield.theory.given_inputs.batch_fields import matrix_root
from meanfield.theory.given_inputs.passage import Pair, Passage
from meanfield.theory.norms import centred, kernel_changes, sample_factors

WORK = 3 * 10**7  # entries of matrices to be passed through layers, for all sampled units together
FEWEST, MOST = 32, 400  # units per layer


class Noise(NamedTuple):
    """Sampled units of one layer.

    Attributes:
        values: φ(u) of each over the samples, units × T.
        signals: φ'(u) times its backward signal, units × T.
        signal_covariance: The mean of the signals' products, T×T.
    """

    values: np.ndarray
    signals: np.ndarray
    signal_covariance: np.ndarray

    def of_unit(self, index: int, passage: Passage) -> tuple[Pair, np.ndarray]:
        """Its share in the next layer's kernels, and, by what it sends on, in the outputs'."""
        values, signals, scale = (
            self.values[index],
            self.signals[index],
            float(passage.layer.width) ** -0.5,
        )
        own = passage.advanced(scale * (np.outer(values, values) - passage.values), 0.0)
        spread = np.outer(signals, signals) - self.signal_covariance
        return own, scale * spread * passage.after[1]


class Displaced(NamedTuple):
    """λ_max at a finite width, relative to the wide limit's.

    Attributes:
        ratio, sem: Of the two, with the standard error of the sampled units.
        is_edge: Whether nothing stands clear of the spread that the width causes.
    """

    ratio: float
    sem: float
    is_edge: bool


def displaced(network: Network, passages: list[Passage], output: Pair, seed: int) -> Displaced:
    """λ_max = z(max(λ_1, x*)),   z(x) = x + Σ_{j>1} c_j/(x − λ_j),   z'(x*) = 0.

    c_j = E (v_jᵀ δ v_1)², over the units of all layers, for the eigenpairs (λ_j, v_j) of the wide
    limit.

    Args:
        network: With the inputs' dimension.
        passages: Its hidden layers.
        output: S and K of its outputs.
        seed: Of the units.
    """
    norm = _without_sample_division(network.norm_records[-1])
    # K itself is the change of K that leaves S alone.
    theta = kernel_changes(norm, output[0], output[1], np.zeros_like(output[0]), output[1])[1]
    eigenvalues, basis = np.linalg.eigh(theta / len(theta))
    eigenvalues, basis = eigenvalues[::-1], basis[:, ::-1]
    if not passages or len(theta) == 1 or eigenvalues[0] <= 0:
        return Displaced(1.0, 0.0, False)
    changes = _changes(passages, norm, output, basis[:, 0], np.random.default_rng(seed))
    return _place(eigenvalues, (changes @ basis / len(theta)) ** 2)


def _without_sample_division(norm: Norm) -> Norm:
    """What of the last norm is not random: its outputs' own variance is sampled by the readout."""
    return replace(norm, divide=None) if norm.divide is SAMPLES else norm


def _place(eigenvalues: np.ndarray, squares: np.ndarray) -> Displaced:
    """From the eigenvalues and the samples of (v_jᵀ δ v_1)², samples × T."""
    from scipy.optimize import brentq  # on first use: importing takes time

    first, others, squares = eigenvalues[0], eigenvalues[1:], squares[:, 1:]
    mean = squares.mean(axis=0)

    # Of two equal eigenvalues the terms are infinite: they count as rounding's distance apart.
    below = np.maximum(first - others, 1e-12 * first)

    def steepness(distance):  # −z'(x) − 1 at so far above λ_1
        return (mean / (distance + below) ** 2).sum() - 1

    is_edge = bool(steepness(0.0) > 0)
    distance = brentq(steepness, 0.0, 2 * mean.sum() ** 0.5) if is_edge else 0.0
    repelled = mean_of((squares / (distance + below)).sum(axis=1) / first)
    return Displaced(1 + distance / first + repelled.value, repelled.sem, is_edge)


def _changes(
    passages: list[Passage], norm: Norm, output: Pair, v: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """δ v for samples of δ, each made of one unit of every layer: samples × T."""
    T = len(v)
    count = int(np.clip(WORK // (len(passages) * T**2), FEWEST, MOST))
    noises = [
        _sample(passage, signals, count, rng)
        for passage, signals in zip(passages, _backward(passages, norm, output), strict=True)
    ]
    found = np.empty((count, T))
    for index in range(count):
        dS = dK = reached = np.zeros((T, T))
        for passage, noise in zip(passages, noises, strict=True):
            if passage is not passages[0]:
                dS, dK = passage.changes(dS, dK)
            own, spread = noise.of_unit(index, passage)
            dS, dK, reached = dS + own[0], dK + own[1], reached + spread
        dK = kernel_changes(norm, *output, dS, dK)[1]
        found[index] = (dK + (centred(reached) if norm.centre is SAMPLES else reached)) @ v
    return found


def _backward(passages: list[Passage], norm: Norm, output: Pair) -> list[np.ndarray]:
    """σ_w² times the covariance over samples of the gradients by u^{l+1}, for every hidden layer.

    Centring over samples in between is left out: of T directions it takes one.
    """
    r = sample_factors(norm, output[0])
    above, found = np.outer(r, r), []
    for passage in reversed(passages):
        found.append(float(passage.layer.weight_var) * above)
        above = passage.backward(found[-1])
    return found[::-1]


def _sample(
    passage: Passage, covariance: np.ndarray, count: int, rng: np.random.Generator
) -> Noise:
    """Units with fields u ~ N(0, S̄) and, independently, gradients by what they send on."""

    def fields(of: np.ndarray) -> jax.Array:
        root = matrix_root(jnp.asarray(of))
        return jnp.asarray(rng.standard_normal((count, len(of)))) @ root.T

    u = fields(passage.after[0])
    values, slopes = jax.jvp(passage.activation, (u,), (jnp.ones_like(u),))
    signals = slopes * fields(covariance)
    return Noise(np.asarray(values), np.asarray(signals), covariance * passage.slopes)
