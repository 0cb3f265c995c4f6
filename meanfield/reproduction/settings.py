"""The networks that several figures are of, and how a figure says which."""

from collections.abc import Iterable
from typing import Any

from meanfield.studies.validation.cases import ACTIVATIONS as VARIANCES  # those validated
from meanfield.studies.validation.cases import DEPTH


def spec(activation: str, depth: int = DEPTH) -> dict[str, Any]:
    """What the networks of an activation have in common, as arguments of `Network` or `Grid`."""
    weight_var, bias_var = VARIANCES[activation]
    named = {"activation": activation, "weight_var": weight_var, "bias_var": bias_var}
    return {"depth": depth, **named}


def title(activation: str, *more: str) -> str:
    """What stands above a panel of one activation."""
    weight_var, bias_var = VARIANCES[activation]
    symbols = f"$\\sigma_w^2={weight_var:g}$", f"$\\sigma_b^2={bias_var:g}$"
    return ", ".join([activation, *more, *symbols])


def variances(activations: Iterable[str] = VARIANCES) -> dict[str, str]:
    """Those of each activation, as a parameter of a figure."""
    return {"(σ_w², σ_b²)": "; ".join(f"{name} {VARIANCES[name]}" for name in activations)}
