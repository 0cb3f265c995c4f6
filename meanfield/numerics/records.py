"""Results in plain Python types, as JSON knows them and the command line's `--json` prints them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, ClassVar


class Record:
    """A dataclass that can be printed.

    What is printed besides its fields, and what is not, is declared with the class:

        @dataclass(frozen=True)
        class Report(Record, add=("passed",), omit=("inputs",)): ...

    Args:
        add: Properties to print after the fields.
        omit: Fields that are not printed.
    """

    _add: ClassVar[tuple[str, ...]] = ()
    _omit: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, add: tuple[str, ...] = (), omit: tuple[str, ...] = ()):
        """Keeps what the class declares, beside what its bases did."""
        super().__init_subclass__()
        cls._add, cls._omit = (*cls._add, *add), (*cls._omit, *omit)

    def to_dict(self) -> dict:
        """All fields in plain Python types, as the command line's `--json` prints them."""
        here: Any = self
        names = [field.name for field in fields(here) if field.name not in self._omit]
        return {name: plain(getattr(self, name)) for name in (*names, *self._add)}


def plain(value: Any) -> Any:
    """A value without NumPy's and our own types: what JSON knows, None for NaN.

    Arrays and tuples become lists, records dictionaries of their fields, members of an enumeration
    their values, paths and functions the text that they print as.

    Raises:
        TypeError: It is of another type.
    """
    if hasattr(value, "tolist"):  # an array, or a number of NumPy's or JAX's
        return plain(value.tolist())
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return _plain_parts(value)


def _plain_parts(value: Any) -> Any:
    """Of what has parts, or stands for a text."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if callable(value) or isinstance(value, PurePath):  # before records: an activation is both
        return str(value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    raise TypeError(f"a record must hold numbers, text and records, got {type(value).__name__}")
