"""Every placement that the theory is validated for: a sweep's statistics, or medians."""

import numpy as np
import pandas

import meanfield as mf
from meanfield.numerics.estimates import Estimate, median_of
from meanfield.reproduction.run import Run
from meanfield.reproduction.settings import spec
from meanfield.studies.validation.cases import PLACEMENTS
from meanfield.sweeps.grid import Cell

WIDTH, DRAWS = (100, 400), (20, 100)  # quick, full
OUTPUTS = 4  # where a norm over units in the last layer wants several
MEAN, MEDIAN = "mean", "median"  # the median where λ_max stays random, for it has heavy tails
OUTPUT_DRAWS = 2000  # of theory's median


def table(run: Run, activation: str) -> pandas.DataFrame:
    """A row per placement."""
    frames = pandas.concat(measure(run, activation, outputs) for outputs in (1, OUTPUTS))
    return frames.reindex(list(PLACEMENTS)).reset_index()


def measure(run: Run, activation: str, outputs: int) -> pandas.DataFrame:
    """A row per placement that is tried with one output, or with several only."""
    M = run.choose(*WIDTH)
    norms = [norm for norm, tried in PLACEMENTS.items() if (1 in tried) == (outputs == 1)]
    net = {**spec(activation), "width": M, "outputs": outputs, "norm": norms}
    grid = mf.Grid(**net, samples=M, **run.effort(*DRAWS))
    cells = run.sweep(f"table-{activation}-{outputs}", grid)
    rows = mf.summarize(cells).assign(outputs=outputs, activation=activation)
    rows = rows.assign(eigenvalue_max_statistic=MEAN).set_index("norm")
    for norm, cell in zip(norms, grid.cells(), strict=True):
        if cell.network.norm_records[-1].random_outputs:
            found = medians(run, cell, cells["eigenvalue_max"].sel(norm=norm).values.ravel())
            rows.loc[norm, list(found)] = list(found.values())
    return rows


def medians(run: Run, cell: Cell, draws: np.ndarray) -> dict[str, float | str]:
    """λ_max of a row, theory's at this number of samples; the error is that of their ratio."""
    options = {"output_draws": OUTPUT_DRAWS, "seed": run.seed}
    at_samples = mf.predict(cell.network, cell.samples, **options).eigenvalue_max_at_samples
    assert at_samples is not None  # the last norm can sample it
    theory, found = Estimate(**at_samples["50%"]), median_of(draws[np.isfinite(draws)])
    sem = np.hypot(found.sem, theory.relative * found.value)
    return {
        "theory_eigenvalue_max": theory.value,
        "eigenvalue_max": found.value,
        "eigenvalue_max_sem": sem,
        "eigenvalue_max_statistic": MEDIAN,
    }
