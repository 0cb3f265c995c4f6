"""What a type checker knows of the public names: `make types` reads this, nothing runs it.

`assert_type` fails on Any, so that nothing public loses its type without a word.
"""

from typing import assert_type

import jax
import matplotlib.axes
import numpy as np
import pandas
import xarray

import meanfield as mf
from meanfield.spec.norms import Norm
from meanfield.studies.validation.report import Report
from meanfield.sweeps.plan import Plan

assert_type(mf.__version__, str)
assert_type(mf.ACTIVATIONS, dict[str, mf.Activation])
assert_type(mf.NORMS, dict[str, Norm])


def specs(network: mf.Network, activation: mf.Activation, u: jax.Array) -> None:
    assert_type(mf.Network(depth=3, width=10), mf.Network)
    assert_type(network.widths, tuple[int, ...])
    assert_type(network.weight_var, float)
    assert_type(network.parameters, int)
    assert_type(activation(u), jax.Array)


def theory(network: mf.Network, x: np.ndarray, p: mf.Prediction, g: mf.GivenPrediction) -> None:
    assert_type(mf.predict(network, samples=10), mf.Prediction)
    assert_type(mf.predict(network, inputs=x), mf.GivenPrediction)
    assert_type(p.eigenvalue_max, float | None)
    assert_type(p.learning_rate_max, float | None)
    assert_type(g.eigenvalue_max, float | None)
    assert_type(g.eigenvalues, np.ndarray | None)
    assert_type(mf.spectrum(network, 10.0), mf.Spectrum)
    assert_type(mf.spectrum(network, 10.0).eigenvalue_max, jax.Array)
    assert_type(mf.diagram(network, 10, x, x), mf.Spectrum)


def networks(network: mf.Network, x: np.ndarray, data: mf.Data) -> None:
    assert_type(mf.load_data("digits"), mf.Data)
    assert_type(data.inputs, np.ndarray)
    assert_type(mf.simulate(network, 10), mf.Simulation)
    assert_type(mf.simulate(network, 10).theory, mf.Prediction | mf.GivenPrediction)
    assert_type(mf.compare(network, inputs=data), mf.Comparison)
    assert_type(mf.compare(network, 10).to_frame(), pandas.DataFrame)
    assert_type(mf.validate(quick=True), Report)
    assert_type(mf.teacher(network, 10), tuple[np.ndarray, np.ndarray])
    assert_type(mf.train(network, x, x, learning_rates=[0.1]), mf.Training)
    assert_type(mf.train(network, x, x, learning_rates=[0.1]).threshold, mf.Threshold)


def failures(interrupted: mf.SimulationInterrupted, failed: mf.SimulationError) -> None:
    assert_type(interrupted.partial, mf.Simulation)
    assert_type(str(failed), str)


def sweeps(grid: mf.Grid, cells: xarray.Dataset) -> None:
    assert_type(mf.Grid(depth=3, width=10, samples=10), mf.Grid)
    assert_type(mf.plan(grid, "store"), Plan)
    assert_type(mf.sweep(grid, "store"), xarray.Dataset)
    assert_type(mf.load("store"), xarray.Dataset)
    assert_type(mf.scaling(cells), xarray.Dataset)
    assert_type(mf.summarize(cells), pandas.DataFrame)
    assert_type(mf.plot.along(cells, "width"), matplotlib.axes.Axes)
