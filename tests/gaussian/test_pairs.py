"""Averages over all pairs of samples: against closed forms, plain double sums, and each other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import trapezoid_gaps

from meanfield.gaussian import pairs as module
from meanfield.gaussian.pairs import FEW, TOLERANCE, pair_averages
from meanfield.spec.activations import ACTIVATIONS, Activation

pytestmark = pytest.mark.usefixtures("x64")

# What has a closed form, without it. The last is a user's function.
STRIPPED = {
    "sin": Activation("bare sin", jnp.sin),
    "leaky_relu": Activation("mine", lambda u: jnp.where(u > 0, u, 0.01 * u), kink_at_zero=True),
}
EVERY = STRIPPED | {name: ACTIVATIONS[name] for name in ("tanh", "silu", "gelu", "elu")}
BY_GRID = ("sin", "leaky_relu")  # the grid knows a function by its kink alone
MANY, FEW_SAMPLES = 80, 8  # above and below FEW pairs
assert FEW_SAMPLES**2 / 2 < FEW < MANY * (MANY - 1) / 2


def kernel(x):
    """Variances and gaps of samples, the gaps from differences."""
    gap = ((x[:, None] - x) ** 2).sum(axis=-1) / 2
    return jnp.asarray((x**2).sum(axis=1)), jnp.asarray(gap)


def samples(T):
    """Variances from 0.2 to 4; samples 0 and 1 are equal, 2 and 3 nearly so, 4 is opposite to 5."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(T, 10)) / np.sqrt(10) * np.exp(rng.uniform(-0.2, 0.2, size=(T, 1)))
    x[1], x[3], x[4] = x[0], x[2] + 1e-7 * x[6], -1.3 * x[5]
    return x


X = samples(MANY)


@pytest.fixture(scope="module")
def averages():
    """The averages of every activation at many samples, by the grid, and at the first few."""
    with jax.enable_x64(True):
        return {
            (name, T): pair_averages(a, a.kink_at_zero, *kernel(X[:T]))
            for name, a in EVERY.items()
            for T in ((MANY, FEW_SAMPLES) if name in BY_GRID else (FEW_SAMPLES,))
        }


def largest_error(found, exact, single):
    """Relative; of gaps below NEGLIGIBLE of the average, which the grid does not promise, to it."""
    scale = np.maximum(np.asarray(exact), module.NEGLIGIBLE * np.max(np.asarray(single)))
    return np.max(np.abs(np.asarray(found) - exact) / np.where(scale > 0, scale, 1))


def assert_close(found, exact, tolerance):
    np.testing.assert_allclose(found.value, exact.value, rtol=1e-13)
    np.testing.assert_allclose(found.slope, exact.slope, rtol=1e-13)
    assert largest_error(found.value_gap, exact.value_gap, exact.value) <= tolerance
    assert largest_error(found.slope_gap, exact.slope_gap, exact.slope) <= tolerance


@pytest.mark.parametrize("name", STRIPPED)
def test_averages_are_those_of_the_closed_form(averages, name):
    # Few pairs are averaged one by one, many interpolated to the stated tolerance, which is held
    # at some of the pairs: 10 of it at all of them.
    for T, tolerance in ((FEW_SAMPLES, 1e-12), (MANY, 10 * TOLERANCE)):
        if (name, T) in averages:
            exact = ACTIVATIONS[name].pair_averages(*kernel(X[:T]))
            assert_close(averages[name, T], exact, tolerance)


@pytest.mark.parametrize("name", BY_GRID)
def test_both_routes_agree(averages, name):
    grid, direct = averages[name, MANY], averages[name, FEW_SAMPLES]
    first = [x[:FEW_SAMPLES, :FEW_SAMPLES] if x.ndim == 2 else x[:FEW_SAMPLES] for x in grid[:4]]
    assert_close(direct._replace(**dict(zip(direct._fields, first, strict=False))), direct,
                 10 * TOLERANCE)  # fmt: skip


def test_the_reported_error_is_within_the_tolerance(averages):
    for (_, T), found in averages.items():
        assert 0 < found.error <= (TOLERANCE if T == MANY else 1e-12)


