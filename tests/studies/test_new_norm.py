"""A new combination of norm axes is one line of `NORMS`: the rest follows, measured and predicted.

Here each unit is centred over samples, and each sample then divided by its own root mean square
over units.
"""

import jax
import numpy as np
import pytest
from jacobian import (
    ROUNDING,
    STATISTICS,
    as_measured,
    by_output,
    reference,
    relative_error,
    sample,
)

from meanfield import NORMS, Network, simulate
from meanfield.sampling import dual, krylov
from meanfield.sampling.linearization import materialize
from meanfield.sampling.measurement import LARGEST
from meanfield.sampling.methods import choose_method
from meanfield.sampling.normalize import normalize
from meanfield.spec.norms import SAMPLES, UNITS, Norm

BOTH = Norm("both", SAMPLES, UNITS)


@pytest.fixture(autouse=True)
def _listed(monkeypatch):
    monkeypatch.setitem(NORMS, "both", BOTH)


def network(norm, outputs=4):
    return Network(widths=(5, 6, 4), outputs=outputs, weight_var=1.8, bias_var=0.3, norm=norm)


@pytest.mark.parametrize("precision", ROUNDING)
def test_it_is_what_its_axes_say(precision):
    u = np.random.default_rng(0).normal(size=(9, 5)).astype(precision)
    centred = u.astype(float) - u.astype(float).mean(axis=0)
    expected = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True))
    with as_measured():
        normalized = np.asarray(normalize(BOTH, jax.numpy.asarray(u)))
    assert normalized.dtype == precision
    assert relative_error(normalized, expected) < ROUNDING[precision]


@pytest.mark.parametrize("norm", ["both@hidden", "both@last"])
@pytest.mark.parametrize("precision", ROUNDING)
def test_its_dual_matrix_is_that_of_the_brute_force_jacobian(norm, precision):
    spec, T = network(norm), 9
    with as_measured():
        parameters, inputs = sample(spec, T, precision)
        F = np.asarray(materialize(spec.structure, parameters, inputs)).reshape(4, T, 4, T)
    assert relative_error(F, by_output(reference(spec, T).matrix, 4)) < ROUNDING[precision]


@pytest.mark.parametrize("norm", ["both@hidden", "both@last"])
def test_it_is_measured_with_a_surrogate_and_without(norm):
    """In the last layer the dual matrix has no factors: the probes then see all of F*."""
    spec, T = network(norm), 9
    assert dual.has_factors(spec) == (norm == "both@hidden")
    with as_measured():
        measured = krylov.measure(spec, *sample(spec, T), jax.random.key(0), LARGEST)
    largest, trace, trace_squared = reference(spec, T).figures
    assert measured.leading == pytest.approx([largest], rel=STATISTICS["float64"])
    assert 0 < measured.trace_sem < 0.1 * trace
    assert abs(measured.trace - trace) < 4 * measured.trace_sem
    assert abs(measured.trace_squared - trace_squared) < 4 * measured.trace_squared_sem


@pytest.mark.parametrize("norm", ["both@last", "both@hidden", "both@1"])
def test_the_dual_method_refuses_it(norm):
    assert not dual.supports(network(norm))
    with pytest.raises(ValueError, match=r"method 'dual' needs .* accepted are auto, krylov"):
        choose_method(network(norm), 9, "dual")
    assert choose_method(network(norm), 9).name == "krylov"


def test_its_theory_is_that_of_sampled_networks():
    """Means over draws within 4 standard errors and the finite-width term, 0.8/√M relative."""
    M = 100
    wide = Network(depth=3, width=M, activation="relu", bias_var=0.1, norm="both@hidden")
    result = simulate(wide, M, draws=10)
    assert result.method == "krylov"
    assert result.theory.eigenvalue_max_kind == "outlier"
    for name in ("eigenvalue_max", "eigenvalue_mean"):
        measured, predicted = getattr(result, name), getattr(result.theory, name)
        tolerance = 4 * measured.sem + 0.8 / M**0.5 * predicted
        assert abs(measured.mean - predicted) < tolerance
        assert tolerance < 0.25 * predicted  # a theory 25 % off would fail
