"""Samples in pairs of every kind, and what averages over all of their pairs are held to."""

import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.pair_grid import NEGLIGIBLE
from meanfield.gaussian.pairs import FEW
from meanfield.spec.activations import ACTIVATIONS, Activation

# What has a closed form, without it. The last is a user's function.
STRIPPED = {
    "sin": Activation("bare sin", jnp.sin),
    "leaky_relu": Activation("mine", lambda u: jnp.where(u > 0, u, 0.01 * u), kink_at_zero=True),
}
EVERY = STRIPPED | {name: ACTIVATIONS[name] for name in ("tanh", "silu", "elu")}
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


def largest_error(found, exact, single):
    """Relative; of gaps below NEGLIGIBLE of the average, which the grid does not promise, to it."""
    scale = np.maximum(np.asarray(exact), NEGLIGIBLE * np.max(np.asarray(single)))
    return np.max(np.abs(np.asarray(found) - exact) / np.where(scale > 0, scale, 1))


def assert_close(found, exact, tolerance):
    np.testing.assert_allclose(found.value, exact.value, rtol=1e-13)
    np.testing.assert_allclose(found.slope, exact.slope, rtol=1e-13)
    assert largest_error(found.value_gap, exact.value_gap, exact.value) <= tolerance
    assert largest_error(found.slope_gap, exact.slope_gap, exact.slope) <= tolerance


def assert_gaps_vanish_between_equal_samples(found):
    for gap in (np.asarray(found.value_gap), np.asarray(found.slope_gap)):
        assert (np.diagonal(gap) == 0).all()
        assert gap[0, 1] == gap[1, 0] == 0
        np.testing.assert_array_less(-1e-16, gap)
    # φ' of a kinked function jumps: its gap is of the order of the distance, not its square
    assert 0 < found.value_gap[2, 3] < 1e-13
    assert 0 < found.slope_gap[2, 3] < 1e-6


def assert_positive_semi_definite(found, tolerance):
    for same, gap in ((found.value, found.value_gap), (found.slope, found.slope_gap)):
        eigenvalues = np.linalg.eigvalsh((same[:, None] + same[None, :]) / 2 - gap)
        assert eigenvalues[0] >= -tolerance * eigenvalues[-1]
