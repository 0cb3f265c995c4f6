"""The spectrum as a function of its variances and of T: derivatives, maps and limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import RELU

from meanfield.spec.network import Network
from meanfield.theory.predict import predict
from meanfield.theory.white_noise.spectrum import solve_network, spectrum

pytestmark = pytest.mark.usefixtures("x64")

STATISTICS = ("eigenvalue_mean", "eigenvalue_second_moment", "eigenvalue_max")


def relu(norm="none", **changes):
    return Network(**{"depth": 3, "width": 200, "norm": norm, "outputs": 6, **RELU, **changes})


# An outlier, a bulk's edge, and outputs that are divided by their own spread. Norms of hidden
# layers are data and not code: one compilation serves all of HIDDEN.
LAST = [("relu", "none"), ("erf", "batch"), ("relu", "layer")]
HIDDEN = [
    (("none", "none"), 60.0),
    (("batch", "batch"), 4.0),
    (("layer", "mean"), 60.0),
    (("mean", "rms"), 60.0),  # at 4 samples the edge is the end of x's range: no envelope there
]


@pytest.mark.parametrize(("name", "last"), LAST)
def test_gradients_are_those_of_differences(name, last):
    # Central differences at h = 1e-4: 1e-8 relative of truncation, 1e-16/h of rounding. By T they
    # need a longer step, of which 60 samples allow: how the edge spreads is known to 1e-6 only.
    for hidden, T in HIDDEN:
        network = relu(activation=name, norms=(*hidden, last), norm=None)
        at, steps = jnp.array([1.7, 0.3, T]), jnp.diag(jnp.array([1e-4, 1e-4, 1e-2]))

        def statistics(numbers, network=network):
            weight_var, bias_var, T = numbers
            found = spectrum(network, T, weight_var, bias_var)
            return jnp.stack([getattr(found, field) for field in STATISTICS])

        slopes, scale = jax.jacrev(statistics)(at), statistics(at)
        for step, slope in zip(steps[: 3 if T > 4 else 2], slopes.T, strict=False):
            difference = (statistics(at + step) - statistics(at - step)) / (2 * step.sum())
            assert (abs(slope - difference) < 1e-5 * scale).all(), (hidden, T)


def test_derivatives_are_the_same_forwards_and_backwards():
    # Outputs that are divided by their own spread: quick to compile, as they have no bulk's edge.
    def largest(numbers):
        return spectrum(relu("layer@last"), numbers[2], numbers[0], numbers[1]).eigenvalue_max

    at = jnp.array([1.7, 0.3, 60.0])
    forwards, backwards = jax.jacfwd(largest)(at), jax.jacrev(largest)(at)
    assert (abs(forwards) > 0).all()
    np.testing.assert_allclose(forwards, backwards, rtol=1e-12)


def test_spectrum_maps_over_variances():
    network, grid = relu("batch@1+layer@last"), jnp.linspace(0.5, 3.0, 4)
    mapped = jax.vmap(lambda weight_var: spectrum(network, 50.0, weight_var))(grid)
    for i, weight_var in enumerate(grid):
        one = spectrum(network, 50.0, weight_var)
        for field, together, alone in zip(one._fields, mapped, one, strict=True):
            # sums are taken in another order: a few roundings
            np.testing.assert_allclose(together[i], alone, rtol=1e-12, err_msg=field)


def test_predict_and_spectrum_agree():
    network = relu("layer@hidden+batch@last")
    with jax.enable_x64(False):  # predict takes care of its own precision
        prediction = predict(network, 70)
    found = spectrum(network, 70.0)
    for field in (*STATISTICS, "kappa1", "kappa2"):
        assert getattr(prediction, field) == getattr(found, field)


@pytest.mark.parametrize("norm", ["none", "layer-mean@last", "layer@all", "batch@1", "mean@2"])
def test_infinitely_many_samples_are_the_limit_of_many(norm):
    network = relu(norm)
    many, limit = spectrum(network, 1e9), spectrum(network, jnp.inf)
    for field in (*STATISTICS, "outlier", "kappa1", "kappa2"):
        # A/B is below 10 here, so that 1/T weighs 1e-8 at the most
        np.testing.assert_allclose(
            getattr(limit, field), getattr(many, field), rtol=1e-7, err_msg=field
        )
    assert limit.bulk == 0


def test_spectrum_refuses_float32():
    with jax.enable_x64(False), pytest.raises(ValueError, match="64-bit"):
        spectrum(relu(), 50.0)


def test_solving_a_network_refuses_float32():
    network = Network(depth=3, width=10)
    with jax.enable_x64(False), pytest.raises(ValueError, match="64-bit"):
        solve_network(network, 10.0)


def test_gradient_at_correlation_minus_one_is_finite():
    # Two centred samples are each other's negative: the angle's own derivative is infinite there.
    # That of averages by quadrature is tested beside them.
    network = relu(norms=("mean", "none", "none"), norm=None)

    @jax.jit
    @jax.value_and_grad
    def of_bulk(weight_var):
        return spectrum(network, 2.0, weight_var, 0.3).bulk

    h, (value, slope) = 1e-4, of_bulk(1.7)
    difference = (of_bulk(1.7 + h)[0] - of_bulk(1.7 - h)[0]) / (2 * h)
    assert abs(slope - difference) < 1e-6 * value
