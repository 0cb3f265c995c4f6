"""Any number of places through a function of one size."""

import numpy as np
import pytest

from meanfield.numerics.blocks import in_blocks


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 11])
def test_every_place_is_visited_in_order(count):
    sizes = []

    def function(x, y):
        sizes.append(len(x))
        return {"sum": x + y, "rows": np.stack([x, y])}

    x, y = np.arange(count), 10.0 * np.arange(count)
    found = in_blocks(function, 4, x, y)
    np.testing.assert_array_equal(found["sum"], x + y)
    np.testing.assert_array_equal(found["rows"], [x, y])
    assert sizes == [4] * -(-count // 4)  # one size: a compiled function compiles once


def test_the_last_block_is_filled_with_a_place_that_exists():
    # so that nothing happens there which the function was not asked for
    assert in_blocks(lambda x: 1 / x, 3, np.array([2.0, 4.0])).tolist() == [0.5, 0.25]
