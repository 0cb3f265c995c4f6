"""Densities of eigenvalues, theory's over the measured one."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from meanfield.plot.style import INK, LOOKS, in_style, look, new_axes
from meanfield.spec.network import Network
from meanfield.spec.placement import parse_placement
from meanfield.studies.simulation import Simulation
from meanfield.theory.white_noise.bulk.spectrum import BulkSpectrum
from meanfield.theory.white_noise.result import Prediction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spectrum: TypeAlias = Prediction | Simulation | ArrayLike

BINS_PER_DECADE = 12
POINTS = 400  # of a curve
THICK, THIN = 1.6, 0.9  # the curve of a bulk, and the line at λ_max
LOWEST = 1e-6  # over the edge: from where on a bulk is drawn that begins at 0


@in_style
def density(
    spectra: Spectrum | Sequence[Spectrum],
    axes: "Axes | None" = None,
    *,
    placement: str | None = None,
    largest: float | None = None,
    is_bound: bool = False,
    mean: float | None = None,
) -> "Axes":
    """The density of non-zero eigenvalues, both axes logarithmic, and where theory puts them.

    A prediction is the curve of its bulk and a line at λ_max. What is measured is a histogram: of C
    T eigenvalues no more than C are outliers, so that the curve lies on it.

    Args:
        spectra: A prediction, a simulation with all its eigenvalues (`spectrum=True`), or a list of
            these; eigenvalues themselves, those of every network, make up one histogram.
        axes: To draw into.
        placement: Whose colour the histograms have; that of their own networks by default.
        largest: A λ_max to draw without a prediction, a line: dashed if `is_bound`.
        is_bound: Whether that is a lower bound.
        mean: Theory's mean over all P eigenvalues, zeros included: a dotted line.

    Raises:
        ValueError: There are no positive eigenvalues, a prediction has no bulk, a simulation was
            not asked for its eigenvalues, or something else is given.
        ModuleNotFoundError: matplotlib is not installed.
    """
    predictions, histograms = _sorted(spectra)
    axes = new_axes(axes)
    for name, values in histograms:
        _draw_histogram(axes, values, look(placement or name).colour)
    alone = len(predictions) == 1 and bool(histograms)
    for p, bulk in predictions:
        name = _placement(p.network)
        colour, of = (INK, "") if alone else (look(name).colour, f"{name}: ")
        axes.plot(*_curve(bulk), color=colour, linewidth=THICK, label=f"{of}bulk")
        _draw_largest(axes, p.eigenvalue_max, p.eigenvalue_max_kind.is_bound, colour, of)
    _draw_largest(axes, largest, is_bound)
    if mean is not None:
        axes.axvline(mean, color=INK, linestyle=":", label=r"$m_\lambda$")
    axes.set(xscale="log", yscale="log", xlabel=r"eigenvalue $\lambda$")
    axes.set_ylabel(r"density $p(\lambda)$, $\lambda > 0$")
    if predictions:
        axes.legend(title="theory")
    return axes


def _sorted(
    spectra: Spectrum | Sequence[Spectrum],
) -> tuple[list[tuple[Prediction, BulkSpectrum]], list[tuple[str, np.ndarray]]]:
    """Predictions with their bulks, and positive eigenvalues with the placement they belong to."""
    single = isinstance(spectra, Prediction | Simulation) or not isinstance(spectra, Iterable)
    given: list = [spectra] if single else list(spectra)  # type: ignore[arg-type]
    predictions, histograms, loose = [], [], []
    for each in given:
        if isinstance(each, Prediction):
            predictions.append((each, _bulk(each)))
        elif isinstance(each, Simulation):
            histograms.append((_placement(each.network), _positive(_measured(each))))
        else:
            loose.append(each)
    if loose or not given:
        histograms.append(("none", _positive(loose)))
    return predictions, histograms


def _bulk(prediction: Prediction) -> BulkSpectrum:
    if prediction.bulk is None:
        raise ValueError(
            f"spectra must hold predictions with a bulk, got one without: the last norm is "
            f"{prediction.network.norms[-1]!r}"
        )
    return prediction.bulk


def _measured(simulation: Simulation) -> Sequence[ArrayLike]:
    if simulation.eigenvalues is None:
        raise ValueError(
            "spectra must hold simulations with all their eigenvalues, got one without: ask for "
            "them by spectrum=True"
        )
    return simulation.eigenvalues


def _positive(draws: Sequence[ArrayLike]) -> np.ndarray:
    """The positive ones of all networks."""
    try:
        values = np.concatenate([np.zeros(0), *(np.ravel(np.asarray(e, float)) for e in draws)])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"spectra must be predictions for i.i.d. inputs, simulations or arrays of eigenvalues, "
            f"got {', '.join(sorted({type(e).__name__ for e in draws}))}"
        ) from error
    if not (values > 0).any():
        raise ValueError("eigenvalues must hold positive numbers, got none")
    return values[values > 0]


def _placement(network: Network) -> str:
    """What its norms are called in figures."""
    named = (name for name in LOOKS if parse_placement(name, network.depth) == network.norms)
    return next(named, ",".join(network.norms))


def _draw_histogram(axes: "Axes", values: np.ndarray, colour: str) -> None:
    heights, edges = np.histogram(values, _edges(values), density=True)
    axes.stairs(heights, edges, fill=True, color=colour, alpha=0.4)
    axes.stairs(heights, edges, color=colour)


def _draw_largest(
    axes: "Axes", value: float | None, is_bound: bool, colour: str = INK, of: str = ""
) -> None:
    if value is not None:
        style, kind = ("--", ", lower bound") if is_bound else ("-", "")
        text = rf"{of}$\lambda_{{\max}}${kind}"
        axes.axvline(value, color=colour, linestyle=style, linewidth=THIN, label=text)


def _curve(bulk: BulkSpectrum) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and their density, closer together towards the ends, where it rises steeply."""
    low, high = np.log([max(bulk.lower, LOWEST * bulk.edge), bulk.edge])
    angles = np.pi * (np.arange(POINTS) + 0.5) / POINTS
    places = np.exp((low + high) / 2 - (high - low) / 2 * np.cos(angles))
    return places, bulk.density(places)


def _edges(values: np.ndarray) -> np.ndarray:
    """Of bins of equal ratios, the extremes inside."""
    low, high = np.log10(values.min()) - 1e-9, np.log10(values.max()) + 1e-9
    return np.logspace(low, high, max(2, round((high - low) * BINS_PER_DECADE)) + 1)
