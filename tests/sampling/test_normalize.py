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


def batch(shape, dtype="float64", offset=0.0, seed=0):
    return (np.random.default_rng(seed).normal(size=shape) + offset).astype(dtype)


def apply(norm, u):
    with jax.enable_x64(True):
        return np.asarray(normalize(NORMS[norm], jnp.asarray(u)))


def test_every_norm_is_listed_under_its_name():
    assert set(NORMS) == set(DEFINITIONS)
    assert all(norm.name == name for name, norm in NORMS.items())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(5, 4), (4, 7), (30, 3)])
@pytest.mark.parametrize("norm", NORMS)
def test_batches_are_normalized_as_defined(norm, shape, dtype):
    for offset in (0, 30):
        u = batch(shape, dtype, offset)
        result = apply(norm, u)
        assert result.dtype == dtype
        assert relative_error(result, DEFINITIONS[norm](u.astype(float))) < ROUNDING[dtype]


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_normalized_has_the_moments_it_should(norm):
    u = apply(norm, batch((6, 5), offset=2))
    centred = {"mean": 0, "batch": 0, "layer-mean": 1, "layer": 1}.get(norm)
    unit = {"batch": 0, "layer": 1, "rms": 1}.get(norm)
    if centred is not None:
        np.testing.assert_allclose(u.mean(axis=centred), 0, atol=1e-14)
    if unit is not None:
        np.testing.assert_allclose((u**2).mean(axis=unit), 1, rtol=1e-14)
    if centred is unit is None:
        np.testing.assert_array_equal(u, batch((6, 5), offset=2))


def jacobian(norm, T, M):
    """∂ū(s, i)/∂u(t, j), T×M×T×M."""
    with jax.enable_x64(True):
        return np.asarray(jax.jacobian(partial(normalize, NORMS[norm]))(jnp.asarray(batch((T, M)))))


@pytest.mark.parametrize("norm", NORMS)
def test_mixing_of_samples_is_declared_truly(norm):
    J = jacobian(norm, 5, 4)
    across = J.transpose(0, 2, 1, 3)[~np.eye(5, dtype=bool)]
    if NORMS[norm].mixes_samples:
        assert np.abs(across).max() > 0.1  # 1/T = 0.2 and more
    else:
        assert not across.any()


@pytest.mark.parametrize("norm", NORMS)
def test_a_width_is_refused_where_no_gradient_passes(norm):
    for units in (1, 2, 3):
        passes = np.nan_to_num(np.abs(jacobian(norm, 3, units))).max() > 1e-6
        assert passes == (NORMS[norm].width_flaw(units) is None)


@pytest.mark.parametrize("norm", NORMS)
def test_samples_are_refused_where_nothing_is_left_of_a_batch(norm):
    least = NORMS[norm].min_samples
    assert np.isfinite(apply(norm, batch((least, 5)))).all()
    assert np.abs(apply(norm, batch((least, 5)))).max() > 0.1
    if norm == "mean":
        assert not apply(norm, batch((1, 5))).any()
