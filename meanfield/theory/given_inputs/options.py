"""How to predict on given inputs."""

from typing import NamedTuple

from meanfield.checks import count, one_of, random_seed

SAMPLED, SELF_AVERAGING = "sampled", "self-averaging"
FIELDS = 8192


class Options(NamedTuple):
    """How to predict, checked.

    Attributes:
        seed: Of everything that is sampled.
        output_draws: Of the outputs, where the last norm divides by a random variance; 0 for
            the readout's own number.
        batch_statistics: `sampled` or `self-averaging`.
        fields: Of each hidden batch norm.
        eigenvectors: How many to return.
    """

    seed: int = 0
    output_draws: int = 0
    batch_statistics: str = SAMPLED
    fields: int = FIELDS
    eigenvectors: int = 0

    def checked(self, samples: int) -> "Options":
        """The same, each in its range.

        Raises:
            ValueError: One is out of it, or more eigenvectors are asked for than samples are there.
        """
        found = Options(
            random_seed(self.seed),
            count("output_draws", self.output_draws, least=0),
            one_of("batch_statistics", self.batch_statistics, (SAMPLED, SELF_AVERAGING)),
            count("fields", self.fields),
            count("eigenvectors", self.eigenvectors, least=0),
        )
        if found.output_draws == 1:
            raise ValueError("output_draws must be 0 or at least 2, to know its error, got 1")
        if found.eigenvectors > samples:
            raise ValueError(
                f"eigenvectors must be at most the {samples} samples, got {found.eigenvectors}"
            )
        return found
