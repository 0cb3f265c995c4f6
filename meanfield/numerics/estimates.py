"""Quantiles of a sample, with their standard errors."""

from typing import NamedTuple

import numpy as np


class Quantile(NamedTuple):
    """A sample quantile and its standard error."""

    value: float
    sem: float


def quantile(values: np.ndarray, p: float) -> Quantile:
    """The p-quantile, with half the distance between the order statistics one √(n p (1−p)) off.

    That distance is the quantile's binomial confidence interval: no density is estimated, and
    heavy tails do not matter.
    """
    spread = np.sqrt(p * (1 - p) / len(values))
    low, middle, high = np.quantile(values, np.clip([p - spread, p, p + spread], 0, 1))
    return Quantile(float(middle), float(high - low) / 2)
