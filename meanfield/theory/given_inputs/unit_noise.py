"""What single units of the hidden layers add to the outputs' kernel (theory.md section 7, derived).

A layer's kernels are means over M_l units, each with its own field and backward signal.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from meanfield.gaussian.averages import value_and_slope
from meanfield.spec.activations import Activation
from meanfield.spec.norms import UNITS, Norm
from meanfield.theory.given_inputs.batch_fields import matrix_root
from meanfield.theory.given_inputs.passage import Pair, Passage
from meanfield.theory.norms import sample_factors


class Noise(NamedTuple):
    """Sampled units of one layer.

    Attributes:
        passage: The layer.
        fields: u of each over the samples, units × T.
        values: φ(u), units × T.
        signals: φ'(u) times the unit's backward signal, for two outputs: 2 × units × T.
        covariance: The mean of a signal's products, T×T.
        lifts: E[φ'(u_s) φ(u_t)], T×T: how φ φᵀ changes where all units' fields do alike.
    """

    passage: Passage
    fields: np.ndarray
    values: np.ndarray
    signals: np.ndarray
    covariance: np.ndarray
    lifts: np.ndarray

    @property
    def scale(self) -> float:
        """1/√M_l: what it takes for one unit's deviations to be of the size of the layer's."""
        return float(self.passage.layer.width) ** -0.5

    def forwards(self, index: int) -> Pair:
        """The share of a unit in the next layer's kernels, times √M_l."""
        values = self.values[index]
        products = np.outer(values, values) - self.passage.values
        if self.passage.norm.centre is UNITS:  # it takes the units' mean from every field
            lifted = self.fields[index][:, None] * self.lifts
            products -= lifted + lifted.T
        own = self.passage.advanced(products, 0.0)
        taken = self.passage.normalized(self.fields[index])
        return self.scale * (own[0] + taken[0]), self.scale * (own[1] + taken[1])

    def backwards(self, index: int) -> np.ndarray:
        """Its share in the outputs' kernel by what it sends on, times √M_l."""
        signals = self.signals[0, index]
        return self.scale * (np.outer(signals, signals) - self.covariance) * self.passage.after[1]

    def between(self, v: np.ndarray) -> np.ndarray:
        """The same of every unit between two outputs, applied to v: units × T."""
        there, here = self.signals
        return self.scale * there * ((here * v) @ self.passage.after[1])

    def along(self, v: np.ndarray) -> np.ndarray:
        """vᵀ(…)v of it: of one output, of the other and between them, 3 × units."""
        first, second = self.signals * v
        K = self.passage.after[1]
        mean = v @ (self.covariance * K) @ v
        pulled = first @ K
        own = (pulled * first).sum(axis=1) - mean, ((second @ K) * second).sum(axis=1) - mean
        return self.scale * np.array([*own, (pulled * second).sum(axis=1)])


def sample_noise(
    passages: list[Passage], norm: Norm, output: Pair, count: int, seed: int
) -> list[Noise]:
    """So many units of every hidden layer.

    Args:
        passages: The hidden layers.
        norm: What of the last norm acts on the kernel.
        output: S and K of the outputs.
        count: How many units of each.
        seed: Of the sample.
    """
    rng = np.random.default_rng(seed)
    covariances = _backward(passages, norm, output)
    return [
        _sample(passage, covariance, count, rng)
        for passage, covariance in zip(passages, covariances, strict=True)
    ]


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

    def fields(of: np.ndarray, *shape: int) -> np.ndarray:
        return rng.standard_normal((*shape, len(of))) @ matrix_root(of).T

    u = fields(passage.after[0], count)
    values, slopes = map(np.asarray, _value_and_slope(passage.activation, u))
    signals = slopes * fields(covariance, 2, count)
    lifts = slopes.T @ values / count
    return Noise(passage, u, values, signals, covariance * passage.slopes, lifts)


@partial(jax.jit, static_argnums=0)
def _value_and_slope(activation: Activation, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    return value_and_slope(activation, u)
