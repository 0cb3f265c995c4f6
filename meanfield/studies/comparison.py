"""Every placement of normalization side by side: what a practitioner wants to know of a network."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from meanfield.checks import count, random_seed, shown
from meanfield.machine.progress import progress_bar
from meanfield.numerics.estimates import Statistic
from meanfield.numerics.records import Record
from meanfield.spec.inputs import resolve
from meanfield.spec.network import Network
from meanfield.studies.simulation import Simulation, SimulationError, simulate
from meanfield.theory.given_inputs.options import FIELDS, SAMPLED
from meanfield.theory.kinds import Kind
from meanfield.theory.predict import predict
from meanfield.theory.result import PredictedSpectrum

if TYPE_CHECKING:
    import pandas

NONE = "none"
NO_CHANGE = 1e-6  # of λ_max: as well as it is known
NO_BETTER = "No placement compared lowers the sharpness of this network."
PLACEMENTS = (
    NONE,
    "mean@last",
    "batch@last",
    "mean@hidden",
    "batch@hidden",
    "batch@all",
    "layer@hidden",
    "layer@last",
    "layer@all",
)


@dataclass(frozen=True)
class Row:
    """One placement.

    Attributes:
        placement: The placement, or every layer's norm joined by commas.
        eigenvalue_max, eigenvalue_max_sem, eigenvalue_max_kind: The predicted λ_max, its Monte
            Carlo standard error where there is one, and what kind of number it is; λ_max is None
            where its mean over networks diverges.
        ratio: λ_max over that without normalization; None where either is.
        learning_rate_max: η_max = 2/λ_max.
        eigenvalue_mean: The predicted m_λ.
        measured: λ_max over sampled networks, where draws were asked for and succeeded.
        measured_mean: m_λ likewise.
    """

    placement: str
    eigenvalue_max: float | None
    eigenvalue_max_sem: float | None
    eigenvalue_max_kind: Kind
    ratio: float | None
    learning_rate_max: float | None
    eigenvalue_mean: float | None
    measured: Statistic | None
    measured_mean: Statistic | None


@dataclass(frozen=True)
class Comparison(Record):
    """Placements side by side, the flattest first.

    Attributes:
        rows: By predicted λ_max, ascending; those without a mean come last.
        network: The spec that the placements were put into; its own norms play no part.
        samples: T.
        draws: Networks measured per placement.
        reading: What the table says, in one sentence.
        notes: Placements left out, and why.
    """

    rows: tuple[Row, ...]
    network: Network
    samples: int
    draws: int
    reading: str
    notes: tuple[str, ...]

    def to_frame(self) -> "pandas.DataFrame":
        """One row per placement, indexed by it; measurements as mean and standard error.

        Raises:
            ModuleNotFoundError: pandas is not installed.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "a data frame needs pandas: pip install 'meanfield[data]'"
            ) from error
        records = []
        for row in self.rows:
            record = asdict(row)
            for name in ("measured", "measured_mean"):
                statistic = record.pop(name) or {"mean": None, "sem": None}
                record |= {name: statistic["mean"], f"{name}_sem": statistic["sem"]}
            records.append(record)
        return pandas.DataFrame.from_records(records, index="placement")


def compare(
    network: Network,
    samples: int | None = None,
    *,
    inputs: ArrayLike | None = None,
    placements: Sequence[str | Sequence[str]] | None = None,
    draws: int = 0,
    seed: int = 0,
    batch_statistics: str = SAMPLED,
    fields: int = FIELDS,
) -> Comparison:
    """Predicts λ_max, η_max and m_λ of a network under every placement of normalization.

    Args:
        network: The spec; its own norms are replaced by each placement.
        samples: T, for white-noise inputs; with `inputs` it may be left out.
        inputs: A T×M_0 array, or what `meanfield.load_data` returns (theory.md section 7).
        placements: Those to compare, as `Network` takes them for `norm` or `norms`; by default
            `PLACEMENTS`, of which those that this network cannot have are left out with a note.
            "none" always takes part.
        draws: How many networks to sample per placement, to set measurement beside theory.
        seed: Of everything that is sampled.
        batch_statistics, fields: As for `meanfield.predict`.

    Raises:
        ValueError: An argument is out of range, or a placement asked for does not exist.
    """
    draws, seed = count("draws", draws, least=0), random_seed(seed)
    plain, x, T = resolve(network.with_norms(NONE), samples, inputs)
    networks, notes = _networks(plain, T, placements)
    for_data = {} if x is None else {"batch_statistics": batch_statistics, "fields": fields}
    study = _Study(T, x, draws, seed, for_data)
    found: dict[str, tuple[PredictedSpectrum, Simulation | None]] = {}
    with progress_bar(list(networks.items()), "comparing placements") as bar:
        for placement, placed in bar:
            try:
                prediction = study.predict(placed)
            except ValueError as error:
                if placement == NONE or placements is not None:
                    raise
                notes.append(f"{placement} is left out: {error}")
                continue
            try:
                found[placement] = prediction, study.measure(placed)
            except SimulationError as error:
                notes.append(f"{placement} could not be measured: {error}")
                found[placement] = prediction, None
    largest = found[NONE][0].eigenvalue_max
    rows = tuple(sorted((_row(p, *pair, largest) for p, pair in found.items()), key=_sharpness))
    return Comparison(rows, plain, T, draws, _reading(rows), tuple(notes))


