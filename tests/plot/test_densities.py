"""Densities of eigenvalues."""

import numpy as np
import pytest

from meanfield import plot


def test_densities_integrate_to_one():
    spectra = [np.array([0.5, 1.0, 2.0]), np.array([0.7, 30.0, 0.0])]
    axes = plot.density(spectra, largest=20.0, is_bound=True, mean=0.1)
    heights, edges, _ = axes.patches[0].get_data()
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
    assert [line.get_xdata()[0] for line in axes.lines] == [20.0, 0.1]
    with pytest.raises(ValueError, match="eigenvalues must hold positive numbers"):
        plot.density([])
