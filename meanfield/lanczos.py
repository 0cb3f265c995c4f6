"""The largest eigenvalues of a symmetric operator, by ARPACK's restarted Lanczos iteration."""

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

BASIS = 8  # Lanczos vectors kept beyond twice the wanted pairs: products are what costs here
TOLERANCE = {
    "float32": 1e-5,
    "float64": 1e-10,
}  # of the residual: an eigenvalue's error is its square


def top_eigenpairs(
    matvec: Callable[[np.ndarray], np.ndarray],
    size: int,
    count: int,
    precision: str,
    start: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest eigenvalues, descending, and their eigenvectors (columns).

    Args:
        matvec: v ↦ A v for a vector of length `size`.
        start: The first Lanczos vector; fixing it makes the result reproducible.

    Raises:
        ArithmeticError: The iteration does not converge, or meets a number that is not finite.
    """

    def checked(v):
        out = np.asarray(matvec(v.astype(precision))).reshape(size)
        if not np.isfinite(out).all():
            raise ArithmeticError("a gradient is not finite in this precision")
        return out

    if not checked(start).any():  # F = 0: nothing to iterate on
        return np.zeros(count), np.eye(size, count)
    operator = LinearOperator((size, size), matvec=checked, dtype=np.dtype(precision))
    try:
        values, vectors = eigsh(
            operator,
            k=count,
            which="LA",
            v0=start,
            tol=TOLERANCE[precision],
            ncv=min(size, 2 * count + BASIS),
        )
    except ArpackError as error:
        raise ArithmeticError(f"the Lanczos iteration failed: {error}") from error
    order = np.argsort(values)[::-1]
    return values[order], vectors[:, order]
