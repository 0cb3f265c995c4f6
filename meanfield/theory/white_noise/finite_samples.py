"""λ_max at finite T where each sample's outputs are divided by their own spread, by sampling them.

The outlier of theory.md section 6 is its limit T → ∞. At finite T a sample whose C outputs nearly
coincide has a large gradient of its own, a correction of relative order T^{2/n − 1} with n free
output dimensions: with few outputs it can double λ_max. [derived; measured in the validation]
"""

import numpy as np

from meanfield.machine.memory import check_memory
from meanfield.theory.kernels import Exchangeable

NUMBERS = 2**22  # of the projectors held at once
COPIES = 3  # of them, in between
DRAW_BYTES = 200  # of a draw that is through
MOST = 1e280  # of A/q, to leave room for what is drawn


def check_draws(samples: int, dimensions: int, draws: int) -> None:
    """Raises: ValueError: So many draws, or one of so many samples, would not fit in memory."""
    check_memory(
        8.0 * COPIES * max(NUMBERS, samples * dimensions**2),
        f"output_draws={draws} at samples={samples}",
        "take fewer samples, or no output_draws for the limit of many",
    )
    check_memory(float(DRAW_BYTES * draws), f"output_draws={draws}", "take fewer")


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

    Raises:
        ValueError: A/q leaves the range of floating-point numbers.
    """
    q, A = float(S.same), float(K.same)
    if not q * MOST > A:
        raise ValueError(
            f"output_draws must be 0 where outputs of variance {q:.1g} are divided by, got {draws}"
        )
    at_once = max(1, NUMBERS // (int(S.samples) * dimensions**2))
    counts = [min(at_once, draws - done) for done in range(0, draws, at_once)]
    # In units of A and q, and so in range whatever the variances are.
    drawn = [_some_draws(S, K, outputs, dimensions, count, rng) for count in counts]
    return np.concatenate(drawn) * (A / q)


def _some_draws(
    S: Exchangeable, K: Exchangeable, C: int, n: int, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Of kernels in units of their diagonals."""
    T, own, gap = int(S.samples), float(S.gap / S.same), float(K.gap / K.same)
    B, common = 1 - gap, max(1 - own, 0.0)
    own = own if common > 0 else 1.0
    normal = rng.standard_normal((count, 1 + T, n))
    u = np.sqrt(common) * normal[:, :1] + np.sqrt(own) * normal[:, 1:]
    square = (u**2).sum(axis=-1)
    inverse_variance = C / square
    poles = gap / T * inverse_variance
    floor = poles.max(axis=1)
    if B <= 0:
        return floor
    below = floor[:, None] - poles
    projectors = np.eye(n) - u[..., :, None] * u[..., None, :] / square[..., None, None]
    flat = projectors.reshape(count, T, n * n)

    def excess(distance, draw):
        here = draw.astype(int)
        weights = inverse_variance[here] / (distance[:, None] + below[here])
        matrices = B / T * weights[:, None] @ flat[here]
        return np.linalg.eigvalsh(matrices.reshape(-1, n, n))[:, -1] - 1

    # The distance of λ from the highest pole lies between these two by Weyl's inequality; a single
    # sample's at the upper one, which therefore is taken a little higher.
    highest = B / T * inverse_variance.sum(axis=1)
    from scipy.optimize.elementwise import find_root  # on first use: slow to import

    root = find_root(excess, (1e-9 * highest, (1 + 1e-9) * highest), args=(np.arange(count),))
    return floor + np.where(root.success, root.x, 0)
