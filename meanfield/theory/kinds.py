"""What kind of number a predicted λ_max is."""

from collections.abc import Iterable
from enum import StrEnum

QUANTILES = (0.1, 0.5, 0.9)


class Kind(StrEnum):
    """What a predicted λ_max is, and so what can be expected of it.

    Attributes:
        OUTLIER: The eigenvalue λ_1 of the direction that all samples share, for i.i.d. inputs
            (`docs/theory.md` sections 4 and 11), which grows with the width where κ₂ > 0; on given
            inputs that of K̄/T (section 7). It stands apart from the others by more than a finite
            width spreads them: a prediction, corrected for the width.
        BULK_EDGE: The expected largest eigenvalue where nothing stands apart: the edge of the bulk
            for i.i.d. inputs (section 11), a prediction for any ratio of samples to width; on given
            inputs the edge that a finite width makes of eigenvalues close to one another
            (section 7), a prediction that is up to a tenth low where inputs are white noise.
        LOWER_BOUND: The mean λ_2 of a bulk whose spread is not known, for i.i.d. inputs where the
            last norm divides over units (section 6), or tr F over the number of eigenvalues that
            may differ from 0, where that is more (more samples than parameters). 2/λ_max is an
            upper bound then.
    """

    OUTLIER = "outlier"
    BULK_EDGE = "bulk-edge"
    LOWER_BOUND = "lower-bound"

    def __repr__(self) -> str:
        """As the text that it equals."""
        return repr(self.value)

    @property
    def is_bound(self) -> bool:
        """Whether λ_max is only bounded from below."""
        return self is Kind.LOWER_BOUND

    @property
    def words(self) -> str:
        """For a table."""
        return self.value.replace("-", " ")

    @property
    def sign(self) -> str:
        """What to write before λ_max: nothing, or that it is at least so large."""
        return "≥ " if self.is_bound else ""


def by_quantile(values: Iterable) -> dict:
    """The values at `QUANTILES`, by their names."""
    return {f"{100 * p:g}%": value for p, value in zip(QUANTILES, values, strict=True)}
