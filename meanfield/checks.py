"""Checks at the public boundary: each names the argument, what was given and what is accepted."""

import math
from numbers import Integral, Real

import numpy as np


def positive_integer(name: str, value: object, least: int = 1) -> int:
    """`value` as an int of at least `least`.

    Raises:
        ValueError: It is anything else; booleans and floats are not taken for integers.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        accepted = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise ValueError(f"{name} must be {accepted}, got {value!r}")
    return int(value)


def random_seed(seed: object) -> int:
    """`seed` as an int from 0 to 2⁶³ − 1.

    Raises:
        ValueError: It is anything else.
    """
    number = positive_integer("seed", seed, least=0)
    if number >= 2**63:
        raise ValueError(f"seed must be below 2**63, got {number}")
    return number


def variance(name: str, value: object) -> float:
    """`value` as a finite float of at least 0.

    Raises:
        ValueError: It is anything else.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and number >= 0:
            return number
    raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")


def variances(name: str, values: object) -> np.ndarray:
    """`values` as a non-empty array of finite floats of at least 0.

    Raises:
        ValueError: They are anything else.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.dtype.kind not in "iuf" or array.size == 0:
        raise ValueError(f"{name} must be a non-empty array of real numbers, got {values!r}")
    array = array.astype(np.float64)
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        raise ValueError(
            f"{name} must be finite and at least 0 everywhere, got {array[wrong][0]:g}"
        )
    return array


def one_of(name: str, value: object, accepted: tuple[str, ...]) -> str:
    """`value`, one of the accepted words.

    Raises:
        ValueError: It is none of them.
    """
    if not isinstance(value, str) or value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(accepted)}, got {value!r}")
    return value
