"""Checks at the public boundary: each names the argument, what was given and what is accepted."""

import math
import re
from contextlib import suppress
from numbers import Integral, Real
from pathlib import Path, PurePath

import numpy as np

LONGEST = 200  # characters of what was given that a message repeats
ENDS = 90, 60  # how many of them from its start and its end
MOST = 10**60  # of widths and samples, whose powers are numbers too
BEYOND = 2**63  # more than anything can be counted to
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # a path that was one has lost its second slash


def shown(value: object) -> str:
    """What was given, as messages repeat it: on one line, and the middle left out if it is long."""
    try:
        text = str(value) if isinstance(value, PurePath) else repr(value)
    except Exception:  # a number of too many digits, or an object that refuses
        text = f"a {type(value).__name__}"
    return shortened(" ".join(text.splitlines()))


def shortened(text: str) -> str:
    """The text, or both its ends and how long it was."""
    if len(text) <= LONGEST:
        return text
    start, end = ENDS
    return f"{text[:start]}... ({len(text)} characters) ...{text[-end:]}"


def reason(error: BaseException) -> str:
    """What an error says, in a line."""
    lines = str(error).strip().splitlines()
    return shortened(lines[0] if lines else repr(error))


def positive_integer(name: str, value: object, least: int = 1) -> int:
    """`value` as an int from `least` to 10⁶⁰.

    Raises:
        ValueError: It is anything else; booleans and floats are not taken for integers.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        accepted = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise ValueError(f"{name} must be {accepted}, got {shown(value)}")
    number = int(value)
    if number > MOST:
        raise ValueError(f"{name} must be at most 1e60, got {shown(number)}")
    return number


def count(name: str, value: object, least: int = 1) -> int:
    """`value` as an int from `least` to 2⁶³ − 1, of what exists or happens one by one.

    Raises:
        ValueError: It is anything else.
    """
    number = positive_integer(name, value, least)
    if number >= BEYOND:
        raise ValueError(f"{name} must be below 2**63, got {number}")
    return number


def random_seed(seed: object) -> int:
    """`seed` as an int from 0 to 2⁶³ − 1.

    Raises:
        ValueError: It is anything else.
    """
    return count("seed", seed, least=0)


def variance(name: str, value: object) -> float:
    """`value` as a finite float of at least 0.

    Raises:
        ValueError: It is anything else.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):  # an integer may be beyond every float
            number = float(value)
            if math.isfinite(number) and number >= 0:
                return number
    raise ValueError(f"{name} must be a finite number of at least 0, got {shown(value)}")


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
        raise ValueError(f"{name} must be a non-empty array of real numbers, got {shown(values)}")
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
        raise ValueError(f"{name} must be one of {', '.join(accepted)}, got {shown(value)}")
    return value


def local_folder(name: str, value: Path | str) -> Path:
    """`value` as the path of a folder, which need not be there.

    Raises:
        ValueError: It is a URL, which as a path would be a folder here.
    """
    text = shortened(str(value))
    if URL.match(text):
        raise ValueError(f"{name} must be a folder of this machine such as runs/a, got {text}")
    return Path(value)
