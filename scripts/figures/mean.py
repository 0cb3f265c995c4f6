"""The mean eigenvalue against width at T = M: m_λ M is of order one, whatever the placement."""

from parts import along_width

from meanfield.__main__ import main
from meanfield.reproduction.run import Made, Run


def times_width(dataset):
    """m_λ M in place of m_λ."""
    names = ("eigenvalue_mean", "theory_eigenvalue_mean")
    return dataset.assign({name: dataset[name] * dataset["width"] for name in names})


def make(run: Run) -> Made:
    figure, row, rows, data = along_width.panels(run, "eigenvalue_mean", times_width)
    row[0].set_ylabel(r"mean FIM eigenvalue times width, $m_\lambda M$")
    ticks = [0.5, 1, 2, 5, 10]
    row[0].set_yticks(ticks, map(str, ticks))
    row[0].set_yticks([], minor=True)
    run.save(figure, data)
    return Made(
        "m_λ M against width",
        "The mean eigenvalue falls like 1/M under every placement (m_λ M is flat): normalization "
        "moves the largest eigenvalue, not the mean. What rises with M in λ_max is an outlier.",
        along_width.parameters(data),
        rows,
        place=20,
    )


if __name__ == "__main__":
    main(["reproduce", "--only", "mean"])
