"""What every prediction has, whatever its inputs."""

from dataclasses import dataclass

from meanfield.numerics.records import Record
from meanfield.spec.network import Network
from meanfield.theory.kinds import Kind


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictedSpectrum(Record):
    """The predicted spectrum of the FIM. All statistics are per theory.md section 1.

    Attributes:
        network, samples, parameters: The spec, T and P.
        eigenvalue_mean: m_λ = tr F / P.
        eigenvalue_second_moment: s_λ = tr F² / P.
        eigenvalue_max: λ_max.
        eigenvalue_max_sem: Its Monte Carlo standard error where something was sampled, else None.
        eigenvalue_max_kind: What λ_max is, and so what can be expected of it.
        eigenvalue_max_multiplicity: How many eigenvalues λ_max stands for.
        eigenvalue_max_quantiles: The 10, 50 and 90 % quantiles of one network's λ_max, None where
            they are not known.
        learning_rate_max: η_max = 2/λ_max.
        notes: Why a quantity is None, and what to know about the others.
    """

    network: Network
    samples: int
    parameters: int
    eigenvalue_mean: float | None
    eigenvalue_second_moment: float | None
    eigenvalue_max: float | None
    eigenvalue_max_sem: float | None
    eigenvalue_max_kind: Kind
    eigenvalue_max_multiplicity: int
    eigenvalue_max_quantiles: dict[str, float] | None
    learning_rate_max: float | None
    notes: tuple[str, ...]
