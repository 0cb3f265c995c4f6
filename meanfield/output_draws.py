"""λ_max at finite T where each sample's outputs are divided by their own spread, by sampling them.

The outlier of theory.md section 6 is its limit T → ∞. At finite T a sample whose C outputs nearly
coincide has a large gradient of its own, a correction of relative order T^{2/n − 1} with n free
output dimensions: with few outputs it can double λ_max. [derived; measured in the validation]
"""

import numpy as np

from meanfield.kernels import Exchangeable


def sample_largest(
    S: Exchangeable,
    K: Exchangeable,
    outputs: int,
    dimensions: int,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draws of λ_max over networks, each with its own T outputs û_t ~ N(0, S) in n dimensions.

    Given the outputs, the dual matrix's blocks are (A δ_st + B (1 − δ_st)) H_s H_t / (T σ_s σ_t)
    with H_t = I − û_t û_tᵀ/|û_t|² and σ_t² = |û_t|²/C. Its largest eigenvalue is the largest λ with

        λ_max[ (B/T) Σ_t H_t / (σ_t² (λ − p_t)) ] = 1,      p_t = (A − B)/(T σ_t²).     [derived]

    Args:
        S, K: Covariance and tangent kernel of the outputs, before the norm.
        outputs: C.
        dimensions: n.
        draws: How many networks to draw.
        rng: The source of randomness.

    Returns:
        One λ_max per draw.
    """
    return np.array([_one_draw(S, K, outputs, dimensions, rng) for _ in range(draws)])


def _one_draw(S: Exchangeable, K: Exchangeable, C: int, n: int, rng: np.random.Generator) -> float:
    T, B, gap = int(S.samples), float(K.cross), float(K.gap)
    common = max(float(S.cross), 0.0)
    own = float(S.gap) if S.cross > 0 else float(S.same)
    u = np.sqrt(common) * rng.standard_normal(n) + np.sqrt(own) * rng.standard_normal((T, n))
    square = (u**2).sum(axis=1)
    inverse_variance = C / square
    poles = gap / T * inverse_variance
    floor = poles.max()
    if B <= 0:
        return floor
    projectors = np.eye(n) - u[:, :, None] * u[:, None, :] / square[:, None, None]
    flat = projectors.reshape(T, n * n)

    def excess(distance):
        weights = inverse_variance / (distance[:, None] + floor - poles)
        matrices = (B / T * weights @ flat).reshape(-1, n, n)
        return np.linalg.eigvalsh(matrices)[:, -1] - 1

    # The distance of λ from the highest pole lies between these two by Weyl's inequality.
    highest = np.atleast_1d(B / T * inverse_variance.sum())
    from scipy.optimize.elementwise import find_root  # on first use: slow to import

    root = find_root(excess, (1e-9 * highest, highest))
    return floor + float(root.x[0]) if root.success[0] else floor
