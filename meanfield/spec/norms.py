"""The norms: along which axis pre-activations are centred, and along which they are divided.

On the T×M batch of a layer's pre-activations u (theory.md section 1):

    ū = (u − mean of u over `centre`) / (root mean square of what is left over `divide`)
"""

from dataclasses import dataclass
from enum import Enum


class Axis(Enum):
    """An axis of a layer's T×M batch of pre-activations."""

    SAMPLES = 0
    UNITS = 1


SAMPLES, UNITS = Axis.SAMPLES, Axis.UNITS


@dataclass(frozen=True)
class Norm:
    """A normalization of pre-activations.

    What the sampler does with it is `meanfield.sampling.normalize`, what the theory says of it
    `meanfield.theory.norms`. Both ask for the axes only: a new combination is a line in `NORMS`.

    Attributes:
        name: The name in a network's spec.
        centre: The axis over which the mean is subtracted, if any.
        divide: The axis over which the root mean square is divided by, if any.

    Raises:
        ValueError: The division is over samples of units that are not centred over samples. Such a
            root mean square stays random in wide networks, and there is no theory of it.
    """

    name: str
    centre: Axis | None = None
    divide: Axis | None = None

    def __post_init__(self):
        """Refuses what there is no theory of."""
        if self.divide is SAMPLES and self.centre is not SAMPLES:
            raise ValueError(
                f"norm {self.name!r} must centre over samples to divide over them, got "
                f"centre={self.centre}"
            )

    @property
    def mixes_samples(self) -> bool:
        """Whether one sample's output depends on the other samples."""
        return SAMPLES in (self.centre, self.divide)

    @property
    def mixes_both(self) -> bool:
        """Whether the norm mixes samples and units."""
        return self.mixes_samples and UNITS in (self.centre, self.divide)

    @property
    def random_outputs(self) -> bool:
        """Whether λ_max stays random in wide networks where the norm acts on few outputs.

        Each sample's outputs are then divided by their own spread (theory.md section 6).
        """
        return self.divide is UNITS

    @property
    def lost_directions(self) -> int:
        """How many of M units' directions the centring projects away."""
        return 1 if self.centre is UNITS else 0

    @property
    def min_samples(self) -> int:
        """The fewest samples for which the norm and its theory exist.

        Of two samples centring leaves something; the mean of 1/σ² over networks needs four.
        """
        return 4 if self.divide is SAMPLES else 2 if self.mixes_samples else 1

    @property
    def few_samples(self) -> int:
        """Below this many samples the theory's error in a hidden layer, 2/T, needs a note."""
        return 50 if self.divide is SAMPLES else 1

    def width_flaw(self, units: int) -> str | None:
        """Why nothing is left of a layer of so many units, if so."""
        free = units - self.lost_directions
        if self.divide is UNITS and free < 2:
            return "in one dimension the division leaves only a sign"
        return "the only unit is subtracted from itself" if free < 1 else None

    def division_flaw(self, weight_var: float, bias_var: float) -> str | None:
        """Why the norm divides by zero at these variances, if it does."""
        if self.divide is None or weight_var > 0:
            return None
        if self.mixes_samples:
            return "every unit is constant over the samples"
        return "every unit is zero" if bias_var == 0 else None

    def divergence(self, outputs: int) -> str | None:
        """What has no finite mean over networks with so many normalized outputs, if so.

        With n free output directions E[1/|û|²] exists for n > 2 and E[1/|û|⁴] for n > 4.
        """
        free = outputs - self.lost_directions
        if self.divide is not UNITS or free > 4:
            return None
        if free < 3:
            return "the mean over networks of every eigenvalue statistic is infinite"
        return "its mean over networks is infinite"


NORMS: dict[str, Norm] = {
    norm.name: norm
    for norm in (
        Norm("none"),
        Norm("mean", SAMPLES),
        Norm("batch", SAMPLES, SAMPLES),
        Norm("layer-mean", UNITS),
        Norm("layer", UNITS, UNITS),
        Norm("rms", None, UNITS),
    )
}
