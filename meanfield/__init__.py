"""Mean-field predictions of the Fisher information matrix's spectrum in wide neural networks."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meanfield import plot
    from meanfield.activations import ACTIVATIONS, Activation
    from meanfield.comparison import Comparison, compare
    from meanfield.data import Data, load_data
    from meanfield.diagrams import diagram
    from meanfield.exponents import scaling
    from meanfield.given import GivenPrediction
    from meanfield.grids import Grid
    from meanfield.network import Network
    from meanfield.norms import NORMS
    from meanfield.prediction import Prediction, Spectrum, predict, spectrum
    from meanfield.simulation import Simulation, simulate
    from meanfield.sweep_plan import plan
    from meanfield.sweep_store import load
    from meanfield.sweep_tables import summarize
    from meanfield.sweeps import sweep
    from meanfield.training import train
    from meanfield.training_data import teacher
    from meanfield.training_result import Threshold, Training
    from meanfield.validation import validate

__version__ = "0.1.0"

_HOMES = {
    "ACTIVATIONS": "activations",
    "Activation": "activations",
    "Comparison": "comparison",
    "Data": "data",
    "GivenPrediction": "given",
    "Grid": "grids",
    "NORMS": "norms",
    "Network": "network",
    "Prediction": "prediction",
    "Simulation": "simulation",
    "Spectrum": "prediction",
    "Threshold": "training_result",
    "Training": "training_result",
    "compare": "comparison",
    "diagram": "diagrams",
    "load": "sweep_store",
    "load_data": "data",
    "plan": "sweep_plan",
    "predict": "prediction",
    "scaling": "exponents",
    "simulate": "simulation",
    "spectrum": "prediction",
    "summarize": "sweep_tables",
    "sweep": "sweeps",
    "teacher": "training_data",
    "train": "training",
    "validate": "validation",
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
