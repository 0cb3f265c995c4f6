"""Measurements on sampled networks: their statistics, what fails, and the theory beside them."""

import math
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from jacobian import reference

from meanfield import Network, predict, simulate
from meanfield.sampling import methods
from meanfield.sampling.measurement import Measurement
from meanfield.studies import simulation
from meanfield.studies.simulation import SimulationError, SimulationInterrupted

# One small network throughout: JAX compiles for each size.
NET = Network(widths=(6, 5), bias_var=0.2)
T = 7
NAMES = ("eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment")


def values(result):
    """Every draw of every statistic."""
    return np.array([getattr(result, name).draws for name in NAMES])


def pretend(monkeypatch, measure):
    """Replaces the dual method's measurement by `measure(number of the call)`."""
    calls = count()
    record = replace(methods.METHODS["dual"], measure=lambda *_: measure(next(calls)))
    monkeypatch.setitem(methods.METHODS, "dual", record)


def a_measurement(call):
    return Measurement(
        leading=np.array([call + 1.0]), trace=2.0 * call + 3, trace_squared=5.0 - call
    )


def test_the_statistics_are_those_of_the_measured_networks():
    result = simulate(NET, T, draws=3, seed=4, precision="float64")
    expected = reference(NET, T, seed=4)  # draw 0
    P = NET.parameters
    first = expected.figures / np.array([1, P, P])
    np.testing.assert_allclose(values(result)[:, 0], first, rtol=1e-10)  # Lanczos' tolerance
    for name in NAMES:
        statistic = getattr(result, name)
        assert len(statistic.draws) == 3
        assert statistic.mean == pytest.approx(sum(statistic.draws) / 3, rel=1e-14)
        spread = math.sqrt(sum((x - statistic.mean) ** 2 for x in statistic.draws) / 2)
        assert statistic.sem == pytest.approx(spread / math.sqrt(3), rel=1e-12)
    assert (result.samples, result.seed, result.method) == (T, 4, "dual")
    assert (result.precision, result.estimator_sem, result.eigenvalues) == ("float64", None, None)
    assert result.theory == predict(NET, T)


def test_seconds_are_those_of_the_clock(monkeypatch):
    pretend(monkeypatch, a_measurement)
    readings = iter((100.0, 107.5))
    monkeypatch.setattr(simulation, "time", SimpleNamespace(perf_counter=readings.__next__))
    assert simulate(NET, T, draws=2).seconds == 7.5


def test_a_draw_depends_on_its_seed_and_number_alone():
    five = values(simulate(NET, T, draws=5, seed=1))
    np.testing.assert_array_equal(values(simulate(NET, T, draws=3, seed=1)), five[:, :3])
    other = values(simulate(NET, T, draws=5, seed=2))
    assert len({*five[0], *other[0]}) == 10
    simulate(Network(widths=(6, 5), outputs=2), T, draws=1)  # what ran before does not matter
    np.testing.assert_array_equal(values(simulate(NET, T, draws=2, seed=1)), five[:, :2])


def test_methods_and_precisions_see_the_same_networks():
    """Equal to the rounding of float32, 6e-8, times a hundred operations and Lanczos' 1e-5."""
    exact = values(simulate(NET, T, draws=3, precision="float64"))
    for options in ({}, {"method": "krylov"}):
        np.testing.assert_allclose(values(simulate(NET, T, draws=3, **options)), exact, rtol=3e-5)
    krylov = simulate(NET, T, draws=3, method="krylov", precision="float64")
    np.testing.assert_allclose(values(krylov), exact, rtol=1e-10)
    assert krylov.method == "krylov"


def test_estimates_carry_their_errors():
    """Errors of 4 probes have heavy tails, Student's with 3 degrees of freedom: 10 of them."""
    mixing = Network(widths=(6, 5), activation="tanh", bias_var=0.2, norm="batch@hidden")
    result = simulate(mixing, 40, draws=2, method="krylov")
    errors = result.estimator_sem
    assert set(errors) == set(NAMES[1:])
    exact = simulate(mixing, 40, draws=2, method="krylov", spectrum=True)
    for name, error in errors.items():
        assert len(error) == 2
        deviation = np.subtract(getattr(result, name).draws, getattr(exact, name).draws)
        assert (np.abs(deviation) < 10 * np.array(error)).all()
        assert (np.array(error) > 0).all()
        assert max(error) < 0.05 * getattr(exact, name).mean
    np.testing.assert_allclose(values(result)[0], values(exact)[0], rtol=3e-5)


@pytest.mark.parametrize("options", [{}, {"method": "krylov"}, {"spectrum": True}])
@pytest.mark.parametrize("outputs", [1, 30])
def test_the_second_moment_can_be_left_out(outputs, options):
    network = Network(widths=(6, 5), outputs=outputs, bias_var=0.2)
    whole = simulate(network, T, draws=2, precision="float64", **options)
    part = simulate(network, T, draws=2, precision="float64", second_moment=False, **options)
    assert part.eigenvalue_second_moment is None
    assert any("eigenvalue_second_moment (not asked for)" in note for note in part.notes)
    assert part.to_dict()["eigenvalue_second_moment"] is None
    for name in NAMES[:2]:
        np.testing.assert_allclose(getattr(part, name).draws, getattr(whole, name).draws, rtol=1e-9)


