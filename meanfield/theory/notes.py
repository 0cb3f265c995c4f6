"""What a reader must know beside the numbers of any prediction."""

from collections.abc import Iterable, Iterator

from meanfield.gaussian.averages import DOUBTFUL_ERROR
from meanfield.spec.activations import Activation


def on_averages(activation: Activation, error: float, where: str = "") -> Iterator[str]:
    """How accurate the Gaussian averages are, if that is worth a word.

    Args:
        activation: φ.
        error: The estimated relative error.
        where: Of what it is the error.
    """
    if error > DOUBTFUL_ERROR:
        yield (
            f"the averages of {activation.name} are only accurate to about {error:.1g}{where}: a "
            f"kink elsewhere than at zero, or a variance too large for the grid"
        )


def on_absent(reasons: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Why fields are None."""
    absent = ", ".join(f"{name} ({reason})" for name, reason in reasons)
    if absent:
        yield f"null: {absent}"
