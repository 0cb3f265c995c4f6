"""What training over learning rates and initializations gives."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from meanfield.network import Network
from meanfield.simulation import Statistic, statistic


@dataclass(frozen=True)
class Threshold:
    """The learning rate from which training diverges, the measured counterpart of 2/λ_max.

        η_c = √(η₋ η₊)

    η₊ is the smallest learning rate at which a draw diverged and η₋ the one below it in the list.

    Attributes:
        mean, sem: Over draws; None unless every draw has a threshold, for a mean over the others
            would be biased; sem also None with a single draw.
        draws: The threshold of every draw; None where it diverged at all learning rates or at
            none.
        resolution: The largest √(η₊/η₋): up to this factor off, a threshold would look the same.
    """

    mean: float | None
    sem: float | None
    draws: tuple[float | None, ...]
    resolution: float | None


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Training:
    """Losses after full-batch gradient descent, over learning rates (axis 0) and draws (axis 1).

    Attributes:
        network: The spec, with the inputs' dimension as M_0.
        samples, seed, steps: T, the seed, and the steps that were asked for.
        learning_rates: η, ascending.
        losses: E after the last step; NaN where it diverged.
        diverged: Whether it did: E not finite, or above `meanfield.descent.DIVERGED` times the
            initial one.
        steps_taken: `steps`, or how many it took to diverge.
        initial_losses: E before the first step, of every draw; NaN where it is not finite.
        loss: For every learning rate the mean over those draws that did not diverge; None where
            all did.
        threshold: From which learning rate on it diverged.
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
    steps_taken: np.ndarray = field(repr=False)
    initial_losses: np.ndarray = field(repr=False)
    loss: tuple[Statistic | None, ...] = field(repr=False)
    threshold: Threshold
    seconds: float
    notes: tuple[str, ...]

    def to_dict(self) -> dict:
        """All fields in plain Python types, null for NaN, as the CLI's `--json` prints them."""
        return {
            **vars(self),
            "network": self.network.to_dict(),
            "learning_rates": list(self.learning_rates),
            "losses": _plain(self.losses),
            "diverged": self.diverged.tolist(),
            "steps_taken": self.steps_taken.tolist(),
            "initial_losses": _plain(self.initial_losses),
            "loss": [None if s is None else asdict(s) for s in self.loss],
            "threshold": asdict(self.threshold),
            "notes": list(self.notes),
        }


def surviving(losses: np.ndarray) -> tuple[Statistic | None, ...]:
    """The mean of every row over what is no NaN; None for a row of NaN."""
    rows = (row[~np.isnan(row)].tolist() for row in losses)
    return tuple(statistic(row) if row else None for row in rows)


def threshold(learning_rates: tuple[float, ...], diverged: np.ndarray) -> Threshold:
    """Where every draw, a column of `diverged`, first diverged."""
    brackets = [_bracket(learning_rates, column) for column in diverged.T]
    found = [bracket for bracket in brackets if bracket is not None]
    draws = tuple(None if b is None else (b[0] * b[1]) ** 0.5 for b in brackets)
    over = statistic([d for d in draws if d is not None]) if len(found) == len(draws) else None
    return Threshold(
        mean=over.mean if over else None,
        sem=over.sem if over else None,
        draws=draws,
        resolution=max(((high / low) ** 0.5 for low, high in found), default=None),
    )


def explain_training(diverged: np.ndarray) -> Iterator[str]:
    """Notes on what a training shows, and why numbers are null."""
    if diverged.any():
        yield f"{diverged.sum()} of {diverged.size} runs diverged; means are over the others"
    draws = diverged.shape[1]
    if never := int((~diverged.any(axis=0)).sum()):
        yield f"threshold: {never} of {draws} draws diverged at no learning rate"
    if always := int(diverged[0].sum()):
        yield f"threshold: {always} of {draws} draws diverged at the smallest learning rate already"
    absent = [
        *(["sem (a single draw)"] if draws == 1 else []),
        *(["threshold's mean (not every draw has one)"] if never or always else []),
    ]
    if absent:
        yield f"null: {', '.join(absent)}"


def _bracket(learning_rates: tuple[float, ...], diverged: np.ndarray) -> tuple[float, float] | None:
    if diverged[0] or not diverged.any():
        return None
    first = int(diverged.argmax())
    return learning_rates[first - 1], learning_rates[first]


def _plain(array: np.ndarray) -> list:
    if array.ndim > 1:
        return [_plain(row) for row in array]
    return [None if np.isnan(x) else x for x in array.tolist()]
