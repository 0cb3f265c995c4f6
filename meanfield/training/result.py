"""What training over learning rates and initializations gives."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from meanfield.numerics.estimates import Statistic
from meanfield.numerics.records import Record
from meanfield.spec.network import Network


@dataclass(frozen=True)
class Threshold:
    """The learning rate from which something happens, to be held against 2/λ_max.

        η_c = √(η₋ η₊)

    η₊ is the smallest learning rate at which it happened to a draw, η₋ the one below in the list.

    Attributes:
        mean, sem: Over draws; None unless every draw has a threshold, for a mean over the others
            would be biased; sem also None with a single draw.
        draws: The threshold of every draw; None where it happened at all learning rates or at
            none.
        resolution: The largest √(η₊/η₋): up to this factor off, a threshold would look the same.
    """

    mean: float | None
    sem: float | None
    draws: tuple[float | None, ...]
    resolution: float | None


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Training(Record):
    """Losses after full-batch gradient descent, over learning rates (axis 0) and draws (axis 1).

    Attributes:
        network: The spec, with the inputs' dimension as M_0.
        samples, seed, steps: T, the seed, and the steps that were asked for.
        learning_rates: η, ascending.
        losses: E after the last step; NaN where it diverged.
        diverged: Whether it did: E not finite, or above
            `meanfield.training.descent.DIVERGED` times the initial one.
        rose: Whether E ever was above the initial one.
        steps_taken: `steps`, or how many it took to diverge.
        initial_losses: E before the first step, of every draw; NaN where it is not finite.
        loss: For every learning rate the mean over those draws that did not diverge; None where
            all did.
        threshold: From which learning rate on it diverged.
        instability: From which learning rate on E rose. Nonlinear networks can survive η above
            2/λ_max: E rises, and they move to where F is flatter. Here that begins.
        seconds: Wall-clock time of this call, compilation included.
        notes: What else to know.
    """

    network: Network
    samples: int
    seed: int
    steps: int
    learning_rates: tuple[float, ...]
    losses: np.ndarray = field(repr=False)
    diverged: np.ndarray = field(repr=False)
    rose: np.ndarray = field(repr=False)
    steps_taken: np.ndarray = field(repr=False)
    initial_losses: np.ndarray = field(repr=False)
    loss: tuple[Statistic | None, ...] = field(repr=False)
    threshold: Threshold
    instability: Threshold
    seconds: float
    notes: tuple[str, ...]


def surviving(losses: np.ndarray) -> tuple[Statistic | None, ...]:
    """The mean of every row over what is no NaN; None for a row of NaN."""
    rows = (row[~np.isnan(row)].tolist() for row in losses)
    return tuple(Statistic.of(row) if row else None for row in rows)


def threshold(learning_rates: tuple[float, ...], happened: np.ndarray) -> Threshold:
    """From where on it happened to every draw, a column of `happened`."""
    brackets = [_bracket(learning_rates, column) for column in happened.T]
    found = [bracket for bracket in brackets if bracket is not None]
    draws = tuple(None if b is None else (b[0] * b[1]) ** 0.5 for b in brackets)
    over = Statistic.of([d for d in draws if d is not None]) if len(found) == len(draws) else None
    return Threshold(
        mean=over.mean if over else None,
        sem=over.sem if over else None,
        draws=draws,
        resolution=max(((high / low) ** 0.5 for low, high in found), default=None),
    )


def explain_training(diverged: np.ndarray, rose: np.ndarray) -> Iterator[str]:
    """Notes on what a training shows, and why numbers are null."""
    if diverged.any():
        yield f"{diverged.sum()} of {diverged.size} runs diverged; means are over the others"
    draws = diverged.shape[1]
    absent = ["sem (a single draw)"] if draws == 1 else []
    for name, happened in (("threshold", diverged), ("instability", rose)):
        never, always = int((~happened.any(axis=0)).sum()), int(happened[0].sum())
        if never or always:
            absent.append(
                f"{name}'s mean (of {draws} draws {never} had it at no learning rate, {always} at "
                f"the smallest already)"
            )
    if absent:
        yield f"null: {', '.join(absent)}"


def _bracket(learning_rates: tuple[float, ...], happened: np.ndarray) -> tuple[float, float] | None:
    if happened[0] or not happened.any():
        return None
    first = int(happened.argmax())
    return learning_rates[first - 1], learning_rates[first]
