"""Theory against measurement, a row per number: what stands below a figure."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from meanfield.theory.kinds import Kind

if TYPE_CHECKING:
    import pandas
    import xarray

LARGEST = "eigenvalue_max"


class Number(NamedTuple):
    """One row of theory against measurement.

    Attributes:
        what: What it is, and of what.
        theory: The prediction.
        measured, sem: The mean or median over draws and its standard error.
        is_bound: Whether the prediction is a lower bound.
        is_exponent: Whether these are exponents: their difference counts, and not their ratio.
    """

    what: str
    theory: float | None
    measured: float | None = None
    sem: float | None = None
    is_bound: bool = False
    is_exponent: bool = False

    @classmethod
    def of(
        cls, what: str, theory: Any, measured: Any = None, sem: Any = None, **said: bool
    ) -> Self:
        """A row of numbers out of a table, where NaN stands for none."""
        return cls(what, _known(theory), _known(measured), _known(sem), **said)


def _known(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def numbers(cells: "pandas.DataFrame", what: Callable, variable: str = LARGEST) -> list[Number]:
    """A row per cell of `meanfield.summarize`, called what `what` makes of it."""
    columns = [f"theory_{variable}", variable, f"{variable}_sem"]
    bounds = (are_bounds(cells) & (variable == LARGEST)).tolist()
    rows = zip(cells.itertuples(), cells[columns].itertuples(index=False), bounds, strict=True)
    return [Number.of(what(cell), *values, is_bound=bound) for cell, values, bound in rows]


def exponents(fits: "xarray.Dataset", what: Callable) -> list[Number]:
    """A row per exponent of `meanfield.scaling`, called what `what` makes of it."""
    return [
        Number.of(what(fit), fit.theory_exponent, fit.exponent, fit.exponent_sem, is_exponent=True)
        for fit in fits.to_dataframe().reset_index().itertuples()
    ]


def limits(fits: "xarray.Dataset", what: Callable) -> list[Number]:
    """A row per limit of `meanfield.scaling` that there is, called what `what` makes of it."""
    rows = [
        Number.of(what(fit), fit.theory_limit, fit.limit, fit.limit_sem)
        for fit in fits.to_dataframe().reset_index().itertuples()
    ]
    return [row for row in rows if row.theory is not None]


def are_bounds(cells: "pandas.DataFrame") -> "pandas.Series":
    """Where theory has but a lower bound of λ_max."""
    return cells[f"theory_{LARGEST}_kind"] == Kind.LOWER_BOUND
