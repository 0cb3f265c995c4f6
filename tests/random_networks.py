"""Random networks of every kind, with numbers from the usual to the absurd."""

from typing import NamedTuple

import numpy as np
from custom_activations import KINKED, swish
from hypothesis import strategies as st

from meanfield.spec.activations import ACTIVATIONS, Activation
from meanfield.spec.network import Network
from meanfield.spec.norms import NORMS, UNITS

ACTIVATION = [*ACTIVATIONS.values(), KINKED, Activation("swish2", swish)]
OUTPUTS = (1, 2, 3, 4, 5, 6, 10, 1000, 10**9)
DEPTHS = (1, 2, 3, 4, 6, 30)


class Kind(NamedTuple):
    """What of a network costs a compilation; all else is numbers."""

    activation: Activation
    last: str
    outputs: int
    depth: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Kind":
        """Any that is a network."""
        while True:
            activation = ACTIVATION[rng.integers(len(ACTIVATION))]
            last, outputs, depth = (rng.choice(x).item() for x in ([*NORMS], OUTPUTS, DEPTHS))
            if NORMS[last].width_flaw(outputs) is None:
                return cls(activation, last, outputs, depth)


# In closed form, and the theory's two ways to read a spectrum off: quick to compile.
QUICK = tuple(Kind(ACTIVATIONS["erf"], last, 6, 3) for last in ("mean", "layer"))


def kinds(number: int, seed: int = 0) -> list[Kind]:
    """So many different ones, those first that cost least."""
    rng, found = np.random.default_rng(seed), dict.fromkeys(QUICK[:number])
    while len(found) < number:
        found[Kind.drawn(rng)] = None
    return list(found)


class Spec(NamedTuple):
    """Arguments of `Network` and `predict`, which may be refused."""

    network: dict
    samples: int
    output_draws: int

    @property
    def usual(self) -> bool:
        """Whether it is nothing out of the ordinary, and must have a prediction."""
        return (
            min(self.network["widths"]) >= 3
            and self.samples >= 4
            and 0.01 <= self.network["weight_var"] <= 10
            and self.network["bias_var"] <= 10
        )


SIZES = st.one_of(
    *2 * [st.integers(3, 300)],
    *2 * [st.floats(0, 9).map(lambda power: round(10**power))],
    st.integers(1, 4),
    st.sampled_from([10**12, 10**30, 10**60]),
)
VARIANCES = st.one_of(
    *2 * [st.floats(0.1, 4)],
    st.floats(-12, 12).map(lambda power: 10**power),
    st.floats(0, 1.79e308),
    st.sampled_from([0.0, 5e-324, 1e-308, 1e-200, 1e-100, 1e100, 1e200, 1e300, 1.79e308]),
)
FACTORS = st.floats(-3, 3).map(lambda power: 10**power)


def lists(of: st.SearchStrategy, size: int) -> st.SearchStrategy:
    """So many values, all of them different or all the same."""
    return st.lists(of, min_size=size, max_size=size) | of.map(lambda value: [value] * size)


@st.composite
def specs(draw, kind: Kind) -> Spec:
    """Of that kind, with any numbers and any norms in the hidden layers."""
    network = {
        "activation": kind.activation,
        "outputs": kind.outputs,
        "widths": draw(lists(SIZES, kind.depth)),
        "norms": [*draw(lists(st.sampled_from(list(NORMS)), kind.depth - 1)), kind.last],
        "weight_var": draw(VARIANCES),
        "bias_var": draw(VARIANCES | st.just(0.0)),
    }
    samples = draw(SIZES)
    few = samples <= 300 and kind.outputs <= 10 and NORMS[kind.last].divide is UNITS
    return Spec(network, samples, draw(st.sampled_from([0, 2, 5])) if few else 0)


@st.composite
def usual_networks(draw, kind: Kind, hidden: list[str], bias_var: float = 0.0) -> Network:
    """Of that kind, of usual size, with any of these norms in the hidden layers."""
    return Network(
        activation=kind.activation,
        outputs=kind.outputs,
        widths=draw(lists(st.integers(3, 2000), kind.depth)),
        norms=[*draw(lists(st.sampled_from(hidden), kind.depth - 1)), kind.last],
        weight_var=draw(st.floats(0.3, 3)),
        bias_var=bias_var,
    )
