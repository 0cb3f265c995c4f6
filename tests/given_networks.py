"""Networks on given inputs, and their recursion matrix by matrix."""

import numpy as np
import pytest

from meanfield import Network, predict

T, M_0 = 12, 6
X = np.random.default_rng(0).normal(size=(T, M_0)) * np.geomspace(2, 0.5, M_0)
FEW = {"fields": 100, "output_draws": 5}  # where not the numbers are looked at


def net(norm="none", activation="erf", **changes):
    """One network for most tests: JAX compiles for each activation and T."""
    default = {"widths": (M_0, 7, 9), "outputs": 6, "weight_var": 2.0, "bias_var": 0.3}
    return Network(norm=norm, activation=activation, **{**default, **changes})


def refused(said, network=None, inputs=X, **options):
    with pytest.raises(ValueError, match=said):
        predict(network or net(), inputs=inputs, **options)


def wide_limit(prediction):
    """λ_max without what the finite width adds."""
    return prediction.eigenvalue_max / (1 + prediction.finite_width_shift)


def orthogonal(samples, dimension):
    """Inputs with X Xᵀ/M_0 = I, white noise without its fluctuations."""
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(dimension, samples)))
    return np.sqrt(dimension) * q.T


def arc_cosine(S):
    """ReLU's averages of a covariance matrix (Cho & Saul 2009)."""
    root = np.sqrt(np.diag(S))
    angle = np.arccos(np.clip(S / np.outer(root, root), -1, 1))
    value = np.outer(root, root) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
    return value / (2 * np.pi), (np.pi - angle) / (2 * np.pi)


def arcsine(S):
    """Those of erf (Williams 1997)."""
    scale = np.outer(1 + 2 * np.diag(S), 1 + 2 * np.diag(S))
    return 2 / np.pi * np.arcsin(2 * S / np.sqrt(scale)), 4 / np.pi / np.sqrt(scale - 4 * S**2)


G = np.eye(T) - 1 / T

BY_HAND = {
    "none": lambda S, K: (S, K),
    "layer-mean": lambda S, K: (S, K),
    "mean": lambda S, K: (G @ S @ G, G @ K @ G),
    "layer": lambda S, K: tuple(M / np.sqrt(np.outer(np.diag(S), np.diag(S))) for M in (S, K)),
    "batch": lambda S, K: tuple(G @ M @ G / (np.trace(G @ S @ G) / T) for M in (S, K)),
}


def by_hand(network, x):
    """K̄^L of theory.md section 3, matrix by matrix."""
    averages = {"relu": arc_cosine, "erf": arcsine}[network.activation.name]
    inner = x @ x.T / x.shape[1]
    S, K = network.weight_var * inner + network.bias_var, network.widths[0] * inner + 1
    for name, width in zip(network.norms[:-1], network.widths[1:], strict=True):
        S, K = BY_HAND[name](S, K)
        Q, slope = averages(S)
        S = network.weight_var * Q + network.bias_var
        K = width * Q + 1 + network.weight_var * slope * K
    return BY_HAND[network.norms[-1]](S, K)[1]
