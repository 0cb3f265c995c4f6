"""The networks that the theory is held against, and how much to spend on each."""

from dataclasses import dataclass
from typing import NamedTuple

from meanfield.spec.network import Network

DEPTH = 3
ACTIVATIONS = {  # (σ_w², σ_b²)
    "tanh": (3.0, 0.64),
    "relu": (2.0, 0.1),
    "linear": (1.0, 0.1),
}
PLACEMENTS = {  # the numbers of outputs that each is tried with
    "none": (1, 4),
    "mean@1": (4, 1),
    "mean@hidden": (1, 4),
    "mean@last": (4, 1),
    "batch@1": (1, 4),
    "batch@2": (4, 1),
    "batch@hidden": (1, 4),
    "batch@last": (4, 1),
    "batch@all": (1, 4),
    "layer@hidden": (4, 1),
    "rms@hidden": (1, 4),
    "layer-mean@all": (4,),
    "layer@1+batch@2": (1, 4),
    "layer@hidden+batch@last": (4, 1),
    "layer@last": (4,),
    "rms@last": (4,),
}


class Effort(NamedTuple):
    """How much to spend on each case.

    Attributes:
        width: M = T.
        sem: The relative standard error of λ_max that outlier rows are drawn to.
        max_draws: The most networks per row.
        output_draws: Draws of the theory's λ_max where it is random at finite T.
    """

    width: int
    sem: float
    max_draws: int
    output_draws: int


FULL = Effort(width=400, sem=0.015, max_draws=1536, output_draws=8000)  # tolerance 8 %
QUICK = Effort(width=200, sem=0.02, max_draws=96, output_draws=200)


@dataclass(frozen=True)
class Case:
    """One network to compare: a placement, an activation, a number of outputs, and its inputs."""

    placement: str
    activation: str
    outputs: int
    inputs: str = "white noise"

    def network(self, width: int) -> Network:
        """The spec at that width."""
        weight_var, bias_var = ACTIVATIONS[self.activation]
        return Network(
            depth=DEPTH,
            width=width,
            outputs=self.outputs,
            activation=self.activation,
            weight_var=weight_var,
            bias_var=bias_var,
            norm=self.placement,
        )


def cases(quick: bool) -> list[Case]:
    """Every placement with every activation; quick takes the first number of outputs only."""
    return [
        Case(placement, activation, C)
        for placement, outputs in PLACEMENTS.items()
        for activation in ACTIVATIONS
        for C in (outputs[:1] if quick else outputs)
    ]
