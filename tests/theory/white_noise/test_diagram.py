"""Diagrams against single predictions, at points and at the edges of what they accept."""

import jax
import numpy as np
import pytest

import meanfield as mf
from meanfield.gaussian import table as tabulated
from meanfield.machine.compilations import compiled
from meanfield.theory.white_noise import many

ORDERED = np.array([[0.1], [0.9]])  # of 0.1, gaps end near 1e-20
CHAOTIC = np.array([[1.5], [3.9]])
BIAS = np.array([0.02, 0.7])
# x* is known to 1e-6: so is what depends on it, and to the square of it what is stationary there
SEARCHED = {"edge_scale": 1e-4, "edge": 1e-10, "eigenvalue_max": 1e-6, "outlier": 1e-6}


def network(activation, norm="none", **changes):
    """Of one depth and number of outputs throughout: each other one is compiled anew."""
    own = {"depth": 20, "width": 1000, "outputs": 6, **changes}
    return mf.Network(activation=activation, norm=norm, **own)


def assert_agrees(found, net, samples, weight_var, bias_var, rtol):
    w, b = np.broadcast_arrays(weight_var, bias_var)
    with jax.enable_x64(True):
        for at in np.ndindex(w.shape):
            one = mf.spectrum(net, float(samples), w[at], b[at])
            for field, value in one._asdict().items():
                # of the largest eigenvalue: where λ_1 vanishes it is rounding
                atol = 1e-12 * one.eigenvalue_max if field in ("outlier", "kappa2") else 0
                here = max(rtol, SEARCHED.get(field, 0))
                entry = getattr(found, field)[at]
                np.testing.assert_allclose(entry, value, here, atol, err_msg=f"{field} {at}")


@pytest.mark.parametrize(
    ("activation", "norm", "rtol"),
    [
        ("relu", "none", 1e-12),  # the same formulas, in another order: roundings over 20 layers
        ("relu", "mean@3+layer@last", 1e-12),
        ("tanh", "batch@2", 1e-8),  # what a table promises
    ],
)
def test_diagrams_agree_with_single_predictions(activation, norm, rtol):
    net = network(activation, norm)
    weight_var = np.concatenate([ORDERED, CHAOTIC])
    found = mf.diagram(net, 300, weight_var, BIAS)
    assert found.eigenvalue_max.shape == (4, 2)
    assert found.eigenvalue_max.dtype == np.float64
    assert_agrees(found, net, 300, weight_var, BIAS, rtol)


def test_gaps_keep_their_relative_accuracy_in_the_ordered_phase():
    # λ_2 under batch norm is one vanishing gap over another
    net = network("tanh", "batch@last")
    found = mf.diagram(net, 300, ORDERED, BIAS)
    assert_agrees(found, net, 300, ORDERED, BIAS, 1e-8)
    assert (found.bulk > 0).all()


def test_points_beyond_the_table_are_solved_directly(monkeypatch):
    net, weight_var = network("tanh"), np.array([0.2, 1.5, 51.0])
    solved = []
    original = many._in_blocks

    def counting(code, table, shared, varying):
        solved.append((table is None, varying["weight_var"].tolist()))
        return original(code, table, shared, varying)

    monkeypatch.setattr(many, "_in_blocks", counting)
    found = mf.diagram(net, 300, weight_var, 1e-5)
    assert solved == [(False, [0.2, 1.5, 51.0]), (True, [0.2, 51.0])]
    assert_agrees(found, net, 300, weight_var, np.full(3, 1e-5), 1e-8)


def test_a_wrong_table_shows(monkeypatch):
    net = network("tanh")
    with jax.enable_x64(True):
        table = tabulated.tabulate(net.activation.quadrature)
        wrong = table._replace(by_both=table.by_both.at[0, 0].mul(1 + 1e-7))
    monkeypatch.setattr(many, "tabulate", lambda activation: wrong)
    found = mf.diagram(net, 300, CHAOTIC, BIAS)
    with pytest.raises(AssertionError):
        assert_agrees(found, net, 300, CHAOTIC, BIAS, 1e-8)


def test_points_do_not_depend_on_their_neighbours():
    variances = np.linspace(0.5, 3.0, many.BLOCK + 5)
    for activation in ("relu", "tanh"):
        net = network(activation)
        together = mf.diagram(net, 100, variances, 0.1)
        for part in (slice(0, 3), slice(-7, None)):
            alone = mf.diagram(net, 100, variances[part], 0.1)
            for field, entry in alone._asdict().items():
                np.testing.assert_array_equal(getattr(together, field)[part], entry, field)


def test_other_widths_samples_and_variances_do_not_compile_again():
    mf.diagram(network("relu"), 100, 1.0, 0.1)
    prepare = compiled(many._prepare_block, "code")
    before = prepare._cache_size()
    mf.diagram(network("relu", "batch@2", width=30), 50, np.linspace(1, 2, 9), 0.3)
    assert prepare._cache_size() == before


def test_what_leaves_the_floating_point_range_is_marked_and_said():
    with pytest.warns(RuntimeWarning, match=r"1 of 2 points.*weight_var=1e\+20"):
        found = mf.diagram(network("relu"), 100, np.array([1.0, 1e20]), 0.1)
    for entry in found:
        assert np.isfinite(entry[0])
        assert np.isnan(entry[1])


def test_doubtful_averages_are_said():
    clip = network(lambda u: jax.numpy.clip(u, -1, 1))
    with pytest.warns(RuntimeWarning, match="only accurate to about"):
        found = mf.diagram(clip, 100, np.array([1.0, 2.0]), 0.1)
    assert_agrees(found, clip, 100, np.array([1.0, 2.0]), np.full(2, 0.1), 1e-12)


@pytest.mark.parametrize(
    ("weight_var", "bias_var", "complaint"),
    [
        (-1.0, 0.1, "weight_var must be finite and at least 0 everywhere, got -1"),
        ([1.0, np.nan], 0.1, "weight_var must be finite and at least 0 everywhere, got nan"),
        (1.0, [np.inf], "bias_var must be finite and at least 0 everywhere, got inf"),
        ("two", 0.1, "weight_var must be a non-empty array of real numbers, got 'two'"),
        ([[1.0], [1.0, 2.0]], 0.1, "weight_var must be a non-empty array"),
        ([], 0.1, "weight_var must be a non-empty array"),
        (1.0, [True], "bias_var must be a non-empty array"),
        (1.0, None, "bias_var must be a non-empty array"),
        (np.ones(2), np.ones(3), r"must broadcast against each other, got shapes \(2,\) and"),
        ([1.0, 0.0], 0.1, "weight_var must keep norm 'batch' from dividing by zero, got 0"),
    ],
)
def test_bad_variances_are_refused(weight_var, bias_var, complaint):
    with pytest.raises(ValueError, match=complaint):
        mf.diagram(network("relu", "batch@last"), 100, weight_var, bias_var)


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="samples must be at least 4"):
        mf.diagram(network("relu", "batch@last"), 3, 1.0, 0.1)
