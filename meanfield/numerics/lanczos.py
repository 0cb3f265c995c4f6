"""The largest eigenvalues of a symmetric operator, by ARPACK's restarted Lanczos iteration."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

BASIS = 8  # Lanczos vectors kept beyond twice the wanted pairs: products are what costs here
SHORT_BASIS = 1  # beyond the wanted pairs, where few steps will do
TOLERANCE = {
    "float32": 1e-4,
    "float64": 1e-10,
}  # of the residual: an eigenvalue's error is its square


def top_eigenpairs(
    matvec: Callable[[np.ndarray], ArrayLike],
    count: int,
    precision: str,
    start: np.ndarray,
    *,
    close: bool = False,
    tolerance: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest eigenvalues, descending, and their eigenvectors (columns).

    Args:
        matvec: v ↦ A v for a vector as long as `start`.
        start: The first Lanczos vector; fixing it makes the result reproducible.
        close: Whether the start nearly lies in the space of these eigenvectors, and they are
            outliers: then a few products suffice.
        tolerance: Of the relative residual, where less than the precision's own will do.

    Raises:
        ArithmeticError: The iteration does not converge, or meets a number that is not finite.
    """
    # Imported on first use: it takes as long to import as half of JAX.
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    size, dtype = start.size, np.dtype(precision)
    largest = None

    def product(v):
        nonlocal largest
        out = np.asarray(matvec(v.astype(dtype))).reshape(size)
        if not np.isfinite(out).all():
            raise ArithmeticError("a gradient is not finite in this precision")
        largest = max(largest or 0.0, np.abs(out).max())
        return out

    try:
        values, vectors = eigsh(
            LinearOperator((size, size), matvec=product, dtype=dtype),
            k=count,
            which="LA",
            v0=start.astype(dtype),
            tol=tolerance or TOLERANCE[precision],
            ncv=min(size, count + SHORT_BASIS if close else 2 * count + BASIS),
        )
    except ArpackError as error:
        if largest == 0:  # F = 0: nothing to iterate on
            return np.zeros(count), np.eye(size, count, dtype=dtype)
        raise ArithmeticError(f"the Lanczos iteration failed: {error}") from error
    order = np.argsort(values)[::-1]
    return values[order], vectors[:, order]
