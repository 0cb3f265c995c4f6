"""What a method reports of one sampled network, and what it costs."""

from typing import NamedTuple, Self

import numpy as np


class MethodCost(NamedTuple):
    """The cost of one draw: floating-point operations, and numbers held at the same time."""

    flops: float
    numbers: float


class Request(NamedTuple):
    """What to measure beside tr F.

    Attributes:
        leading: How many of the largest eigenvalues.
        spectrum: Whether all of them too.
        second_moment: Whether tr F² too.
    """

    leading: int = 1
    spectrum: bool = False
    second_moment: bool = True


LARGEST = Request()


class Measurement(NamedTuple):
    """The FIM's statistics on one sampled network.

    Attributes:
        leading: The largest eigenvalues, descending, as many as asked for; λ_max is the first.
        trace, trace_squared: tr F and tr F²; the latter None where it was not asked for.
        trace_sem, trace_squared_sem: Standard errors of the two where they are estimates.
        eigenvalues: The non-zero eigenvalues, descending, where asked for.
    """

    leading: np.ndarray
    trace: float
    trace_squared: float | None
    trace_sem: float = 0.0
    trace_squared_sem: float = 0.0
    eigenvalues: np.ndarray | None = None

    @classmethod
    def exact(cls, matrix: np.ndarray, request: Request) -> Self:
        """The statistics of a complete dual matrix.

        Raises:
            ArithmeticError: It has an entry that is not finite.
        """
        if not np.isfinite(matrix).all():
            raise ArithmeticError("a gradient is not finite in this precision")
        eigenvalues = np.linalg.eigvalsh((matrix + matrix.T) / 2)[::-1].astype(np.float64)
        return cls(
            leading=eigenvalues[: request.leading],
            trace=float(eigenvalues.sum()),
            trace_squared=float((eigenvalues**2).sum()) if request.second_moment else None,
            eigenvalues=eigenvalues if request.spectrum else None,
        )
