"""The norms, by name. Adding one means adding one record and naming it here."""

from meanfield.norms.base import Norm
from meanfield.norms.batch import BATCH
from meanfield.norms.layer_mean import LAYER_MEAN
from meanfield.norms.mean import MEAN
from meanfield.norms.per_sample import LAYER, ROOT_MEAN_SQUARE
from meanfield.norms.plain import PLAIN

NORMS: dict[str, Norm] = {
    norm.name: norm for norm in (PLAIN, MEAN, BATCH, LAYER_MEAN, LAYER, ROOT_MEAN_SQUARE)
}

__all__ = ["NORMS", "Norm"]
