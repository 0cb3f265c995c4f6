"""Seals of draws: whether numbers in a store are those of the draw that they stand at.

A chunk's checksum says that it is what was once written, but not where: a chunk copied or renamed
to the place of another one passes. A seal is a hash of a draw's place and numbers together.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from meanfield.sweeps.words import EMPTY, SEAL, STATISTICS, STATUS

PRIME, BASIS = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)  # of FNV-1a


def sealed(index: Iterable[np.ndarray | int], numbers: dict[str, np.ndarray]) -> np.ndarray:
    """The seals of draws.

        h ← (h ⊕ word) · PRIME,   h ← h ⊕ ⌊h/2³²⌋     for every index and number as 64 bits

    Every step is one to one: numbers of which a single one differs have different seals.

    Args:
        index: The place of every draw, axis by axis, as arrays that broadcast.
        numbers: Statistics and mark of every draw.
    """
    words = [np.asarray(i).astype(np.uint64) for i in index]
    words += [numbers[name].astype(np.float64).view(np.uint64) for name in (*STATISTICS, STATUS)]
    found = np.asarray(BASIS)
    with np.errstate(over="ignore"):
        for word in words:
            product = np.asarray((found ^ word) * PRIME)
            found = product ^ (product >> np.uint64(32))
    return found


def misplaced(found: dict[str, np.ndarray]) -> np.ndarray:
    """Which draws have another seal than their place and numbers; older stores have none."""
    shape = found[STATUS].shape
    seals = found[SEAL]
    return (seals != EMPTY[SEAL]) & (seals != sealed(_places(shape), found))


def _places(shape: Sequence[int]) -> list[np.ndarray]:
    return list(np.ogrid[tuple(slice(n) for n in shape)])
