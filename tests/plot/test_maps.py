"""Maps over two parameters."""

import numpy as np
import pytest

from meanfield import plot
from meanfield.plot import style


def test_planes_have_their_axes_and_scale(swept):
    values = np.array([[1.0, 10.0, 0.0], [100.0, 1e3, np.nan]])
    axes = plot.plane(
        values, [1.0, 2.0], [10, 20, 40], xlabel="weight_var", ylabel="width", title="map"
    )
    (mesh,) = axes.collections
    assert (mesh.norm.vmin, mesh.norm.vmax) == (1, 1e3)
    assert np.ma.getmaskarray(mesh.get_array()).sum() == 2
    assert axes.get_xlabel() == style.label("weight_var")
    named = plot.plane(swept["theory_kappa1"], log=False, limits=(0, 9))
    assert named.get_ylabel() == style.label("width")
    assert (named.collections[0].norm.vmin, named.collections[0].norm.vmax) == (0, 9)
    with pytest.raises(ValueError, match=r"\(len\(x\), len\(y\)\) = \(3, 2\), got \(2, 3\)"):
        plot.plane(values, [10, 20, 40], [1.0, 2.0])
