"""Calling a compiled function on blocks of one size, so that any number of places shares it."""

from collections.abc import Callable

import jax
import numpy as np


def in_blocks(function: Callable, size: int, *places: np.ndarray):
    """function(*places), block by block; the last one is filled up with its last place.

    Args:
        function: Maps arrays of length `size` to a tree of arrays whose last axis is as long.
        size: Of a block.
        places: Arrays of one length, at least 1.
    """
    count = len(places[0])
    padded = [np.pad(x, (0, -count % size), mode="edge") for x in places]
    found = [
        function(*(x[start : start + size] for x in padded))
        for start in range(0, len(padded[0]), size)
    ]
    return jax.tree.map(lambda *parts: np.concatenate(parts, axis=-1)[..., :count], *found)
