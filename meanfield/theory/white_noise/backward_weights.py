"""The squares of the units' backward weights: χ²_C in classes of units (theory.md section 11).

A layer of M units has no unit beyond the M-th largest of M draws. So the classes end there, the
last one being a single unit: with it, what the largest backward weight does comes out by itself.
"""

from functools import lru_cache

import numpy as np

BINS = 8  # from the smallest weights to the largest unit, each with two values
BODY = 0.5  # the share of units in the first bin
EVEN = 3.0  # the third of units with the largest backward weights counts by its mean


@lru_cache(maxsize=1024)
def backward_weights(outputs: int, width: float, bins: int = BINS) -> np.ndarray:
    """Values of χ²_C and their probabilities: 2 × (2 `bins` + 1), the largest unit's last.

    Every bin stands by two values with its mean and its variance. Never Gauss nodes of the whole
    law: far ones of negligible probability would stand for units that are not there.

    Args:
        outputs: C.
        width: M, how many units there are.
        bins: How many bins.
    """
    from scipy.special import gammaincc, gammainccinv  # on first use: slow to import

    C, last = outputs, 1 / max(width, 3.0)  # less than the body
    above = np.append(1.0, np.geomspace(BODY, last, bins))  # the share of units above each edge
    edges = gammainccinv(C / 2, above)
    moments = [above, C * gammaincc(C / 2 + 1, edges), C * (C + 2) * gammaincc(C / 2 + 2, edges)]
    share, first, second = (-np.diff(x, append=0.0) for x in moments)
    mean = first / share
    spread = np.sqrt(np.maximum(second / share - mean**2, 0))[:-1]
    values = np.concatenate([mean[:-1] - spread, mean[:-1] + spread, mean[-1:]])
    return np.stack([values, np.concatenate([share[:-1] / 2, share[:-1] / 2, share[-1:]])])


def even_weights(outputs: int, layers: int) -> np.ndarray:
    """Backward weights none of which is large: layers × values and their probabilities."""
    return np.broadcast_to(every := backward_weights(outputs, EVEN), (layers, *every.shape))
