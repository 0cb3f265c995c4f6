"""Predictions on given inputs: finite networks, their errors and the printed table."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from given_networks import FEW, M_0, T, X, by_hand, net, orthogonal, wide_limit
from problems import RELU, TANH

from meanfield import Network, load_data, predict, simulate
from meanfield.theory.given_inputs.options import Options
from meanfield.theory.given_inputs.predict import _read
from meanfield.theory.kernels import Full, pair_means
from meanfield.theory.kinds import Kind


@pytest.fixture(scope="module")
def digits():
    return load_data("digits", 300, keep_constant=True)


@pytest.mark.parametrize("norm", ["none", "mean@last"])
def test_a_single_layer_is_the_finite_network_itself(norm):
    network = net(norm, widths=(M_0,), outputs=2)
    p, measured = predict(network, inputs=X), simulate(network, inputs=X, precision="float64")
    for name in ("eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment"):
        draws = getattr(measured, name).draws
        np.testing.assert_allclose(draws, getattr(p, name), rtol=1e-9)  # Lanczos' tolerance
    assert p.finite_width_shift == 0
    assert p.eigenvalue_max_kind is Kind.OUTLIER
    assert p.eigenvalue_max_sem is None


@pytest.mark.parametrize("norm", ["layer@last", "rms@last"])
def test_the_trace_under_normalized_outputs_is_the_exchangeable_one(norm):
    network = net(norm, widths=(30, 40, 50))
    given, iid = predict(network, inputs=orthogonal(T, 30), **FEW), predict(network, T)
    assert given.eigenvalue_mean == pytest.approx(iid.eigenvalue_mean, rel=1e-10)
    assert given.eigenvalue_max_multiplicity == iid.eigenvalue_max_multiplicity


def test_the_error_of_sampled_fields_is_their_scatter():
    network = net("batch@hidden", "relu", outputs=1)
    runs = [predict(network, inputs=X, seed=s, fields=16 * T) for s in range(24)]
    values, sems = np.transpose([(p.eigenvalue_max, p.eigenvalue_max_sem) for p in runs])
    scatter = values.std(ddof=1)
    # Of 24 values: 15 %; of 24 jackknives of 4: 9 %.
    assert np.sqrt((sems**2).mean()) == pytest.approx(scatter, rel=0.6)
    many = predict(network, inputs=X, seed=99, fields=1000 * T)
    error = np.hypot(scatter / 24**0.5, many.eigenvalue_max_sem)
    assert abs(values.mean() - many.eigenvalue_max) < 4 * error


@pytest.mark.usefixtures("x64")
def test_the_jackknife_takes_the_bias_of_noisy_replicas_off():
    # K = 4 I + ½ 11ᵀ has λ_1 = 10 and else 4. Noise of variance s² raises the λ_1 of the mean of 4
    # by (T − 1) s²/(4 · 6), which is 0.165.
    rng, s, repeats = np.random.default_rng(0), 0.6, 300
    K = 4 * np.eye(T) + 0.5
    options = Options(fields=1)
    naive, corrected, sems = [], [], []
    for _ in range(repeats):
        noise = s / 2**0.5 * rng.normal(size=(4, T, T))
        replicas = [Full.from_matrix(jnp.asarray(K + e + e.T)) for e in noise]
        readout, sem = _read(net(), [(kernel, kernel) for kernel in replicas], options)
        naive.append(T * readout.eigenvalues[0])
        corrected.append(T * readout.largest[0])
        sems.append(T * sem)
    error = np.std(corrected) / repeats**0.5
    assert np.mean(naive) - 10 == pytest.approx(0.165, abs=4 * error)
    assert np.mean(naive) - 10 > 5 * error
    assert abs(np.mean(corrected) - 10) < 4 * error
    # sem² of 4 replicas scatters by 80 %, and by 5 % on average
    assert np.mean(np.square(sems)) == pytest.approx(np.var(corrected), rel=0.3)


def test_the_kind_says_whether_anything_stands_clear(digits):
    p = predict(Network(depth=3, width=500, **RELU), inputs=digits)
    assert p.eigenvalue_max_kind is Kind.OUTLIER
    assert p.network.widths == (64, 500, 500)
    assert "above the wide limit's" in " ".join(p.notes)
    assert "is an edge" not in " ".join(p.notes)
    noise = np.random.default_rng(0).normal(size=(100, 100))
    p = predict(Network(depth=3, width=100, norm="mean@last", **RELU), inputs=noise)
    assert p.eigenvalue_max_kind is Kind.BULK_EDGE
    assert "is an edge" in " ".join(p.notes)


# theory.md section 7: setting, norm, λ_max, tr F, tolerance of λ_max.
TABLE = [
    (RELU, "none", 431, 1169, 0.02),
    (RELU, "mean@last", 138, 806, 0.02),
    (RELU, "mean@hidden", 169, 812, 0.02),
    (RELU, "batch@hidden", 95, 563, 0.02),
    (RELU, "layer@hidden", 196, 507, 0.02),
    (TANH, "none", 145, 605, 0.02),
    (TANH, "mean@last", 39.3, 462, 0.02),
    (TANH, "layer@hidden", 121, 368, 0.02),
]


def assert_row(digits, setting, norm, largest, trace, tolerance):
    network = Network(widths=(64, 500, 500), norm=norm, **setting)
    p = predict(network, inputs=digits, fields=1200)
    sampling = 2 * p.eigenvalue_max_sem  # 1.4 % for ReLU at these fields
    assert abs(wide_limit(p) - largest) <= tolerance * largest + sampling
    assert p.eigenvalue_mean * p.parameters == pytest.approx(trace, rel=0.01)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]['activation']} {row[1]}")
def test_predictions_on_digits_are_those_in_print(digits, row):
    assert_row(digits, *row)


def test_a_wrong_recursion_is_not_that_in_print(digits, monkeypatch):
    def hadamard(self, other):  # without the differences of the diagonals
        gap = pair_means(self.same) * other.gap + self.gap * other.matrix
        return replace(self, same=self.same * other.same, gap=gap)

    def centred(self):  # without the mean of all
        return replace(self, same=2 * self.gap.mean(axis=1))

    def no_hadamard(self, other):
        return other

    for name, wrong, row in (
        ("hadamard", no_hadamard, TABLE[0]),
        ("centred", centred, TABLE[2]),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(Full, name, wrong)
            with pytest.raises(AssertionError):
                assert_row(digits, *row)
    # The table cannot see the differences of the diagonals, ReLU's Φ having none; matrices can.
    with monkeypatch.context() as patched:
        patched.setattr(Full, "hadamard", hadamard)
        p = predict(net("none", "erf"), inputs=X)
    right = np.linalg.eigvalsh(by_hand(net("none", "erf"), X) / T)[-1]
    assert abs(wide_limit(p) / right - 1) > 1e-3
