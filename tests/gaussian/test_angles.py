"""Angles between samples, without cancellation at either end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield.gaussian.angles import (
    angle_at,
    gap_at,
    leading_power,
    opening_angle,
    split_gap,
    split_radii,
    stretched_angle,
)

pytestmark = pytest.mark.usefixtures("x64")


def test_the_opening_angle_is_that_of_the_correlation():
    for ratio, angle in ((0.0, 0), (0.5, np.pi / 3), (1.0, np.pi / 2), (2.0, np.pi)):
        assert opening_angle(1.7, 1.7 * ratio) == pytest.approx(angle, rel=1e-15)
    assert opening_angle(2.0, 1e-300) == pytest.approx(1e-150, rel=1e-15)  # √(2 g/q)


def test_at_opposite_samples_the_infinite_derivative_is_taken_as_none():
    slope = jax.grad(opening_angle, argnums=1)
    assert slope(1.3, 2.6) == 0
    assert slope(1.3, 1.3) == pytest.approx(1 / 1.3, rel=1e-14)  # 1/√(g (2q − g))


def test_gaps_and_angles_are_inverse():
    angle = np.pi * np.concatenate([np.logspace(-12, -1, 12), np.linspace(0.1, 0.9, 9)])
    for q in (1e-3, 1.0, 50.0):
        np.testing.assert_allclose(opening_angle(q, gap_at(q, angle)), angle, rtol=1e-14)


def test_the_stretched_angle_runs_from_end_to_end_and_back():
    for q in (1e-4, 1.0, 50.0):
        np.testing.assert_allclose(stretched_angle(q, np.array([0, np.pi / 2, np.pi])), [-1, 0, 1],
                                   atol=1e-15)  # fmt: skip
        y = np.linspace(-0.99, 0.99, 23)
        at = np.full_like(y, q)
        np.testing.assert_allclose(stretched_angle(at, angle_at(at, y)), y, atol=1e-13)
    # at large q the ends are spread out: there y changes faster with the angle
    assert stretched_angle(50.0, 0.1) > stretched_angle(1e-4, 0.1) + 0.05


def test_powers_are_read_from_two_angles():
    near = np.array([0.0, 3e-12, 5e-12])
    assert leading_power(near, 4.01 * near) == 2
    assert leading_power(near, 1.99 * near) == 1
    assert leading_power(np.zeros(3), np.zeros(3)) == 2  # linear's slope has no gap


def two_samples(q_s, q_t, gap):
    return jnp.array([q_s, q_t]), jnp.array([[0.0, gap], [gap, 0.0]])


def test_radii_of_one_variance_are_exact():
    # else an angle at correlation −1 would be off by the root of a rounding
    for q in map(jnp.float64, (0.3, 1.7, 1e-300, 1e300)):
        assert split_radii(q, q) == (q, 0)
    mean, across = split_radii(jnp.float64(4), jnp.float64(1))
    assert (mean, across) == (2, 0.5)


def test_splitting_a_gap_by_radius_and_angle():
    q, gap = two_samples(4.0, 1.0, 0.5 + 2 * 0.25)
    mean, excess, radial = split_gap(q, gap)
    np.testing.assert_array_equal(mean, [[4, 2], [2, 1]])
    np.testing.assert_array_equal(excess, [[0, 0.25], [0.25, 0]])
    np.testing.assert_array_equal(radial, [[0, 0.5], [0.5, 0]])
    # no angle is below 0 or beyond 180 degrees, however rounding falls; a sample of no variance
    # has none
    for q_t, gap, expected in [(1.0, 0.5 - 1e-9, 0), (1.0, 4.5 + 1e-9, 2), (0.0, 2.0, 0)]:
        assert split_gap(*two_samples(4.0, q_t, gap))[1][0, 1] == expected
