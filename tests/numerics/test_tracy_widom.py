"""The constants of the Tracy–Widom law, against its determinant."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import airy

from meanfield.numerics.tracy_widom import MEAN, QUANTILES

NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)


def distribution(s):
    """F_1(s) = det(I − K_s), K_s(x, y) = Ai((x + y)/2)/2 on (s, ∞) (Bornemann 2010, section 6)."""
    length = 24 - min(s, 0)  # Ai(12) = 1e-13
    x, weight = s + length * (NODES + 1) / 2, np.sqrt(length * WEIGHTS / 2)
    kernel = airy((x[:, None] + x[None, :]) / 2)[0] / 2
    return np.linalg.det(np.eye(len(x)) - weight[:, None] * kernel * weight[None, :])


S = np.linspace(-9, 13, 441)
F = np.array([distribution(s) for s in S])


def test_the_mean_is_the_laws():
    # By parts: E x = s_1 − ∫F, cut off where F or 1 − F < 1e-14.
    assert pytest.approx(S[-1] - CubicSpline(S, F).integrate(S[0], S[-1]), abs=1e-5) == MEAN


@pytest.mark.parametrize("p", QUANTILES)
def test_quantiles_are_the_laws(p):
    density = (distribution(QUANTILES[p] + 1e-3) - distribution(QUANTILES[p] - 1e-3)) / 2e-3
    assert (distribution(QUANTILES[p]) - p) / density == pytest.approx(0, abs=1e-5)
