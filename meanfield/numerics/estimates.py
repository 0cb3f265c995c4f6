"""Means, medians and quantiles of samples, none of them without its standard error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A value and its standard error."""

    value: float
    sem: float

    @property
    def relative(self) -> float:
        """The standard error over the value."""
        return self.sem / self.value


@dataclass(frozen=True)
class Statistic:
    """One statistic over draws.

    Attributes:
        mean: The mean over draws.
        sem: Its standard error, None with a single draw.
        draws: The value of every draw.
    """

    mean: float
    sem: float | None
    draws: tuple[float, ...]

    @classmethod
    def of(cls, draws: Sequence[float]) -> "Statistic":
        """The statistic of these draws."""
        mean, sem = mean_and_sem(np.asarray(draws, float))
        values = tuple(float(value) for value in draws)
        return cls(float(mean), float(sem) if len(values) > 1 else None, values)


def mean_and_sem(values: np.ndarray, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """The mean of what is no NaN along an axis, and its standard error, NaN of fewer than two.

    x̄ = (1/n) Σ x_i,   sem = √(Σ (x_i − x̄)² / (n (n − 1)))
    """
    count = np.sum(~np.isnan(values), axis=axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nansum(values, axis=axis) / count
        squares = np.nansum((values - np.expand_dims(mean, axis)) ** 2, axis=axis)
        return mean, np.sqrt(squares / (count * (count - 1.0)))


def mean_of(values: np.ndarray) -> Estimate:
    """Their mean, with its standard error."""
    return Estimate(*map(float, mean_and_sem(values)))


def median_of(values: np.ndarray) -> Estimate:
    """Their median, with its standard error."""
    return quantile(values, 0.5)


def quantile(values: np.ndarray, p: float) -> Estimate:
    """The p-quantile, with half the distance between the order statistics one √(n p (1−p)) off.

    That distance is the quantile's binomial confidence interval: no density is estimated, and
    heavy tails do not matter.
    """
    spread = np.sqrt(p * (1 - p) / len(values))
    low, middle, high = np.quantile(values, np.clip([p - spread, p, p + spread], 0, 1))
    return Estimate(float(middle), float(high - low) / 2)
