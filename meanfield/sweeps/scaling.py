"""How a sweep's statistics grow along an axis: exponents, and the wide limit where they do not."""

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meanfield.checks import shown
from meanfield.sweeps.tables import over_draws
from meanfield.sweeps.words import DONE, DRAW, EDGE, KIND, STATISTICS, STATUS, THEORY
from meanfield.theory.kinds import Kind

if TYPE_CHECKING:
    import xarray

LEVEL = 0.95  # of the confidence intervals
LIMIT_POWERS = (2 / 3, 1.0)  # of 1/M: a random matrix's edge, and mean-field corrections
WIDTH, SAMPLES = "width", "samples"


class Fit(NamedTuple):
    """A weighted least-squares fit of a line.

    Attributes:
        constant, constant_sem: Its value at 0.
        slope, slope_sem: Its slope.
        interval: Half the slope's confidence interval.
    """

    constant: float
    constant_sem: float
    slope: float
    slope_sem: float
    interval: float


NO_FIT = Fit(*(np.nan,) * 5)


class Scaling(NamedTuple):
    """What `scaling` finds along one line of cells; the variables of its dataset.

    Attributes:
        exponent, exponent_sem: a of the power law, and its standard error.
        exponent_low, exponent_high: Its 95 % confidence interval.
        theory_exponent: The same fit to the theory's values.
        limit, limit_sem: The value as M → ∞ at fixed T/M, where λ_max is not an outlier.
        theory_limit: The theory's, the bulk's edge E.
        points: How many cells the fits use.
    """

    exponent: float
    exponent_sem: float
    exponent_low: float
    exponent_high: float
    theory_exponent: float
    limit: float
    limit_sem: float
    theory_limit: float
    points: int


def scaling(
    dataset: "xarray.Dataset", variable: str = "eigenvalue_max", *, along: str = WIDTH
) -> "xarray.Dataset":
    """Fits `variable` ∝ M^a along the widths of a sweep, for every combination of its other axes.

    The fit is of log means against log widths, weighted by the standard errors of the means; where
    the points scatter by more than these, the errors are scaled up to the scatter. Confidence
    intervals are Student's, with the draws' degrees of freedom. The theory's exponent is fitted to
    its values at the same widths with the same weights.

    Where λ_max is no outlier and the samples are tied to the width, it has a limit M → ∞ at fixed
    T/M (the constant that the paper leaves unknown, theory.md section 5): the edge E of the bulk
    (section 11). The measured one is extrapolated by λ(M) = λ_∞ + b M^{−p}, with p = 2/3, as the
    edge of a random matrix's bulk moves, and with p = 1, as mean-field corrections do. The limit is
    the mean of the two, and half their difference is added to its error. [derived; both are there]

    Args:
        dataset: Of `meanfield.sweep`, whole or any selection that leaves the axis.
        variable: A measured variable.
        along: Another numeric axis than the width, such as "samples"; there is no limit then.

    Returns:
        A dataset of the other axes, with the fields of `Scaling`; NaN where fewer than two cells
        (of a limit: three) were measured with at least two draws each, or a value is not positive.

    Raises:
        ValueError: There is no such variable or numeric axis, or it has one value only.
    """
    import xarray

    _check(dataset, variable, along)
    measured = dataset[variable].where(dataset[STATUS] == DONE)
    count = measured.count(DRAW)
    mean, sem = over_draws(measured)
    alleviated = (along == WIDTH) & (dataset[KIND] != Kind.OUTLIER)
    limited = alleviated & _samples_grow(dataset) & (variable == "eigenvalue_max")
    found = xarray.apply_ufunc(
        lambda *line: tuple(_scaling(dataset[along].values.astype(float), *line)),
        mean,
        sem,
        count,
        dataset[THEORY + variable],
        dataset[EDGE],
        limited,
        input_core_dims=[[along]] * 6,
        output_core_dims=[[]] * len(Scaling._fields),
        vectorize=True,
    )
    return xarray.Dataset(dict(zip(Scaling._fields, found, strict=True)), attrs={"along": along})


def _check(dataset: "xarray.Dataset", variable: str, along: str) -> None:
    if variable not in STATISTICS:
        raise ValueError(f"variable must be one of {', '.join(STATISTICS)}, got {shown(variable)}")
    numeric = [
        str(name)
        for name, size in dataset.sizes.items()
        if name != DRAW and size > 1 and np.issubdtype(dataset[name].dtype, np.number)
    ]
    if along not in numeric:
        accepted = ", ".join(numeric) or "none in this dataset"
        raise ValueError(
            f"along must be an axis of several numbers, accepted are {accepted}; got {shown(along)}"
        )


def _samples_grow(dataset: "xarray.Dataset") -> "bool | xarray.DataArray":
    """Whether the samples are tied to the width, along their axis if they have one."""
    if SAMPLES in dataset.dims:
        return dataset[SAMPLES].astype(str).str.contains(WIDTH)
    if SAMPLES in dataset.coords and dataset[SAMPLES].ndim == 0:
        return WIDTH in str(dataset[SAMPLES].values)
    rule = json.loads(dataset.attrs["grid"])[SAMPLES]
    return isinstance(rule, str) and WIDTH in rule


def _scaling(x, *line) -> Scaling:
    """Of a line of cells: means, errors, draws, theory, edges, and whether there is a limit."""
    mean, sem, count, theory, edge, limited = line
    usable = (mean > 0) & (sem > 0) & (theory > 0)
    x, mean, sem, count, theory, edge, limited = (values[usable] for values in (x, *line))
    freedom = float(np.sum(count - 1))
    fit = _line(np.log(x), np.log(mean), sem / mean, freedom)
    by_theory = _line(np.log(x), np.log(theory), sem / mean, freedom)
    none = np.nan, np.nan, np.nan
    limit = (*_limit(x, mean, sem, freedom), _widest(x, edge)) if limited.all() else none
    low, high = fit.slope - fit.interval, fit.slope + fit.interval
    return Scaling(fit.slope, fit.slope_sem, low, high, by_theory.slope, *limit, len(x))


def _widest(x, edge) -> float:
    """The edge at the largest width, where it hardly depends on it."""
    return float(edge[np.argmax(x)]) if len(x) else np.nan


def _limit(x, mean, sem, freedom: float) -> tuple[float, float]:
    """λ_∞ of λ(M) = λ_∞ + b M^{−p} and its error, p unknown between LIMIT_POWERS."""
    if len(x) < 3:
        return np.nan, np.nan
    fits = [_line(x**-p, mean, sem, freedom) for p in LIMIT_POWERS]
    limits = [fit.constant for fit in fits]
    doubt = (max(limits) - min(limits)) / 2
    return float(np.mean(limits)), float(np.hypot(max(fit.constant_sem for fit in fits), doubt))


def _line(x, y, sem, freedom: float) -> Fit:
    """y = constant + slope x, weighted by 1/sem²."""
    from scipy.stats import t  # on first use: importing takes time

    if len(np.unique(x)) < 2:
        return NO_FIT
    columns = np.stack([np.ones_like(x), x], axis=1) / sem[:, None]
    covariance = np.linalg.inv(columns.T @ columns)
    constant, slope = covariance @ columns.T @ (y / sem)
    misfit = np.sum((columns @ [constant, slope] - y / sem) ** 2)
    scale = np.sqrt(max(1.0, misfit / (len(x) - 2))) if len(x) > 2 else 1.0
    sems = scale * np.sqrt(np.diag(covariance))
    interval = t.ppf((1 + LEVEL) / 2, freedom) * sems[1]
    return Fit(constant, sems[0], slope, sems[1], interval)
