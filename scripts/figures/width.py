"""Sharpness against width at T = M: only a norm over samples in the last layer always stops it.

Below the last layer it does where φ has no mean (tanh, linear), not for ReLU; layer norm never.
"""

import numpy as np
import xarray
from parts import along_width

import meanfield as mf
from meanfield.__main__ import main
from meanfield.plot import style
from meanfield.reproduction.run import Made, Run
from meanfield.reproduction.settings import DEPTH

BOUNDED = ["mean@last", "batch@last"]


def shade_bounds(axes, dataset: xarray.Dataset) -> None:
    """From λ_2 to √(tr F²), the paper's bounds without their unknown constants (section 5).

    Without an outlier λ_2 is the mean of T − 1 eigenvalues, T = M.
    """
    widths = dataset["width"].values
    P = np.array([mf.Network(depth=DEPTH, width=int(M)).parameters for M in widths])
    for norm in dataset["norm"].values:
        if norm in BOUNDED:
            theory = dataset.sel(norm=norm)
            upper = np.sqrt(theory["theory_eigenvalue_second_moment"] * P)
            lower = theory["theory_eigenvalue_mean"] * P / (widths - 1)
            axes.fill_between(widths, lower, upper, color=style.look(norm).colour, alpha=0.13, lw=0)


def make(run: Run) -> Made:
    figure, _, rows, data = along_width.panels(run, "eigenvalue_max", mark=shade_bounds)
    run.save(figure, data)
    return Made(
        "λ_max against width",
        "Without normalization λ_max grows like M, the pathological sharpness; layer norm does not "
        "stop it. Subtracting the mean over samples in the last layer does, for every activation; "
        "batch norm in the hidden layers alone does for tanh and linear networks, not for ReLU. "
        "There λ_max is the edge of the bulk, which theory knows; shaded: the paper's bounds.",
        along_width.parameters(data),
        rows,
        place=10,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "width"])
