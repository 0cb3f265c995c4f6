"""Predictions on given inputs: explicit matrices, white noise, symmetries and the printed table."""

import json
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from problems import RELU, TANH

from meanfield import Network, load_data, predict, simulate
from meanfield.spec.norms import NORMS
from meanfield.theory.given_inputs.options import Options
from meanfield.theory.given_inputs.predict import _read
from meanfield.theory.kernels import Full, pair_means
from meanfield.theory.kinds import Kind

T, M_0 = 12, 6
X = np.random.default_rng(0).normal(size=(T, M_0)) * np.geomspace(2, 0.5, M_0)
FEW = {"fields": 100, "output_draws": 5}  # where not the numbers are looked at


def net(norm="none", activation="erf", **changes):
    """One network for most tests: JAX compiles for each activation and T."""
    default = {"widths": (M_0, 7, 9), "outputs": 6, "weight_var": 2.0, "bias_var": 0.3}
    return Network(norm=norm, activation=activation, **{**default, **changes})


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


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize(
    "norm",
    ["none", "mean@last", "mean@1", "mean@all", "layer@1+mean@2", "batch@hidden", "layer-mean@2"],
)
def test_the_recursion_is_that_of_explicit_matrices(activation, norm):
    network = net(norm, activation)
    p = predict(network, inputs=X, batch_statistics="self-averaging", eigenvectors=3)
    matrix = by_hand(network, X) / T
    # arccos loses half of the digits at equal samples: 1e-8 of each diagonal
    rounding = 1e-7 if activation == "relu" else 1e-13
    expected = np.linalg.eigvalsh(matrix)[::-1]
    np.testing.assert_allclose(p.eigenvalues, expected, atol=rounding * expected[0])
    assert p.eigenvalue_max == p.eigenvalues[0]
    P = network.parameters
    assert p.eigenvalue_mean == pytest.approx(6 * np.trace(matrix) / P, rel=rounding)
    assert p.eigenvalue_second_moment == pytest.approx(6 * (matrix**2).sum() / P, rel=rounding)
    assert p.learning_rate_max == 2 / p.eigenvalue_max
    assert (p.samples, p.parameters, p.eigenvalue_max_multiplicity) == (T, P, 6)
    v = p.eigenvectors
    np.testing.assert_allclose(v.T @ v, np.eye(3), atol=1e-13)
    np.testing.assert_allclose(matrix @ v, v * p.eigenvalues[:3], atol=rounding * expected[0])


@pytest.mark.parametrize("norm", ["none", "mean@last"])
def test_a_single_layer_is_the_finite_network_itself(norm):
    network = net(norm, widths=(M_0,), outputs=2)
    p, measured = predict(network, inputs=X), simulate(network, inputs=X, precision="float64")
    for name in ("eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment"):
        draws = getattr(measured, name).draws
        np.testing.assert_allclose(draws, getattr(p, name), rtol=1e-9)  # Lanczos' tolerance
    assert p.finite_width_shift == 0
    assert p.eigenvalue_max_kind is Kind.WIDE_LIMIT


@pytest.fixture(scope="module")
def digits():
    return load_data("digits", 300, keep_constant=True)


def orthogonal(samples, dimension):
    """Inputs with X Xᵀ/M_0 = I, white noise without its fluctuations."""
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(dimension, samples)))
    return np.sqrt(dimension) * q.T


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize(
    "norm",
    ["none", "mean@last", "mean@hidden", "mean@all", "layer-mean@all", "layer@hidden", "rms@1"],
)
def test_orthogonal_inputs_give_the_exchangeable_prediction(activation, norm):
    network = net(norm, activation, widths=(30, 40, 50))
    given, iid = predict(network, inputs=orthogonal(T, 30)), predict(network, T)
    for name in ("eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment"):
        assert getattr(given, name) == pytest.approx(getattr(iid, name), rel=1e-10), name


@pytest.mark.parametrize("norm", ["layer@last", "rms@last"])
def test_the_trace_under_normalized_outputs_is_the_exchangeable_one(norm):
    network = net(norm, widths=(30, 40, 50))
    given, iid = predict(network, inputs=orthogonal(T, 30), **FEW), predict(network, T)
    assert given.eigenvalue_mean == pytest.approx(iid.eigenvalue_mean, rel=1e-10)
    assert given.eigenvalue_max_multiplicity == iid.eigenvalue_max_multiplicity


