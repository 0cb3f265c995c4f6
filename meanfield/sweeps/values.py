"""The values of a grid's fields, as files hold them and as labels."""

from collections.abc import Callable, Sequence

import numpy as np

from meanfield.spec.activations import Activation, importable_name
from meanfield.spec.modules import is_path


def converted(activation: object, convert: Callable[[str], Activation]):
    """An activation or a list of them, with a record for each that is in a module by its name."""
    if isinstance(activation, list | tuple):
        return [converted(value, convert) for value in activation]
    return convert(activation) if is_path(activation) else activation  # type: ignore[arg-type]


def plain(value: object):
    """Without NumPy's types, tuples and functions, which JSON and TOML do not know."""
    if callable(value):  # an activation
        return importable_name(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def label(value: object):
    """A value as a number or text."""
    return ",".join(map(str, value)) if isinstance(value, list) else value
