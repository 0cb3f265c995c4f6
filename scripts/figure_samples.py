"""Sharpness against the number of samples: the 1/T law, the crossover at T ~ M, the plateau."""

import pandas
import xarray

import meanfield as mf
from meanfield.plot import style
from meanfield.reproduction.reproduce import main
from meanfield.reproduction.run import Made, Run, exponents

ACTIVATIONS = {"tanh": (3.0, 0.64), "relu": (2.0, 0.1)}  # (σ_w², σ_b²)
LEAST = {"none": 2, "layer@hidden": 2, "mean@last": 2, "batch@last": 4}  # samples
WIDTH, DRAWS = (100, 400), (10, 20)  # quick, full
TIMES = (0.04, 0.2, 1, 2, 8), (0.01, 0.04, 0.1, 0.25, 0.5, 1, 2, 4, 8)  # T over M; quick, full


def sweeps(run: Run, activation: str) -> dict[str, xarray.Dataset]:
    """λ_max from T = 2 to 8M, by placement."""
    width = run.choose(*WIDTH)
    weight_var, bias_var = ACTIVATIONS[activation]
    samples = [2, *(round(times * width) for times in run.choose(*TIMES))]
    return {
        norm: run.sweep(
            f"samples-{activation}-{norm}",
            mf.Grid(
                depth=3,
                width=width,
                samples=[T for T in samples if least <= T],
                activation=activation,
                weight_var=weight_var,
                bias_var=bias_var,
                norm=[norm],
                draws=run.choose(*DRAWS),
                seed=run.seed,
                second_moment=False,
            ),
        )
        for norm, least in LEAST.items()
    }


def make(run: Run) -> Made:
    size = {"figsize": (style.PAGE, 2.9), "layout": "constrained", "sharey": True}
    figure, panels = style.pyplot().subplots(1, len(ACTIVATIONS), **size)
    numbers, frames, width = [], [], run.choose(*WIDTH)
    for axes, activation in zip(panels, ACTIVATIONS, strict=True):
        for cells in sweeps(run, activation).values():
            mf.plot.along(cells, "samples", axes=axes)
            frames.append(mf.summarize(cells).assign(activation=activation))
            for where, ends in (("T ≤ M", (0, width)), ("T ≥ M", (width, None))):
                fits = mf.scaling(cells.sel(samples=slice(*ends)), along="samples")
                text = f"{activation}, {{}}, exponent of T at {where}"
                numbers += exponents(fits, lambda fit, text=text: text.format(fit.norm))
        style.mark_values(axes, frames[0]["samples"][:: run.choose(1, 2)])
        axes.axvline(width, color=style.INK, linewidth=0.8, linestyle=":")
        axes.set_title(f"{activation}, $M={width}$; dotted: $T=M$")
        axes.label_outer()
    frame = pandas.concat(frames)
    run.save(figure, frame)
    return Made(
        "λ_max against the number of samples",
        "Once the last layer is centred λ_max falls like 1/T, as its lower bound (dashed) does; at "
        "T ~ M it leaves the bound for a plateau. Otherwise it settles at a few samples already.",
        {
            "L": 3,
            "M": width,
            "T": sorted(set(frame["samples"].tolist())),
            "C": 1,
            "networks per point": run.choose(*DRAWS),
            "(σ_w², σ_b²)": "; ".join(f"{name} {pair}" for name, pair in ACTIVATIONS.items()),
        },
        numbers,
    )


if __name__ == "__main__":
    main(__file__)
