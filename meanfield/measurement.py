"""What a method reports of one sampled network, and what it costs."""

from typing import NamedTuple, Self

import numpy as np


class MethodCost(NamedTuple):
    """The cost of one draw: floating-point operations, and numbers held at the same time."""

    flops: float
    numbers: float


class Measurement(NamedTuple):
    """The FIM's statistics on one sampled network.

    Attributes:
        largest: λ_max.
        trace, trace_squared: tr F and tr F².
        trace_sem, trace_squared_sem: Standard errors of the two where they are estimates.
        eigenvalues: The non-zero eigenvalues, descending, where asked for.
    """

    largest: float
    trace: float
    trace_squared: float
    trace_sem: float = 0.0
    trace_squared_sem: float = 0.0
    eigenvalues: np.ndarray | None = None

    @classmethod
    def exact(cls, eigenvalues: np.ndarray, keep: bool) -> Self:
        """The statistics of a complete set of eigenvalues (descending), kept if asked for."""
        return cls(
            largest=float(eigenvalues[0]),
            trace=float(eigenvalues.sum()),
            trace_squared=float((eigenvalues**2).sum()),
            eigenvalues=eigenvalues if keep else None,
        )
