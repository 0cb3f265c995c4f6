"""What a finite width does to λ_max on given inputs: exact cases, and sampled networks."""

import numpy as np
import pytest

from meanfield import Network, load_data, predict, simulate
from meanfield.theory.given_inputs.finite_width import _place, displaced
from meanfield.theory.given_inputs.options import Options
from meanfield.theory.given_inputs.passage import Passage
from meanfield.theory.given_inputs.recursion import solve

T = 40


def gaussian_noise(spike, variance):
    """λ_max of a spike and T − 1 zeros with a GOE matrix of that variance."""
    squares = np.full((5, T), variance / (T - 1))
    return spike * _place(np.append(spike, np.zeros(T - 1)), squares).ratio


@pytest.mark.parametrize(("spike", "expected"), [(2.0, 2.5), (1.25, 2.05), (1.0, 2.0), (0.5, 2.0)])
def test_a_spike_in_a_semicircle(spike, expected):
    # Baik, Ben Arous & Péché: θ + 1/θ above 1, and from there on the edge 2.
    assert gaussian_noise(spike, 1.0) == pytest.approx(expected, rel=1e-9)


@pytest.mark.usefixtures("x64")
def test_a_linear_layer_is_an_estimated_covariance():
    # Θ is M times the Gram matrix of M random features, with eigenvalues M s_j: Lawley's
    # λ_1 (1 + (1/M) Σ_j s_j/(s_1 − s_j)), up to K^1's share and the two layers' biases.
    scales = np.geomspace(3, 0.3, 12)
    x = np.diag(np.sqrt(12) * scales)
    M = 4000
    network = Network(widths=(12, M), activation="linear")
    solution = solve(network, x, Options())
    S, K = (np.asarray(kernel.matrix) for kernel in solution.outputs[0])
    moved = displaced(network, solution.passages, (S, K), 0)
    s = scales**2
    expected = (s[1:] / (s[0] - s[1:])).sum() / M
    assert not moved.is_edge
    assert moved.ratio - 1 == pytest.approx(expected, abs=4 * moved.sem + 0.03 * expected)
    assert moved.sem < expected / 3


NETWORK = Network(
    depth=3, width=60, activation="erf", weight_var=3, bias_var=0.64, norm="mean@last"
)


def test_networks_have_what_is_predicted_and_not_the_wide_limit(monkeypatch):
    x = load_data("digits", 100)
    measured = simulate(NETWORK, inputs=x, draws=150, second_moment=False).eigenvalue_max
    p = predict(NETWORK, inputs=x)
    error = 3 * np.hypot(measured.sem, p.eigenvalue_max_sem) + 0.015 * measured.mean
    assert abs(p.eigenvalue_max - measured.mean) < error
    assert measured.mean - p.eigenvalues[0] > error
    # A unit's share in its own layer alone is not enough.
    monkeypatch.setattr(Passage, "changes", lambda self, dS, dK: (0 * dS, 0 * dK))
    assert measured.mean - predict(NETWORK, inputs=x).eigenvalue_max > error
