"""What the tests of figures share."""

import matplotlib
import numpy as np
import pytest
import xarray

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def closed():
    before = dict(plt.rcParams)
    yield
    plt.close("all")
    assert dict(plt.rcParams) == before


@pytest.fixture
def swept():
    """A sweep as `meanfield.load` reads it: two placements, four draws, one of which failed."""
    rng = np.random.default_rng(0)
    measured = rng.uniform(1, 2, (2, 3, 4))
    measured[1, 2, 3] = np.nan
    theory = np.arange(1.0, 7.0).reshape(2, 3)
    kinds = np.array([["outlier"] * 2 + ["bulk-edge"], ["outlier"] + ["lower-bound"] * 2])
    lines = ("norm", "width")
    return xarray.Dataset(
        {
            "eigenvalue_max": ((*lines, "draw"), measured),
            "theory_eigenvalue_max": (lines, theory),
            "theory_eigenvalue_max_kind": (lines, kinds),
            "theory_kappa1": (lines, theory),
        },
        {"norm": ["none", "batch@last"], "width": [10, 20, 40], "draw": np.arange(4)},
    )
