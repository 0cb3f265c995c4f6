"""What a finite width does to λ_max on given inputs: exact cases, and sampled networks."""

from dataclasses import replace

import numpy as np
import pytest
from given_networks import X

from meanfield import Network, load_data, predict, simulate
from meanfield.theory.given_inputs.finite_width import _place, displaced
from meanfield.theory.given_inputs.options import Options
from meanfield.theory.given_inputs.passage import Passage
from meanfield.theory.given_inputs.recursion import solve

T = 40


def gaussian_noise(spike, variance):
    """λ_max of a spike and T − 1 zeros with a GOE matrix of that variance."""
    squares = np.full((5, T), variance / (T - 1))
    return spike * _place(np.append(spike, np.zeros(T - 1)), squares)[0].value


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
    error = 4 * moved.ratio.sem + 0.03 * expected
    assert moved.ratio.value - 1 == pytest.approx(expected, abs=error)
    assert error < expected


NETWORK = Network(
    depth=3, width=60, outputs=4, activation="erf", weight_var=3, bias_var=0.64, norm="mean@last"
)


def measured_and_error(network, x, draws):
    """Networks' λ_max, the prediction, and three standard errors and 2 % of them."""
    measured = simulate(network, inputs=x, draws=draws, second_moment=False).eigenvalue_max
    p = predict(network, inputs=x)
    return measured, p, 3 * np.hypot(measured.sem, p.eigenvalue_max_sem) + 0.02 * measured.mean


def test_networks_have_what_is_predicted_and_not_the_wide_limit():
    x = load_data("digits", 100)
    measured, p, error = measured_and_error(NETWORK, x, 150)
    assert abs(p.eigenvalue_max - measured.mean) < error
    for name, at in (("10%", 0.1), ("90%", 0.9)):
        # A quantile's error is 1.7 times the mean's.
        there = np.quantile(measured.draws, at)
        assert abs(p.eigenvalue_max_quantiles[name] - there) < 1.7 * error
    assert measured.mean - p.eigenvalues[0] > 3 * error
    one = predict(replace(NETWORK, outputs=1), inputs=x).eigenvalue_max
    assert measured.mean - one > error


def test_a_share_in_the_own_layer_alone_is_not_enough(monkeypatch):
    x, network = load_data("digits", 100), replace(NETWORK, outputs=1)
    measured, p, error = measured_and_error(network, x, 300)
    assert abs(p.eigenvalue_max - measured.mean) < error
    monkeypatch.setattr(Passage, "changes", lambda self, dS, dK: (0 * dS, 0 * dK))
    assert measured.mean - predict(network, inputs=x).eigenvalue_max > error


def spread(norm):
    network = Network(widths=(6, 40, 40), activation="relu", weight_var=2.0, norm=norm)
    low, _, high = predict(network, inputs=X).eigenvalue_max_quantiles.values()
    return np.log(high / low)


def test_norms_over_units_take_what_all_samples_share():
    # theory.md section 7.4: of ReLU's spread layer norm takes the most, by the units' mean.
    plain, rms, layer = spread("none"), spread("rms@hidden"), spread("layer@hidden")
    assert layer < 0.5 * plain
    assert layer < 0.7 * rms < 0.7 * plain