def test_sampled_batch_norm_is_the_answer_at_few_samples():
    # theory.md section 7: at T = 20 the Gaussian shortcut gives 100 where 90 are measured.
    network, x = Network(depth=3, width=500, norm="batch@hidden", **RELU), orthogonal(20, 500)
    measured = simulate(network, inputs=x, draws=4, second_moment=False).eigenvalue_max
    given, iid = predict(network, inputs=x, fields=4000), predict(network, 20)
    assert iid.eigenvalue_max == pytest.approx(100, abs=0.5)
    assert given.eigenvalue_max == pytest.approx(89, abs=0.5)
    # What is left, 1 %, is the finite width's: finite_width_shift says 7 %, measured is a third.
    assert abs(measured.mean / given.eigenvalue_max - 1) < 0.02
    assert iid.eigenvalue_max / measured.mean > 1.09


@pytest.mark.parametrize("norm", ["none", "mean@all", "layer@hidden"])
def test_the_order_of_samples_does_not_matter(norm):
    order = np.random.default_rng(1).permutation(T)
    there, back = (predict(net(norm, "relu"), inputs=x, eigenvectors=T - 1) for x in (X, X[order]))
    scale = there.eigenvalue_max
    np.testing.assert_allclose(back.eigenvalues, there.eigenvalues, atol=1e-12 * scale)
    overlap = np.abs((back.eigenvectors * there.eigenvectors[order]).sum(axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-9)


@pytest.mark.parametrize("norm", ["none", "mean@all", "layer@hidden", "batch@hidden"])
def test_samples_twice_are_the_same_data(norm):
    network, doubled = net(norm), np.repeat(X, 2, axis=0)
    once, twice = (predict(network, inputs=x, fields=2000) for x in (X, doubled))
    # λ_max and the trace, exactly; batch norm's fields are sampled, and drawn anew
    error = 4 * np.hypot(once.eigenvalue_max_sem or 0, twice.eigenvalue_max_sem or 0)
    assert abs(twice.eigenvalue_max - once.eigenvalue_max) <= error + 1e-12 * once.eigenvalue_max
    if norm != "batch@hidden":
        assert twice.eigenvalue_mean == pytest.approx(once.eigenvalue_mean, rel=1e-12)
        np.testing.assert_allclose(twice.eigenvalues[:T], once.eigenvalues, atol=1e-12 * T)
    np.testing.assert_allclose(twice.eigenvalues[T:], 0, atol=1e-10 * twice.eigenvalue_max)


@pytest.mark.parametrize("activation", ["relu", "tanh", "erf", "elu"])
def test_no_eigenvalue_is_negative_where_samples_nearly_coincide(activation):
    x = X.copy()
    x[1], x[3] = x[0], x[2] * (1 + 1e-9)
    for name in NORMS:
        p = predict(net(f"{name}@all", activation), inputs=x, **FEW)
        assert p.eigenvalues[-1] >= -1e-10 * p.eigenvalues[0], name
        assert (np.diff(p.eigenvalues) <= 0).all()
        assert len(p.eigenvalues) == T


@pytest.mark.parametrize(
    ("norm", "sampled", "random"),
    [
        ("none", False, False),
        ("mean@all", False, False),
        ("layer@hidden", False, False),
        ("batch@hidden", True, False),
        ("batch@1+mean@last", True, False),
        ("batch@last", True, True),
        ("layer@last", True, True),
        ("rms@all", True, True),
        ("batch@all", True, True),
    ],
)
def test_errors_and_quantiles_are_told_where_there_are_some(norm, sampled, random):
    p = predict(net(norm), inputs=X, **FEW)
    assert (p.eigenvalue_max_sem is not None) == sampled
    assert (p.eigenvalue_max_quantiles is not None) == random
    null = p.notes[-1]
    assert ("eigenvalue_max_sem (nothing was sampled)" in null) == (not sampled)
    assert ("eigenvalue_max_quantiles (not random in wide networks)" in null) == (not random)
    assert ("batch_statistics (no hidden batch norm)" in null) == (p.batch_statistics is None)
    if random:
        low, middle, high = p.eigenvalue_max_quantiles.values()
        assert list(p.eigenvalue_max_quantiles) == ["10%", "50%", "90%"]
        assert low < middle < high
    flat = json.loads(json.dumps(p.to_dict(), allow_nan=False))
    assert flat["eigenvalues"] == p.eigenvalues.tolist()
    assert flat["eigenvectors"] is None
    assert flat["network"]["norms"] == list(p.network.norms)


def test_means_that_do_not_exist_are_none():
    p = predict(net("layer@last", outputs=3), inputs=X, **FEW)
    for name in ("max", "mean", "second_moment", "max_sem"):
        assert getattr(p, f"eigenvalue_{name}") is None
    assert p.eigenvalues is p.learning_rate_max is p.finite_width_shift is None
    assert "eigenvalues and finite_width_shift (layer norm on 3 outputs" in p.notes[-1]
    assert p.eigenvalue_max_quantiles["50%"] > 0  # those exist
    json.dumps(p.to_dict(), allow_nan=False)


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


def test_a_seed_reproduces_everything():
    for norm in ("batch@all", "layer@last"):
        first, again, other = (predict(net(norm), inputs=X, seed=s, **FEW) for s in (3, 3, 4))
        assert first.to_dict() == again.to_dict()
        assert first.eigenvalue_max != other.eigenvalue_max
    plain = [predict(net(), inputs=X, seed=s).to_dict() for s in (3, 4)]
    assert plain[0] == plain[1]


def test_the_self_averaging_shortcut_is_another_number():
    network = net("batch@hidden")
    sampled = predict(network, inputs=X)
    shortcut = predict(network, inputs=X, batch_statistics="self-averaging")
    off = abs(sampled.eigenvalue_max - shortcut.eigenvalue_max)
    assert off > 10 * sampled.eigenvalue_max_sem
    assert shortcut.eigenvalue_max_sem is None
    assert (sampled.batch_statistics, shortcut.batch_statistics) == ("sampled", "self-averaging")
    assert any("self-averaging shortcut" in note for note in shortcut.notes)
    assert not any("self-averaging" in note for note in sampled.notes)


def test_the_kind_follows_the_finite_width_shift(digits):
    p = predict(Network(depth=3, width=500, **RELU), inputs=digits)
    first, rest = p.eigenvalues[0], p.eigenvalues[1:]
    assert p.finite_width_shift == pytest.approx(2 / 500 * (rest / (first - rest)).sum(), rel=1e-12)
    assert p.eigenvalue_max_kind is Kind.WIDE_LIMIT
    assert p.network.widths == (64, 500, 500)
    noise = np.random.default_rng(0).normal(size=(300, 300))
    p = predict(Network(depth=3, width=300, norm="mean@last", **RELU), inputs=noise)
    assert p.finite_width_shift > 1
    assert p.eigenvalue_max_kind == "lower-bound"
    assert "lower bound" in " ".join(p.notes)


# theory.md section 7: setting, norm, λ_max, tr F, tolerance of λ_max.
TABLE = [
    (RELU, "none", 431, 1169, 0.02),
    (RELU, "mean@last", 138, 806, 0.02),
    (RELU, "mean@hidden", 169, 812, 0.02),
    (RELU, "batch@hidden", 95, 563, 0.02),
    (RELU, "layer@hidden", 196, 507, 0.02),
    (TANH, "none", 145, 605, 0.02),
    (TANH, "mean@last", 39.3, 462, 0.02),
    (TANH, "mean@hidden", 58.4, 605, 0.02),
    (TANH, "layer@hidden", 121, 368, 0.02),
]


def assert_row(digits, setting, norm, largest, trace, tolerance):
    network = Network(widths=(64, 500, 500), norm=norm, **setting)
    p = predict(network, inputs=digits, fields=2400)
    sampling = 2 * (p.eigenvalue_max_sem or 0)  # 1 % for ReLU at these fields
    assert abs(p.eigenvalue_max - largest) <= tolerance * largest + sampling
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
    assert abs(p.eigenvalue_max / right - 1) > 1e-3


def test_one_sample_and_the_fewest_that_a_norm_needs():
    p = predict(net("none", "relu"), inputs=X[:1], eigenvectors=1)
    assert p.eigenvalues.shape == (1,)
    assert p.eigenvalue_max == pytest.approx(predict(net("none", "relu"), inputs=X[[0, 0]])
                                             .eigenvalue_max, rel=1e-13)  # fmt: skip
    np.testing.assert_allclose(np.abs(p.eigenvectors), [[1]])
    assert p.finite_width_shift == 0
    assert predict(net("mean@all"), inputs=X[:2]).eigenvalues[-1] == pytest.approx(0, abs=1e-14)


def test_integers_and_single_precision_are_taken():
    pixels = np.random.default_rng(0).integers(0, 256, size=X.shape)
    as_floats = predict(net(), inputs=pixels.astype(float)).to_dict()
    for dtype in (np.uint8, np.int16):  # their squares are beyond their range
        assert predict(net(), inputs=pixels.astype(dtype)).to_dict() == as_floats
    single = predict(net(), inputs=X.astype(np.float32)).eigenvalues
    double = predict(net(), inputs=X.astype(np.float32).astype(float)).eigenvalues
    np.testing.assert_array_equal(single, double)


def refused(said, network=None, inputs=X, **options):
    with pytest.raises(ValueError, match=said):
        predict(network or net(), inputs=inputs, **options)


def test_bad_arguments_are_refused_by_name():
    refused(r"inputs must have shape \(T, 6\), T >= 1, got \(6,\)", inputs=X[0])
    refused(r"inputs must have shape \(T, 6\), T >= 1, got \(12, 5\)", inputs=X[:, :5])
    refused("inputs must be finite", inputs=np.where(X > 1, np.nan, X))
    refused("inputs must be real numbers, got dtype complex128", inputs=X + 0j)
    refused("samples must be at least 4 for norm 'batch', got 3", net("batch@1"), X[:3])
    refused("samples must equal the inputs' 12 rows, got 11", samples=11)
    refused("samples must be a positive integer, got '12'", samples="12")
    refused("inputs must have shape", inputs=5, samples=12)
    refused("batch_statistics must be one of sampled, self-averaging", batch_statistics="none")
    refused("fields must be a positive integer, got 0", fields=0)
    refused("eigenvectors must be at most the 12 samples, got 13", eigenvectors=13)
    refused("eigenvectors must be an integer of at least 0, got -1", eigenvectors=-1)
    refused("output_draws must be an integer of at least 0, got 2.5", output_draws=2.5)
    refused("output_draws must be 0 or at least 2", output_draws=1)
    refused("seed must be an integer of at least 0, got -1", seed=-1)
    refused(r"seed must be below 2\*\*63", net("batch@all"), seed=2**63)
    assert predict(net(), T, inputs=X).samples == T
    for option in ("fields", "eigenvectors", "batch_statistics"):
        with pytest.raises(ValueError, match=f"{option} must come with inputs, got none"):
            predict(net(), T, **{option: 3})


def test_kernels_beyond_the_range_are_refused():
    for depth in (1, 3):
        refused("beyond the range .* in layer 1", net(widths=(6, 7, 9)[:depth]), 1e160 * X)


ZERO_ROW = np.where(np.arange(T)[:, None] == 3, 0, X)


@pytest.mark.parametrize("activation", ["relu", "tanh", "erf", "elu"])
def test_a_row_of_zeros_without_biases(activation):
    # Its pre-activations are all 0: ReLU has no slope there, and no norm per sample a scale.
    plain = net("none", activation, bias_var=0.0)
    if activation == "relu":
        for norm in ("none", "mean@last", "layer@last"):
            network = net(norm, activation, bias_var=0.0)
            refused("has a kink and no gradient: row 3 does in layer 1", network, ZERO_ROW)
    else:
        # F* of that sample: its gradients are those of the last bias, and of the others through
        # φ'(0): the limit of small inputs.
        p, limit = (
            predict(plain, inputs=np.where(np.arange(T)[:, None] == 3, scale * X, X))
            for scale in (0, 1e-4)
        )
        np.testing.assert_allclose(p.eigenvalues, limit.eigenvalues, rtol=1e-3)
        refused("'layer' in layer 3 divide by zero: row 3 leads to zeros",
                net("layer@last", activation, bias_var=0.0), ZERO_ROW)  # fmt: skip
    refused("'layer' in layer 1 divide by zero: row 3 leads to zeros",
            net("layer@1", activation, bias_var=0.0), ZERO_ROW)  # fmt: skip
    for norm in ("mean@1", "batch@1"):  # centring moves it away from 0
        if activation in ("relu", "erf"):
            p = predict(net(norm, activation, bias_var=0.0), inputs=ZERO_ROW, **FEW)
            assert p.eigenvalue_max > 0
    assert predict(net("layer@1", activation), inputs=ZERO_ROW).eigenvalue_max > 0


def test_a_sample_in_the_middle_of_the_others():
    # After centring its pre-activations are 0, and so are their gradients.
    x = np.concatenate([X[:5], -X[:5], np.zeros((2, M_0))])
    for activation in ("relu", "erf"):
        p = predict(net("mean@1", activation), inputs=x)
        assert np.isfinite(p.eigenvalues).all()
        assert p.eigenvalues[-1] >= -1e-10 * p.eigenvalue_max


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_equal_rows(activation):
    same = np.tile(X[:1], (T, 1))
    p = predict(net("mean@last", activation), inputs=same)
    assert (p.eigenvalue_max, p.eigenvalue_mean, p.learning_rate_max) == (0, 0, None)
    assert "learning_rate_max (F = 0)" in p.notes[-1]
    json.dumps(p.to_dict(), allow_nan=False)
    # Centred in a hidden layer, all that is left is the last bias: λ_max = 1.
    p = predict(net("mean@hidden", activation, bias_var=0.0), inputs=same)
    assert p.eigenvalue_max == pytest.approx(1, rel=1e-14)
    for place, layer in (("last", 3), ("1", 1)):
        for statistics in ("sampled", "self-averaging"):
            refused(f"'batch' in layer {layer} divide by zero: all samples are alike",
                    net(f"batch@{place}", activation), same,
                    batch_statistics=statistics)  # fmt: skip