@dataclass(frozen=True)
class _Study:
    """What all placements are predicted and measured with."""

    samples: int
    inputs: np.ndarray | None
    draws: int
    seed: int
    for_data: dict[str, Any]

    def predict(self, network: Network) -> PredictedSpectrum:
        if self.inputs is None:
            return predict(network, self.samples, seed=self.seed)
        return predict(network, inputs=self.inputs, seed=self.seed, **self.for_data)

    def measure(self, network: Network) -> Simulation | None:
        if not self.draws:
            return None
        return simulate(
            network,
            self.samples,
            draws=self.draws,
            seed=self.seed,
            inputs=self.inputs,
            second_moment=False,
        )


def _networks(
    network: Network, samples: int, placements: Sequence[str | Sequence[str]] | None
) -> tuple[dict[str, Network], list[str]]:
    """The network under each placement, and what was left out.

    Raises:
        ValueError: A placement that was asked for does not exist in this network.
    """
    if isinstance(placements, str) or (placements is not None and not len(placements)):
        raise ValueError(f"placements must be a sequence of placements, got {shown(placements)}")
    networks: dict[str, Network] = {}
    notes: list[str] = []
    for placement in (NONE, *(PLACEMENTS if placements is None else placements)):
        name = placement if isinstance(placement, str) else ",".join(placement)
        try:
            placed = network.with_norms(placement)
            placed.check_samples(samples)
        except ValueError as error:
            if placements is not None:
                raise
            notes.append(f"{name} is left out: {error}")
            continue
        if all(placed.norms != other.norms for other in networks.values()):
            networks[name] = placed
    return networks, notes


def _row(
    placement: str,
    prediction: PredictedSpectrum,
    measured: Simulation | None,
    plain: float | None,
) -> Row:
    largest = prediction.eigenvalue_max
    return Row(
        placement=placement,
        eigenvalue_max=largest,
        eigenvalue_max_sem=prediction.eigenvalue_max_sem,
        eigenvalue_max_kind=prediction.eigenvalue_max_kind,
        ratio=largest / plain if largest is not None and plain else None,
        learning_rate_max=prediction.learning_rate_max,
        eigenvalue_mean=prediction.eigenvalue_mean,
        measured=measured.eigenvalue_max if measured else None,
        measured_mean=measured.eigenvalue_mean if measured else None,
    )


def _sharpness(row: Row) -> float:
    return float("inf") if row.eigenvalue_max is None else row.eigenvalue_max


def _reading(rows: tuple[Row, ...]) -> str:
    """What the table says: of measurements if there are any, else of predictions, never of both."""
    (plain,) = (row for row in rows if row.placement == NONE)
    if plain.measured is not None:
        values = {row.placement: row.measured.mean for row in rows if row.measured is not None}
        flattest = min(values, key=values.__getitem__)
        return _sentence(flattest, values[NONE], values[flattest], "as measured")
    best = rows[0]
    if best.eigenvalue_max is None or plain.eigenvalue_max is None:
        return NO_BETTER
    source = "at best: a lower bound" if best.eigenvalue_max_kind.is_bound else ""
    return _sentence(best.placement, plain.eigenvalue_max, best.eigenvalue_max, source)


def _sentence(placement: str, before: float, after: float, source: str) -> str:
    if placement == NONE or after >= before * (1 - NO_CHANGE):
        return NO_BETTER
    if not after:
        return f"Under {placement} the network's outputs do not depend on its parameters."
    suffix = f" ({source})" if source else ""
    return (
        f"{placement} flattens this network most: λ_max falls from {before:.4g} to "
        f"{after:.4g}, by a factor of {before / after:.3g}, and gradient descent tolerates "
        f"learning rates up to {2 / after:.3g} in place of {2 / before:.3g}{suffix}."
    )
