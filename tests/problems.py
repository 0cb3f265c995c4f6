"""Problems with known answers: predictions in print."""

from dataclasses import dataclass
from decimal import Decimal

from meanfield.spec.network import Network

TANH = {"activation": "tanh", "weight_var": 3.0, "bias_var": 0.64}
RELU = {"activation": "relu", "weight_var": 2.0, "bias_var": 0.1}
LINEAR = {"activation": "linear", "weight_var": 1.0, "bias_var": 0.1}


@dataclass(frozen=True)
class Anchor:
    """κ₁ and κ₂ of a plain network of three equally wide layers, as digits in print."""

    setting: dict
    kappa1: str
    kappa2: str


# Linear by hand: q̂ = 1, 1.1, 1.2 and 0, 0.1, 0.2, every q̃ = 1, α = 2. ReLU's κ₁ likewise.
ANCHORS = {
    "tanh": Anchor(TANH, "0.955521904183", "0.118615372063"),
    "relu": Anchor(RELU, "1.575", "0.4014942173"),
    "linear": Anchor(LINEAR, "1.65", "0.15"),
}


@dataclass(frozen=True)
class Row:
    """A row of theory.md section 10: widths in units of 300, T = 300, predictions in print."""

    setting: dict
    norms: str
    outputs: int
    ratios: tuple[float, ...]
    largest: str
    mean: str

    @property
    def network(self) -> Network:
        """The row's network."""
        return Network(
            widths=[int(300 * r) for r in self.ratios],
            norms=self.norms.split(),
            outputs=self.outputs,
            **self.setting,
        )


_3, _4, _5 = (1,) * 3, (1,) * 4, (1,) * 5
SECTION_10 = [
    Row(TANH, "none none none", 1, _3, "75.2", ".00318"),
    Row(TANH, "none batch none none none", 1, _5, "113.2", ".00232"),
    Row(TANH, "none none batch none none", 1, (1, 2, 1, 0.5, 1), "51.4", ".00246"),
    Row(TANH, "layer layer layer none", 1, _4, "115.7", ".00128"),
    Row(TANH, "layer batch layer none", 2, _4, "41.2", ".00325"),
    Row(RELU, "none mean none", 1, _3, "68.5", ".00394"),
    Row(RELU, "batch batch none", 1, _3, "50.1", ".00289"),
    Row(RELU, "none batch none none none", 1, _5, "206.0", ".00240"),
    Row(RELU, "layer batch layer none", 2, _4, "112.4", ".00459"),
    Row(TANH, "none none mean", 1, _3, "6.04", ".00277"),
    Row(RELU, "none none batch", 2, _3, "9.34", ".00750"),
]


def assert_printed(value: float, digits: str) -> None:
    """`value` rounds to the printed digits: half a unit of the last one is the tolerance."""
    half_a_unit = 0.5 * 10.0 ** Decimal(digits).as_tuple().exponent
    assert abs(value - float(digits)) <= half_a_unit * (1 + 1e-9)
