"""Each norm against its definition, and what it says of itself against its Jacobian."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jacobian import DEFINITIONS, relative_error

from meanfield import NORMS
from meanfield.sampling.normalize import normalize

# Entries are O(1) and no definition below divides by less than 0.1, so that a norm's rounding is a
# few dozen operations' at most. An offset of 30 costs another two digits.
ROUNDING = {"float64": 1e-13, "float32": 1e-4}


def batch(shape, precision, offset=0.0):
    return (np.random.default_rng(0).normal(size=shape) + offset).astype(precision)


def apply(norm, u):
    with jax.enable_x64(True):
        return np.asarray(normalize(NORMS[norm], jnp.asarray(u)))


def test_every_norm_is_listed_under_its_name():
    assert set(NORMS) == set(DEFINITIONS)
    assert all(norm.name == name for name, norm in NORMS.items())


@pytest.mark.parametrize("shape", [(5, 4), (4, 7), (30, 3)])
@pytest.mark.parametrize("norm", NORMS)
def test_batches_are_normalized_as_defined(norm, shape, precision):
    for offset in (0, 30):
        u = batch(shape, precision, offset)
        result = apply(norm, u)
        assert result.dtype == precision
        assert relative_error(result, DEFINITIONS[norm](u.astype(float))) < ROUNDING[precision]


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_normalized_has_the_moments_it_should(norm, precision):
    given = batch((6, 5), precision, offset=2)
    u = apply(norm, given)
    # A mean of six numbers of size one; before it is divided by its spread it is of size two.
    rounding = {"float64": 1e-14, "float32": 5e-6}[precision]
    centred = {"mean": 0, "batch": 0, "layer-mean": 1, "layer": 1}.get(norm)
    unit = {"batch": 0, "layer": 1, "rms": 1}.get(norm)
    if centred is not None:
        np.testing.assert_allclose(u.mean(axis=centred), 0, atol=rounding)
    if unit is not None:
        np.testing.assert_allclose((u**2).mean(axis=unit), 1, rtol=rounding)
    if centred is unit is None:
        np.testing.assert_array_equal(u, given)


def jacobian(norm, T, M, precision):
    """∂ū(s, i)/∂u(t, j), T×M×T×M."""
    function = jax.jit(jax.jacobian(partial(normalize, NORMS[norm])))
    with jax.enable_x64(True):
        return np.asarray(function(jnp.asarray(batch((T, M), precision))))


@pytest.mark.parametrize("norm", NORMS)
def test_mixing_of_samples_is_declared_truly(norm, precision):
    J = jacobian(norm, 5, 4, precision)
    across = J.transpose(0, 2, 1, 3)[~np.eye(5, dtype=bool)]
    if NORMS[norm].mixes_samples:
        assert np.abs(across).max() > 0.1  # 1/T = 0.2 and more
    else:
        assert not across.any()


@pytest.mark.parametrize("norm", NORMS)
def test_a_width_is_refused_where_no_gradient_passes(norm, precision):
    no_more = {"float64": 1e-6, "float32": 1e-5}[precision]
    for units in (1, 2, 3):
        passes = np.nan_to_num(np.abs(jacobian(norm, 3, units, precision))).max() > no_more
        assert passes == (NORMS[norm].width_flaw(units) is None)


@pytest.mark.parametrize("norm", NORMS)
def test_samples_are_refused_where_nothing_is_left_of_a_batch(norm, precision):
    least = NORMS[norm].min_samples
    normalized = apply(norm, batch((least, 5), precision))
    assert np.isfinite(normalized).all()
    assert np.abs(normalized).max() > 0.1
    if norm == "mean":
        assert not apply(norm, batch((1, 5), precision)).any()
