"""λ_max at fixed T and M → ∞, by hand: section 4's two eigenvalues."""

from meanfield.theory.white_noise.result import Prediction


def at_fixed_samples(p: Prediction) -> float:
    """max(λ_1, λ_2) of A and B, which holds where the outputs are not divided over units."""
    A, B, T = p.diagonal, p.off_diagonal, p.samples
    return max((A + (T - 1) * B) / T, (A - B) / T)