def test_a_single_draw_has_no_standard_error():
    result = simulate(NET, T, draws=1)
    assert all(getattr(result, name).sem is None for name in NAMES)
    assert any("sem" in note and "single draw" in note for note in result.notes)
    assert not any("single draw" in note for note in simulate(NET, T, draws=2).notes)


def test_the_spectrum_is_that_of_every_draw():
    result = simulate(NET, T, draws=2, spectrum=True, precision="float64")
    assert len(result.eigenvalues) == 2
    for d, eigenvalues in enumerate(result.eigenvalues):
        assert (np.diff(eigenvalues) <= 0).all()
        assert eigenvalues.min() > 0
        assert len(eigenvalues) <= T
        sums = (eigenvalues[0], eigenvalues.sum(), (eigenvalues**2).sum())
        np.testing.assert_allclose(values(result)[:, d] * [1, *[NET.parameters] * 2], sums)


def test_a_failing_draw_is_recorded_and_stops_nothing(monkeypatch):
    def measure(call):
        if call == 1:
            raise ArithmeticError("something overflowed")
        return a_measurement(call)._replace(trace=math.nan if call == 3 else 1.0)

    pretend(monkeypatch, measure)
    result = simulate(NET, T, draws=5)
    assert result.eigenvalue_max.draws == (1, 3, 5)
    assert result.eigenvalue_max.mean == 3
    failures = [note for note in result.notes if "failed and is left out" in note]
    assert len(failures) == 2
    assert failures[0].startswith("draw 1 ")
    assert "something overflowed" in failures[0]
    assert failures[1].startswith("draw 3 ")
    assert "not finite" in failures[1]


def test_an_error_that_is_no_failed_draw_is_not_swallowed(monkeypatch):
    def measure(call):
        raise TypeError("a bug")

    pretend(monkeypatch, measure)
    with pytest.raises(TypeError, match="a bug"):
        simulate(NET, T, draws=2)


@pytest.mark.parametrize("options", [{}, {"spectrum": True}, {"method": "krylov"}])
def test_networks_that_divide_by_zero_are_left_out(options):
    """rms over two relu units that are both dead is 0/0; other draws live."""
    network = Network(widths=(2, 2, 2), norm="rms@2")
    result = simulate(network, 4, draws=4, **options)
    failures = [note for note in result.notes if "failed and is left out" in note]
    assert 0 < len(failures) < 4
    assert all("not finite" in note for note in failures)
    assert len(result.eigenvalue_max.draws) == 4 - len(failures)


def test_all_draws_failing_is_an_error(monkeypatch):
    def measure(call):
        raise ArithmeticError(f"overflow {call}")

    pretend(monkeypatch, measure)
    with pytest.raises(SimulationError, match=r"no draw succeeded; draw 2 failed.*overflow 2"):
        simulate(NET, T, draws=3)


def interrupt(after):
    def measure(call):
        if call == after:
            raise KeyboardInterrupt
        return a_measurement(call)

    return measure


def test_an_interrupt_keeps_the_finished_draws(monkeypatch):
    pretend(monkeypatch, interrupt(after=2))
    with pytest.raises(SimulationInterrupted) as interruption:
        simulate(NET, T, draws=9)
    partial = interruption.value.partial
    assert partial.eigenvalue_max.draws == (1, 2)
    assert partial.eigenvalue_max.sem == 0.5
    assert "interrupted: 2 of 9 draws" in partial.notes
    assert isinstance(interruption.value, KeyboardInterrupt)


def test_an_interrupt_before_the_first_draw_keeps_nothing(monkeypatch):
    pretend(monkeypatch, interrupt(after=0))
    with pytest.raises(KeyboardInterrupt) as interruption:
        simulate(NET, T, draws=9)
    assert not isinstance(interruption.value, SimulationInterrupted)


def test_the_global_precision_is_left_alone():
    results = []
    for flag in (False, True):
        with jax.enable_x64(flag):
            results.append(values(simulate(NET, T, draws=2)))
            assert jax.config.jax_enable_x64 is flag
    np.testing.assert_array_equal(*results)


def test_measurements_agree_with_the_theory():
    """Means over draws within 3 standard errors and the finite-width term, 1/√M relative.

    Every placement is held against its theory in `validation/test_white_noise`.
    """
    M = 200
    network = Network(depth=3, width=M, activation="tanh", weight_var=3.0, bias_var=0.64)
    result = simulate(network, M, draws=12)
    for name in NAMES[:2]:
        measured, predicted = getattr(result, name), getattr(result.theory, name)
        tolerance = 3 * measured.sem + predicted / M**0.5
        assert abs(measured.mean - predicted) < tolerance
        assert tolerance < 0.2 * predicted  # a theory 20 % off would fail