def test_equal_samples_have_no_gap_and_nearly_equal_ones_a_small_one(averages):
    for found in averages.values():
        for gap in (np.asarray(found.value_gap), np.asarray(found.slope_gap)):
            assert (np.diagonal(gap) == 0).all()
            assert gap[0, 1] == gap[1, 0] == 0
            np.testing.assert_array_less(-1e-16, gap)
        # φ' of a kinked function jumps: its gap is of the order of the distance, not its square
        assert 0 < found.value_gap[2, 3] < 1e-13
        assert 0 < found.slope_gap[2, 3] < 1e-6


def test_the_averages_are_positive_semi_definite(averages):
    for a in averages.values():
        for same, gap in ((a.value, a.value_gap), (a.slope, a.slope_gap)):
            eigenvalues = np.linalg.eigvalsh((same[:, None] + same) / 2 - gap)
            # the grid's 1e-10 of each gap adds up to T of it at the most; measured 1e-12
            assert eigenvalues[0] >= -TOLERANCE * eigenvalues[-1]


def test_smooth_functions_agree_with_a_plain_double_sum(averages):
    def silu(u):
        gate = 1 / (1 + np.exp(-u))
        return u * gate, gate * (1 + u * (1 - gate))

    functions = {"tanh": lambda u: (np.tanh(u), 1 - np.tanh(u) ** 2), "silu": silu}
    q, gap = kernel(X[:FEW_SAMPLES])
    for name, function in functions.items():
        found = averages[name, FEW_SAMPLES]
        for s, t in [(0, 5), (6, 7), (2, 4)]:
            exact = trapezoid_gaps(function, float(q[s]), float(q[t]), float(gap[s, t]))
            both = found.value_gap[s, t], found.slope_gap[s, t]
            np.testing.assert_allclose(both, exact, rtol=1e-12)


def test_one_sample_and_two(averages):
    many = averages["tanh", FEW_SAMPLES]
    for T in (1, 2):
        first = (slice(6, 6 + T),) * 2
        found = EVERY["tanh"].pair_averages(*kernel(X[6 : 6 + T]))
        np.testing.assert_allclose(found.value, many.value[6 : 6 + T], rtol=1e-14)
        np.testing.assert_allclose(found.slope_gap, many.slope_gap[first], rtol=1e-13)
        np.testing.assert_allclose(found.value_gap, many.value_gap[first], rtol=1e-13)


def test_samples_of_one_variance():
    # As layer norm leaves them: the grid's range of variances is a point.
    q, gap = kernel(X / np.linalg.norm(X, axis=1, keepdims=True))
    found = EVERY["sin"].pair_averages(jnp.ones_like(q), gap)
    assert found.error <= TOLERANCE
    for s, t in [(6, 7), (2, 3), (10, 70)]:
        exact = ACTIVATIONS["sin"].averages(jnp.float64(1), gap[s, t])
        both = [found.value_gap[s, t], found.slope_gap[s, t]]
        assert largest_error(both[0], exact.value_gap, exact.value) <= 10 * TOLERANCE
        assert largest_error(both[1], exact.slope_gap, exact.slope) <= 10 * TOLERANCE


def test_samples_without_any_variance():
    # Behind a mean over equal samples: φ(0) and φ'(0) of all of them.
    T = FEW_SAMPLES
    found = ACTIVATIONS["silu"].pair_averages(jnp.zeros(T), jnp.zeros((T, T)))
    np.testing.assert_allclose(found.value, 0, atol=1e-12)
    np.testing.assert_allclose(found.slope, 0.25, atol=1e-12)
    assert not np.any(found.value_gap)
    assert np.isfinite(found.error)


def test_a_coarse_grid_is_told_by_its_error(monkeypatch):
    # The error is measured, not promised: with the first grid alone it is larger, and no smaller
    # than a tenth of the largest one over all pairs.
    monkeypatch.setattr(module, "SIZES", ((4, 6),))
    found = pair_averages(STRIPPED["sin"], False, *kernel(X))
    exact = ACTIVATIONS["sin"].pair_averages(*kernel(X))
    off = max(
        largest_error(found.value_gap, exact.value_gap, exact.value),
        largest_error(found.slope_gap, exact.slope_gap, exact.slope),
    )
    assert off > 1e-4
    assert off / 10 <= found.error <= off * (1 + 1e-6)
