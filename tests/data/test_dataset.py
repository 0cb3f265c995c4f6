"""What a data set becomes on its way to a network's inputs."""

import pickle
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

import meanfield as mf
from meanfield import Data, load_data
from meanfield.data import dataset as data

RNG = np.random.default_rng(0)
X = RNG.normal(3, 5, (12, 4))


# Digits, and the order of operations


def test_digits_are_all_rows_in_their_order():
    digits, loaded = load_digits(), load_data("digits")
    assert (loaded.name, loaded.shape, len(loaded)) == ("digits", (1797, 61), 1797)
    assert loaded.dropped == (0, 32, 39)
    assert loaded.notes == (
        "every feature standardized over all 1797 rows to mean 0 and variance 1",
        "3 constant features of 64 were dropped: 0, 32, 39",
    )
    np.testing.assert_array_equal(loaded.targets, digits.target)
    kept = np.delete(StandardScaler().fit_transform(digits.data), [0, 32, 39], axis=1)
    np.testing.assert_allclose(loaded.inputs, kept, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(loaded.inputs.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(loaded.inputs.std(axis=0), 1, rtol=1e-12)


@pytest.mark.parametrize(("samples", "seed"), [(300, 0), (5, 7), (1797, 1)])
def test_rows_are_chosen_after_standardizing_all_of_them(samples, seed):
    x = load_digits().data
    std = x.std(axis=0)
    standardized = np.where(std > 0, (x - x.mean(axis=0)) / np.where(std > 0, std, 1), 0)
    rows = np.random.default_rng(seed).permutation(1797)[:samples]
    loaded = load_data("digits", samples, keep_constant=True, seed=seed)
    np.testing.assert_array_equal(loaded.inputs, standardized[rows])  # bit for bit
    np.testing.assert_array_equal(loaded.targets, load_digits().target[rows])
    assert loaded.dropped == ()
    assert "3 constant features of 64 were kept as zeros: 0, 32, 39" in loaded.notes
    assert loaded.notes[-1] == f"{samples} of 1797 rows chosen at random, seed {seed}"


def test_fewer_samples_are_the_first_of_more():
    few, many = load_data(X, 3), load_data(X, 9)
    np.testing.assert_array_equal(few, many.inputs[:3])


def test_without_standardization_nothing_is_changed_or_dropped():
    x = np.hstack([X, np.full((12, 1), 7.0)])
    loaded = load_data(x, standardize=False)
    np.testing.assert_array_equal(loaded, x)
    assert (loaded.dropped, loaded.notes, loaded.targets) == ((), (), None)
    rows = np.random.default_rng(2).permutation(12)[:4]
    np.testing.assert_array_equal(load_data(x, 4, standardize=False, seed=2), x[rows])


@pytest.mark.parametrize("standardize", [True, False])
def test_the_source_is_left_alone(standardize):
    x = X.copy()
    loaded = load_data(x, standardize=standardize)
    loaded.inputs[:] = 0
    np.testing.assert_array_equal(x, X)


# Labels as targets


def test_digits_have_an_output_for_every_class_whatever_rows_are_chosen():
    few = load_data("digits", 5, seed=3)
    assert few.classes == tuple(range(10))
    assert len(set(few.targets.tolist())) < 10
    np.testing.assert_array_equal(few.one_hot(), np.eye(10)[few.targets])


def test_labels_need_not_start_at_zero(tmp_path):
    np.savez(tmp_path / "x.npz", x=X, y=np.array([7, -2, 3] * 4))
    loaded = load_data(tmp_path / "x.npz")
    assert loaded.classes == (-2, 3, 7)
    np.testing.assert_array_equal(loaded.one_hot()[:3], [[0, 0, 1], [1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("targets", [None, X[:, 0], X[:, :2], np.ones((12, 2), int)])
def test_only_labels_become_one_hot(tmp_path, targets):
    given = {} if targets is None else {"y": targets}
    np.savez(tmp_path / "x.npz", x=X, **given)
    loaded = load_data(tmp_path / "x.npz")
    assert loaded.classes is None
    with pytest.raises(ValueError, match=r"targets of x.npz must be integer labels \(T,\), got"):
        loaded.one_hot()


# Arrays


@pytest.mark.parametrize(
    "array",
    [
        X.tolist(),
        tuple(map(tuple, X)),
        np.asfortranarray(X),
        X.astype(">f8"),
        X.astype(np.longdouble),
        pd.DataFrame(X, columns=list("abcd")),
        load_data(X, standardize=False),
        X[::-1][::-1],
    ],
    ids=lambda array: type(array).__name__,
)
def test_arrays_of_other_kinds_are_converted(array):
    loaded = load_data(array)
    assert loaded.name == "array"
    assert loaded.inputs.dtype == np.float64
    assert loaded.inputs.dtype.isnative
    assert loaded.inputs.flags.c_contiguous
    np.testing.assert_array_equal(loaded, load_data(X))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32])
def test_narrow_types_are_widened_first(dtype):
    x = RNG.integers(0, 200, (12, 4)).astype(dtype)
    np.testing.assert_array_equal(load_data(x), load_data(x.astype(np.float64)))


@pytest.mark.parametrize("shape", [(12, 3, 2), (12, 1, 6), (12, 1, 2, 3)])
def test_images_are_flattened(shape):
    x = RNG.normal(size=(12, 6))
    loaded = load_data(x.reshape(shape))
    np.testing.assert_array_equal(loaded, load_data(x))
    size = " x ".join(map(str, shape[1:]))
    assert loaded.notes[0] == f"samples of shape {size} flattened to 6 features"


def test_data_is_an_array():
    loaded = load_data(X)
    assert isinstance(loaded, Data)
    assert np.asarray(loaded) is loaded.inputs
    assert np.array(loaded) is not loaded.inputs
    assert np.asarray(loaded, np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy"):
        np.asarray(loaded, np.float32, copy=False)
    assert (loaded.shape, len(loaded)) == ((12, 4), 12)
    np.testing.assert_array_equal(jnp.asarray(loaded.inputs), jnp.asarray(loaded))
    assert loaded != load_data(X)  # and no array's ambiguous truth value


def test_data_can_be_sent_to_another_process():
    loaded = load_data("digits", 5)
    np.testing.assert_equal(vars(pickle.loads(pickle.dumps(loaded))), vars(loaded))


# Extras


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(data, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'meanfield\[data\]'"):
        load_data("digits")
    assert len(load_data(X)) == 12  # needs no extra


def test_the_extras_are_imported_on_first_use():
    script = (
        "import sys, meanfield; meanfield.load_data; print({'sklearn', 'pandas'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
    assert {"Data", "load_data"} <= set(dir(mf))
