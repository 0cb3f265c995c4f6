"""Mean-field predictions of the Fisher information matrix's spectrum in wide neural networks."""

from importlib import import_module
from typing import TYPE_CHECKING

from meanfield.version import __version__

if TYPE_CHECKING:
    from meanfield import plot
    from meanfield.data.dataset import Data, load_data
    from meanfield.spec.activations import ACTIVATIONS, Activation
    from meanfield.spec.network import Network
    from meanfield.spec.norms import NORMS
    from meanfield.studies.comparison import Comparison, compare
    from meanfield.studies.simulation import (
        Simulation,
        SimulationError,
        SimulationInterrupted,
        simulate,
    )
    from meanfield.studies.validation.validate import validate
    from meanfield.sweeps.dataset import load
    from meanfield.sweeps.grid import Grid
    from meanfield.sweeps.plan import plan
    from meanfield.sweeps.scaling import scaling
    from meanfield.sweeps.sweep import sweep
    from meanfield.sweeps.tables import summarize
    from meanfield.theory.given_inputs.result import GivenPrediction
    from meanfield.theory.predict import predict
    from meanfield.theory.white_noise.diagram import diagram
    from meanfield.theory.white_noise.result import Prediction
    from meanfield.theory.white_noise.spectrum import Spectrum, spectrum
    from meanfield.training.result import Threshold, Training
    from meanfield.training.teacher import teacher
    from meanfield.training.train import train

_HOMES = {
    "ACTIVATIONS": "spec.activations",
    "Activation": "spec.activations",
    "Comparison": "studies.comparison",
    "Data": "data.dataset",
    "GivenPrediction": "theory.given_inputs.result",
    "Grid": "sweeps.grid",
    "NORMS": "spec.norms",
    "Network": "spec.network",
    "Prediction": "theory.white_noise.result",
    "Simulation": "studies.simulation",
    "SimulationError": "studies.simulation",
    "SimulationInterrupted": "studies.simulation",
    "Spectrum": "theory.white_noise.spectrum",
    "Threshold": "training.result",
    "Training": "training.result",
    "compare": "studies.comparison",
    "diagram": "theory.white_noise.diagram",
    "load": "sweeps.dataset",
    "load_data": "data.dataset",
    "plan": "sweeps.plan",
    "predict": "theory.predict",
    "scaling": "sweeps.scaling",
    "simulate": "studies.simulation",
    "spectrum": "theory.white_noise.spectrum",
    "summarize": "sweeps.tables",
    "sweep": "sweeps.sweep",
    "teacher": "training.teacher",
    "train": "training.train",
    "validate": "studies.validation.validate",
}

__all__ = [
    "ACTIVATIONS",
    "NORMS",
    "Activation",
    "Comparison",
    "Data",
    "GivenPrediction",
    "Grid",
    "Network",
    "Prediction",
    "Simulation",
    "SimulationError",
    "SimulationInterrupted",
    "Spectrum",
    "Threshold",
    "Training",
    "__version__",
    "compare",
    "diagram",
    "load",
    "load_data",
    "plan",
    "plot",
    "predict",
    "scaling",
    "simulate",
    "spectrum",
    "summarize",
    "sweep",
    "teacher",
    "train",
    "validate",
]


def __getattr__(name: str):
    # Imported on first use: the sampler's dependencies are not needed to predict.
    if name == "plot":
        return import_module("meanfield.plot")
    if name not in _HOMES:
        raise AttributeError(f"module 'meanfield' has no attribute {name!r}")
    return getattr(import_module(f"meanfield.{_HOMES[name]}"), name)


def __dir__():
    return sorted(__all__)
