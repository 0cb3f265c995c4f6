"""Where a finite hidden width puts λ_max on given inputs (theory.md section 7, derived).

The outputs' kernel Θ of a finite network is that of the wide limit plus noise δ. Between two
eigenvectors it repels their eigenvalues; along the first it tells networks, and outputs, apart.
"""

from dataclasses import replace
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from meanfield.numerics.estimates import Estimate, mean_of
from meanfield.spec.network import Network
from meanfield.spec.norms import SAMPLES, Norm
from meanfield.theory.given_inputs.passage import Pair, Passage
from meanfield.theory.given_inputs.unit_noise import Noise, sample_noise
from meanfield.theory.norms import centred, kernel_changes
from meanfield.theory.outputs import Deviations

WORK = 3 * 10**7  # entries of matrices to be passed through layers, for all sampled units together
FEWEST, MOST = 32, 400  # units per layer that are
UNITS = 1000  # per layer, for what need not be passed on


class Displaced(NamedTuple):
    """λ_max at a finite width.

    Attributes:
        ratio: One output's mean λ_max over the wide limit's, with the sampled units' error.
        is_edge: Whether nothing stands clear of the spread that the width causes.
        varies: How λ_max deviates from it, from network to network and between outputs.
        apart_error: The relative error of how far outputs are apart, by the sampled units.
    """

    ratio: Estimate
    is_edge: bool
    varies: Deviations
    apart_error: float


def displaced(network: Network, passages: list[Passage], output: Pair, seed: int) -> Displaced:
    """λ_max = z(max(λ_1, x*)),   z(x) = x + Σ_{j>1} c_j/(x − λ_j),   z'(x*) = 0.

    c_j = E (v_jᵀ δ v_1)², over the units of all layers, and over all outputs that the second
    factor may belong to, for the eigenpairs (λ_j, v_j) of the wide limit.

    Args:
        network: With the inputs' dimension.
        passages: Its hidden layers.
        output: S and K of its outputs.
        seed: Of the units.
    """
    norm = _without_sample_division(network.norm_records[-1])
    # K itself is the change of K that leaves S alone.
    theta = kernel_changes(norm, output[0], output[1], np.zeros_like(output[0]), output[1])[1]
    T = len(theta)
    eigenvalues, basis = np.linalg.eigh(theta / T)
    eigenvalues, basis = eigenvalues[::-1], basis[:, ::-1]
    if not passages or eigenvalues[0] <= 0:
        return Displaced(Estimate(1.0, 0.0), False, Deviations(*jnp.zeros(4)), 0.0)
    noises, v = sample_noise(passages, norm, output, UNITS, seed), basis[:, 0]
    forwards, backwards = _changes(noises, norm, output, v)
    squares = ((forwards + backwards) @ basis / T) ** 2
    for noise in noises:
        between = noise.between(v) / T
        if norm.centre is SAMPLES:
            between -= between.mean(axis=1, keepdims=True)
        squares = squares + (network.outputs - 1) * ((between @ basis) ** 2).mean(axis=0)
    ratio, is_edge = _place(eigenvalues, squares)
    return Displaced(ratio, is_edge, *_deviations(noises, forwards @ v, v, T * eigenvalues[0]))


def _without_sample_division(norm: Norm) -> Norm:
    """What of the last norm is not random: its outputs' own variance is sampled by the readout."""
    return replace(norm, divide=None) if norm.divide is SAMPLES else norm


def _place(eigenvalues: np.ndarray, squares: np.ndarray) -> tuple[Estimate, bool]:
    """λ_max/λ_1, from samples × T of (v_jᵀ δ v_1)², and whether it is an edge."""
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
    return Estimate(1 + distance / first + repelled.value, repelled.sem), is_edge


def _changes(
    noises: list[Noise], norm: Norm, output: Pair, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """T δ v for samples of δ, each made of one unit of every layer: samples × T.

    First of what units pass on forwards, then of what they send backwards.
    """
    T = len(v)
    count = int(np.clip(WORK // (len(noises) * T**2), FEWEST, MOST))
    forwards, backwards = np.empty((2, count, T))
    for index in range(count):
        dS, dK = noises[0].forwards(index)
        for noise in noises[1:]:
            dS, dK = noise.passage.changes(dS, dK)
            own = noise.forwards(index)
            dS, dK = dS + own[0], dK + own[1]
        forwards[index] = kernel_changes(norm, *output, dS, dK)[1] @ v
        sent = np.sum([noise.backwards(index) for noise in noises], axis=0)
        backwards[index] = (centred(sent) if norm.centre is SAMPLES else sent) @ v
    return forwards, backwards


def _deviations(
    noises: list[Noise], forwards: np.ndarray, v: np.ndarray, scale: float
) -> tuple[Deviations, float]:
    """From v_1ᵀ δ v_1 of one output, of another, and between them, in units of `scale`.

    Also the relative error of the square root of what is between.
    """
    count = len(forwards)
    every = np.array([noise.along(v) for noise in noises]) / scale  # layers × 3 × units
    matrices = (every[:, 2] ** 2).mean(axis=1)
    between = mean_of((every[:, 2] ** 2).sum(axis=0))
    own = ((every[:, 0] - every[:, 1]) ** 2).mean() * len(noises) / 2
    first, second = forwards / scale + every[:, :2, :count].sum(axis=0)
    shared = max((first * second).mean(), 0.0)
    found = shared, matrices.sum(), own - 2 * matrices.sum(), matrices[-1]
    return Deviations(*map(jnp.asarray, found)), between.relative / 2 if between.value else 0.0
