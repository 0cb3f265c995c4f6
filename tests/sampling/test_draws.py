"""One draw: the same whatever ran before, and refused where it is not finite."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from jacobian import STATISTICS, figures, reference

from meanfield import Network
from meanfield.sampling.draws import Experiment, measure_draw
from meanfield.sampling.measurement import Measurement, Request
from meanfield.sampling.methods import METHODS

NETWORK, SAMPLES = Network(widths=(3, 2), bias_var=0.2), 14


def experiment(precision="float64", method="dual", **changes):
    return replace(Experiment(NETWORK, SAMPLES, 0, METHODS[method], precision), **changes)


@pytest.mark.parametrize("method", METHODS)
def test_a_draw_is_measured(method, precision):
    """Draws 0 of seeds 0 and 4, against the brute-force Jacobian; CT = 14 is exact for both."""
    for seed in (0, 4):
        measured = measure_draw(experiment(precision, method, seed=seed), 0)
        expected = reference(NETWORK, SAMPLES, seed=seed).figures
        assert figures(measured) == pytest.approx(expected, rel=STATISTICS[precision])


def test_a_draw_depends_on_its_seed_and_number_alone(precision):
    """Bit by bit, whatever ran before, and whichever precision is JAX's own."""
    seeded = experiment(precision, seed=4)
    first = figures(measure_draw(seeded, 2))
    others = [figures(measure_draw(seeded, draw)) for draw in (0, 1)]
    others.append(figures(measure_draw(experiment(precision, seed=5), 2)))
    assert len({first, *others}) == 4
    for x64 in (False, True):
        with jax.enable_x64(x64):
            assert figures(measure_draw(seeded, 2)) == first
            assert jax.config.jax_enable_x64 is x64


@pytest.mark.parametrize("request_", [Request(), Request(spectrum=True)])
@pytest.mark.parametrize("method", METHODS)
def test_a_gradient_that_is_not_finite_is_refused(method, request_, precision):
    """Inputs whose squares overflow."""
    huge = {"float64": 1e200, "float32": 1e30}[precision]
    inputs = np.full((SAMPLES, 3), huge)
    broken = experiment(precision, method, inputs=inputs, request=request_)
    with pytest.raises(ArithmeticError, match="a gradient is not finite in this precision"):
        measure_draw(broken, 0)


@pytest.mark.parametrize("field", Measurement._fields[:5])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_statistic_that_is_not_finite_is_refused(field, value):
    """Whichever of them, whatever the method."""
    good = Measurement(np.array([2.0, 1.0]), 3.0, None)
    found = {field: np.array([2.0, value]) if field == "leading" else value}
    for measured, refused in ((good, False), (good._replace(**found), True)):
        method = replace(METHODS["dual"], measure=lambda *_, measured=measured: measured)
        stubbed = replace(experiment(), method=method)
        if refused:
            with pytest.raises(ArithmeticError, match="a gradient is not finite"):
                measure_draw(stubbed, 0)
        else:
            assert measure_draw(stubbed, 0) is measured
