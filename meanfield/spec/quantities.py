"""What a quantity is called wherever a person reads of it: datasets, the axes of plots, tables."""

from typing import NamedTuple

DIMENSIONLESS = "1"  # as the CF conventions write it


class Quantity(NamedTuple):
    """The name of a quantity; the loss and the parameters have no units, and so most have none.

    Attributes:
        definition: What it is. In ASCII: it is written into files.
        words: What it is in a few words, which stand before its symbol; empty if that says all.
        symbol: Its symbol in plain text.
        tex: The same in TeX.
        unit: What it counts, or `DIMENSIONLESS`.
    """

    definition: str
    words: str
    symbol: str
    tex: str
    unit: str = DIMENSIONLESS

    @property
    def row(self) -> str:
        """What to write in a table, whose heading says of which network and matrix it is."""
        return f"{self.words} {self.symbol}".lstrip()

    @property
    def label(self) -> str:
        """What to write on an axis, which stands alone and so says of which matrix it is."""
        words = self.words.replace("eigenvalue", "FIM eigenvalue")
        known = (DIMENSIONLESS, words)
        unit = "" if self.unit in known else f" [{self.unit}]"
        return f"{words} ${self.tex}${unit}".lstrip()


QUANTITIES = {
    "eigenvalue_max": Quantity(
        "largest eigenvalue of the FIM", "largest eigenvalue", "λ_max", r"\lambda_{\max}"
    ),
    "eigenvalue_mean": Quantity(
        "mean eigenvalue of the FIM, tr F / P", "mean eigenvalue", "m_λ", r"m_\lambda"
    ),
    "eigenvalue_second_moment": Quantity(
        "second moment of the FIM's eigenvalues, tr F^2 / P", "second moment", "s_λ", r"s_\lambda"
    ),
    "learning_rate_max": Quantity(
        "largest stable learning rate, 2 / eigenvalue_max",
        "learning-rate limit",
        "2/λ_max",
        r"2/\lambda_{\max}",
    ),
    "bulk_edge": Quantity(
        "upper end of the bulk of the FIM's eigenvalues in wide networks",
        "edge of the bulk",
        "E",
        "E",
    ),
    "kappa1": Quantity("kappa_1, order parameter of the same sample", "", "κ1", r"\kappa_1"),
    "kappa2": Quantity("kappa_2, order parameter of two samples", "", "κ2", r"\kappa_2"),
    "width": Quantity("M, the width", "width", "M", "M", "units"),
    "samples": Quantity("T, the number of samples", "samples", "T", "T", "samples"),
    "depth": Quantity("L, the number of weight layers", "depth", "L", "L", "layers"),
    "outputs": Quantity("C, the number of outputs", "outputs", "C", "C", "units"),
    "weight_var": Quantity(
        "sigma_w^2, the variance of weights times the width below",
        "weight variance",
        "σ_w²",
        r"\sigma_w^2",
    ),
    "bias_var": Quantity(
        "sigma_b^2, the variance of biases", "bias variance", "σ_b²", r"\sigma_b^2"
    ),
}
