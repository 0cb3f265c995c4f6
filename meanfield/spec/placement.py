"""The shorthand for where norms act: `batch@last`, `layer@hidden+batch@last`, `mean@2`."""

from difflib import get_close_matches

from meanfield.checks import shown
from meanfield.spec.norms import NORMS


def parse_placement(placement: str, depth: int) -> tuple[str, ...]:
    """The norm of each of `depth` layers, from the shorthand.

    A placement is `none` or KIND@WHERE terms joined by `+`; WHERE is `last`, `hidden` (every
    hidden layer), `all`, or a layer's number from 1 to L.

    Raises:
        ValueError: A term is malformed, names no norm or no layer, or two terms name one layer.
    """
    norms = ["none"] * depth
    if placement == "none":
        return tuple(norms)
    if not isinstance(placement, str):
        raise ValueError(f"norm must be a placement such as 'batch@last', got {shown(placement)}")
    taken: set[int] = set()
    for term in placement.split("+"):
        kind, separator, where = term.strip().partition("@")
        if not separator:
            raise ValueError(
                f"norm must be 'none' or KIND@last, KIND@hidden, KIND@all or KIND@NUMBER, "
                f"joined by '+', got {shown(placement)}{_hint(kind, 'last')}"
            )
        if kind not in NORMS:
            accepted = ", ".join(NORMS)
            hint = _hint(kind, where)
            raise ValueError(f"norm must be one of {accepted}, got {shown(kind)}{hint}")
        layers = _layers(where, depth, placement)
        if taken & layers:
            raise ValueError(f"norm names layer {min(taken & layers)} twice in {shown(placement)}")
        taken |= layers
        for layer in layers:
            norms[layer - 1] = kind
    return tuple(norms)


def _hint(kind: str, where: str) -> str:
    """What may have been meant: libraries write LayerNorm, batch_norm and the like."""
    plain = kind.lower().replace("_", "-").removesuffix("norm").strip("-")
    near = [plain] if plain in NORMS else get_close_matches(plain, NORMS, 1)
    if not near:
        return ""
    meant = f"{near[0]}@{where}" if near[0] != "none" else "none"
    return f"; did you mean {shown(meant)}?"


def _layers(where: str, depth: int, placement: str) -> set[int]:
    named = {
        "last": {depth},
        "hidden": set(range(1, depth)),
        "all": set(range(1, depth + 1)),
    }
    if where in named:
        layers = named[where]
    elif where.isascii() and where.isdigit() and 1 <= int(where) <= depth:
        layers = {int(where)}
    else:
        raise ValueError(
            f"norm must place each kind at last, hidden, all or a layer from 1 to {depth}, "
            f"got {shown(placement)}"
        )
    if not layers:
        raise ValueError(f"norm {shown(placement)} names hidden layers, but a depth of 1 has none")
    return layers
