"""The network spec: all that the theory and the sampler share."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from meanfield.checks import count, one_of, positive_integer, shown, variance
from meanfield.gaussian.averages import Function
from meanfield.machine.memory import check_memory
from meanfield.numerics.records import Record
from meanfield.spec.activations import Activation, resolve_activation
from meanfield.spec.norms import NORMS, Norm
from meanfield.spec.placement import parse_placement

MANY_LAYERS, LAYER_BYTES = 10_000, 2000  # from where their number is looked at, and what one takes


class Structure(NamedTuple):
    """What of a network is code and not numbers: compiled functions are shared by its values."""

    activation: Activation
    norms: tuple[Norm, ...]


class LayerShape(NamedTuple):
    """How many units a layer l reads and has: M_{l−1} and M_l."""

    inputs: int
    units: int


@dataclass(frozen=True, init=False)
class Network(Record, add=("depth",)):
    """A deep fully connected network with random weights (theory.md section 1).

        u^l = W^l h^{l−1} + b^l,   ū^l = Norm_l(u^l),   h^l = φ(ū^l) for l < L,   f = ū^L
        W^l_ij ~ N(0, σ_w²/M_{l−1}),   b^l_i ~ N(0, σ_b²),   h⁰ = x ∈ R^{M_0}

    Attributes:
        widths: M_0..M_{L−1}, the input dimension and the hidden widths.
        outputs: C, the number of linear outputs.
        activation: φ.
        weight_var: σ_w².
        bias_var: σ_b².
        norms: The name of Norm_l for l = 1..L.
    """

    widths: tuple[int, ...]
    outputs: int
    activation: Activation
    weight_var: float
    bias_var: float
    norms: tuple[str, ...]

    def __init__(
        self,
        *,
        depth: int | None = None,
        width: int | None = None,
        widths: Sequence[int] | None = None,
        outputs: int = 1,
        activation: str | Function | Activation = "relu",
        weight_var: float = 2.0,
        bias_var: float = 0.0,
        norm: str | None = None,
        norms: Sequence[str] | None = None,
    ):
        """Builds and checks a spec.

        Args:
            depth: L, the number of weight layers; with `width` M it means M_0 = … = M_{L−1} = M.
            width: M.
            widths: M_0..M_{L−1} in full, instead of `width`; `depth` may then be left out.
            outputs: C.
            activation: A name (see `meanfield.ACTIVATIONS`), the MODULE:NAME of a function, a
                JAX-traceable elementwise function, or an `Activation`.
            weight_var: σ_w².
            bias_var: σ_b².
            norm: A placement such as `"batch@last"` or `"layer@hidden+batch@last"`.
            norms: The norm of every layer in full, instead of `norm`.

        Raises:
            ValueError: An argument is out of range, arguments contradict each other, or a norm
                would divide by zero or leave nothing of the network.
        """
        set_field = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        set_field("widths", _resolve_widths(depth, width, widths))
        set_field("outputs", count("outputs", outputs))
        set_field("activation", resolve_activation(activation))
        set_field("weight_var", variance("weight_var", weight_var))
        set_field("bias_var", variance("bias_var", bias_var))
        set_field("norms", _resolve_norms(norm, norms, len(self.widths)))
        self._check_norms()

    def _check_norms(self) -> None:
        layers = zip(self.norm_records, self.layers, strict=True)
        for layer, (norm, (_, units)) in enumerate(layers, start=1):
            last = layer == self.depth
            place = "the last layer" if last else f"layer {layer}"
            if flaw := norm.width_flaw(units):
                size = f"outputs={units}" if last else f"a width of {units}"
                outcome = "F = 0" if last else "no gradient passes"
                remedy = f"; there is {norm.name}@hidden" if last and layer > 1 else ""
                raise ValueError(
                    f"norm {norm.name!r} in {place} cannot act on {size}: {flaw}, so {outcome}"
                    f"{remedy}"
                )
            if flaw := norm.division_flaw(self.weight_var, self.bias_var):
                raise ValueError(
                    f"weight_var={self.weight_var:g} with bias_var={self.bias_var:g} makes norm "
                    f"{norm.name!r} in {place} divide by zero: {flaw}"
                )

    @property
    def depth(self) -> int:
        """L, the number of weight layers."""
        return len(self.widths)

    @property
    def width(self) -> int:
        """M: the width, or the first hidden width M_1 where widths differ."""
        return self.widths[1] if self.depth > 1 else self.widths[0]

    @property
    def layers(self) -> tuple[LayerShape, ...]:
        """The shape of every layer, l = 1..L."""
        units = (*self.widths, self.outputs)
        return tuple(LayerShape(*pair) for pair in pairwise(units))

    @property
    def norm_records(self) -> tuple[Norm, ...]:
        """The norm of each layer."""
        return tuple(NORMS[name] for name in self.norms)

    @property
    def structure(self) -> Structure:
        """The activation and the norms."""
        return Structure(self.activation, self.norm_records)

    @property
    def parameters(self) -> int:
        """P = Σ_l M_l (M_{l−1} + 1), the exact number of weights and biases."""
        return sum(layer.units * (layer.inputs + 1) for layer in self.layers)

    @property
    def alpha(self) -> float:
        """α = Σ_{l=1}^{L−1} M_l M_{l−1} / M² (theory.md section 1); 0 for a depth of 1."""
        return sum(a * b for a, b in pairwise(self.widths)) / self.width**2

    def with_norms(self, placement: str | Sequence[str]) -> "Network":
        """The same network under another placement, in short or as the norm of every layer.

        Raises:
            ValueError: It does not exist in this network.
        """
        norms = parse_placement(placement, self.depth) if isinstance(placement, str) else placement
        return Network(
            widths=self.widths,
            outputs=self.outputs,
            activation=self.activation,
            weight_var=self.weight_var,
            bias_var=self.bias_var,
            norms=norms,
        )

    def for_inputs(self, shape: tuple[int, ...]) -> "Network":
        """The network on inputs of that shape, T×M_0.

        One of a single width M takes M_0 from its inputs; where widths differ, M_0 must be theirs.

        Raises:
            ValueError: The widths differ, and M_0 from the inputs' dimension too.
        """
        dimension = shape[1]
        if dimension == self.widths[0]:
            return self
        if len(set(self.widths)) > 1:
            raise ValueError(f"inputs must have shape (T, {self.widths[0]}), T >= 1, got {shape}")
        adapted = copy(self)
        object.__setattr__(adapted, "widths", (dimension, *self.widths[1:]))
        return adapted

    def check_samples(self, samples: object) -> int:
        """`samples` as an int, enough for every norm of this network.

        Raises:
            ValueError: It is no positive integer, or a norm needs more samples.
        """
        T = positive_integer("samples", samples)
        for norm in self.norm_records:
            if norm.min_samples > T:
                raise ValueError(
                    f"samples must be at least {norm.min_samples} for norm {norm.name!r}, got {T}"
                )
        return T


def _resolve_widths(
    depth: int | None, width: int | None, widths: Sequence[int] | None
) -> tuple[int, ...]:
    if widths is None:
        if depth is None or width is None:
            raise ValueError("depth and width are both required, unless widths is given in full")
        layers = count("depth", depth)
        if layers > MANY_LAYERS:
            advice = "take fewer layers"
            check_memory(float(LAYER_BYTES * layers), f"depth={layers}", advice)
        return (positive_integer("width", width),) * layers
    if width is not None:
        raise ValueError(
            f"width and widths exclude each other, got {shown(width)} and {shown(widths)}"
        )
    if isinstance(widths, str) or not isinstance(widths, Sequence) or not widths:
        raise ValueError(f"widths must be a sequence of positive integers, got {shown(widths)}")
    resolved = tuple(positive_integer("widths", w) for w in widths)
    if depth is not None and count("depth", depth) != len(resolved):
        raise ValueError(f"depth must equal the number of widths, {len(resolved)}, got {depth}")
    return resolved


def _resolve_norms(norm: str | None, norms: Sequence[str] | None, depth: int) -> tuple[str, ...]:
    if norms is None:
        return parse_placement("none" if norm is None else norm, depth)
    if norm is not None:
        raise ValueError(f"norm and norms exclude each other, got {shown(norm)} and {shown(norms)}")
    if isinstance(norms, str) or not isinstance(norms, Sequence):
        raise ValueError(f"norms must be a sequence of {depth} norm names, got {shown(norms)}")
    if len(norms) != depth:
        raise ValueError(f"norms must name one norm per layer, {depth} in all, got {len(norms)}")
    return tuple(one_of("norms", name, tuple(NORMS)) for name in norms)
