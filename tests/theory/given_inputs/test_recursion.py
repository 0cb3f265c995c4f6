"""The recursion on T×T matrices: explicit ones, white noise, symmetries and what it refuses."""

import json

import numpy as np
import pytest
from fixed_samples import at_fixed_samples
from given_networks import FEW, M_0, T, X, by_hand, net, orthogonal, refused, wide_limit
from problems import RELU

from meanfield import Network, predict, simulate
from meanfield.spec.norms import NORMS


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
    assert wide_limit(p) == pytest.approx(p.eigenvalues[0], rel=1e-13)
    P = network.parameters
    assert p.eigenvalue_mean == pytest.approx(6 * np.trace(matrix) / P, rel=rounding)
    assert p.eigenvalue_second_moment == pytest.approx(6 * (matrix**2).sum() / P, rel=rounding)
    assert p.learning_rate_max == 2 / p.eigenvalue_max
    assert (p.samples, p.parameters, p.eigenvalue_max_multiplicity) == (T, P, 6)
    v = p.eigenvectors
    np.testing.assert_allclose(v.T @ v, np.eye(3), atol=1e-13)
    np.testing.assert_allclose(matrix @ v, v * p.eigenvalues[:3], atol=rounding * expected[0])


@pytest.mark.parametrize(
    "norm", ["none", "mean@last", "mean@hidden", "layer-mean@all", "layer@hidden", "rms@1"]
)
def test_orthogonal_inputs_give_the_exchangeable_prediction(norm):
    network = net(norm, "relu", widths=(30, 40, 50))
    given, iid = predict(network, inputs=orthogonal(T, 30)), predict(network, T)
    assert wide_limit(given) == pytest.approx(at_fixed_samples(iid), rel=1e-10)
    assert given.eigenvalue_mean == pytest.approx(iid.eigenvalue_mean, rel=1e-10)


def test_sampled_batch_norm_is_the_answer_at_few_samples():
    # theory.md section 7: at T = 20 the Gaussian shortcut gives 100 where 90 are measured.
    network, x = Network(depth=3, width=500, norm="batch@hidden", **RELU), orthogonal(20, 500)
    measured = simulate(network, inputs=x, draws=4, second_moment=False).eigenvalue_max
    given, iid = predict(network, inputs=x, fields=4000), predict(network, 20)
    assert at_fixed_samples(iid) == pytest.approx(100, abs=0.5)
    assert wide_limit(given) == pytest.approx(89, abs=0.5)
    assert abs(measured.mean - given.eigenvalue_max) < 4 * measured.sem + 0.005 * measured.mean
    assert at_fixed_samples(iid) / measured.mean > 1.09


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
    # The wide limit and the trace, exactly; fields and units are sampled, and drawn anew
    error = 4 * np.hypot(once.eigenvalue_max_sem or 0, twice.eigenvalue_max_sem or 0)
    assert abs(twice.eigenvalue_max - once.eigenvalue_max) <= error + 1e-12 * once.eigenvalue_max
    if norm != "batch@hidden":
        assert twice.eigenvalue_mean == pytest.approx(once.eigenvalue_mean, rel=1e-12)
        np.testing.assert_allclose(twice.eigenvalues[:T], once.eigenvalues, atol=1e-12 * T)
    np.testing.assert_allclose(twice.eigenvalues[T:], 0, atol=1e-10 * twice.eigenvalue_max)


@pytest.mark.parametrize("activation", ["relu", "tanh", "erf"])
def test_no_eigenvalue_is_negative_where_samples_nearly_coincide(activation):
    x = X.copy()
    x[1], x[3] = x[0], x[2] * (1 + 1e-9)
    # Every one of tanh's kernels is tabulated anew.
    for name in NORMS if activation != "tanh" else ("none", "batch", "layer"):
        p = predict(net(f"{name}@all", activation), inputs=x, **FEW)
        assert p.eigenvalues[-1] >= -1e-10 * p.eigenvalues[0], name
        assert (np.diff(p.eigenvalues) <= 0).all()
        assert len(p.eigenvalues) == T


def test_one_sample_and_the_fewest_that_a_norm_needs():
    p = predict(net("none", "relu"), inputs=X[:1], eigenvectors=1)
    assert p.eigenvalues.shape == (1,)
    twice = predict(net("none", "relu"), inputs=X[[0, 0]])
    assert p.eigenvalues[0] == pytest.approx(twice.eigenvalues[0], rel=1e-13)
    error = 4 * np.hypot(p.eigenvalue_max_sem, twice.eigenvalue_max_sem)
    assert p.eigenvalue_max == pytest.approx(twice.eigenvalue_max, abs=error)
    np.testing.assert_allclose(np.abs(p.eigenvectors), [[1]])
    assert predict(net("mean@all"), inputs=X[:2]).eigenvalues[-1] == pytest.approx(0, abs=1e-14)


def test_integers_and_single_precision_are_taken():
    pixels = np.random.default_rng(0).integers(0, 256, size=X.shape)
    as_floats = predict(net(), inputs=pixels.astype(float)).to_dict()
    for dtype in (np.uint8, np.int16):  # their squares are beyond their range
        assert predict(net(), inputs=pixels.astype(dtype)).to_dict() == as_floats
    single = predict(net(), inputs=X.astype(np.float32)).eigenvalues
    double = predict(net(), inputs=X.astype(np.float32).astype(float)).eigenvalues
    np.testing.assert_array_equal(single, double)


def test_kernels_beyond_the_range_are_refused():
    for depth in (1, 3):
        refused("beyond the range .* in layer 1", net(widths=(6, 7, 9)[:depth]), 1e160 * X)


ZERO_ROW = np.where(np.arange(T)[:, None] == 3, 0, X)


@pytest.mark.parametrize("activation", ["relu", "tanh", "erf"])
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
