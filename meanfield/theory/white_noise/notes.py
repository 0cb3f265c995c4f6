"""What a reader must know beside the numbers of a prediction for i.i.d. inputs."""

from collections.abc import Iterator

from meanfield.theory.notes import on_absent, on_averages
from meanfield.theory.white_noise.result import Prediction

# Twice the largest ratio of measured λ_max to λ_2 without an outlier (theory.md section 10: 4).
CLEAR_OF_BULK = 8


def explain(p: Prediction, outlier: float, bulk: float, error: float) -> tuple[str, ...]:
    """Notes on how far each number of a prediction can be trusted, and why others are null.

    Args:
        p: The prediction.
        outlier, bulk: λ_1 and λ_2.
        error: The estimated relative error of the Gaussian averages.
    """
    return (*_on_accuracy(p, error), *_on_largest(p, outlier, bulk), *on_absent(_absent(p)))


def _on_accuracy(p: Prediction, error: float) -> Iterator[str]:
    *hidden, last = p.network.norm_records
    for norm in dict.fromkeys(hidden):
        if p.samples < norm.few_samples:
            yield (
                f"hidden {norm.name} norm at {p.samples} samples: the theory treats the "
                f"normalized field as Gaussian, an error of about 2/T = {2 / p.samples:.0%}"
            )
    yield from on_averages(p.network.activation, error)
    if last.random_outputs:
        yield (
            f"eigenvalue_max is the limit of many samples: at {p.samples} samples, those whose "
            f"{p.network.outputs} outputs nearly coincide can raise it; output_draws samples this"
        )


def _on_largest(p: Prediction, outlier: float, bulk: float) -> Iterator[str]:
    if p.eigenvalue_max_kind.is_bound and p.eigenvalue_max:
        yield (
            "eigenvalue_max is the mean of the bulk: exact for samples fixed and width to "
            "infinity, a lower bound when samples are comparable to width (learning_rate_max is "
            "then an upper bound, eigenvalue_second_moment a lower one)"
        )
        yield (
            "eigenvalue_max_upper is the paper's bound sqrt((C alpha^2 rho (kappa1-kappa2)^2 + c2) "
            "M), rho = M/T, with its unknown constant c2 >= 0 set to 0"
        )
    elif outlier < CLEAR_OF_BULK * bulk and 10 * p.samples > p.network.width:
        yield (
            f"the outlier is only {outlier / bulk:.1f} times the mean of the bulk: when samples "
            f"are comparable to width, the bulk's spread can reach it"
        )


def _absent(p: Prediction) -> Iterator[tuple[str, str]]:
    """The fields that are None, each with the reason."""
    norm, C = p.network.norm_records[-1], p.network.outputs
    diverges = f"{norm.name} norm on {C} outputs: {norm.divergence(C)}"
    yield "q_hat of the output layer", "it has no activation"
    if not p.network.alpha:
        yield "kappa1 and kappa2", "without a hidden layer alpha is 0"
    for name in ("eigenvalue_mean", "eigenvalue_second_moment", "eigenvalue_max"):
        if vars(p)[name] is None:
            yield name, diverges
    yield "eigenvalue_max_sem", "nothing was sampled"
    if p.learning_rate_max is None:
        yield "learning_rate_max", "F = 0" if p.eigenvalue_max == 0 else diverges
    if p.eigenvalue_max_quantiles is None:
        yield "eigenvalue_max_quantiles", _no_quantiles(p, diverges)
    if p.eigenvalue_max_at_samples is None:
        reason = "output_draws is 0" if norm.random_outputs else "not random in wide networks"
        yield "eigenvalue_max_at_samples", reason
    if p.eigenvalue_max_upper is None:
        infinite = p.eigenvalue_max_kind.is_bound
        yield "eigenvalue_max_upper", diverges if infinite else "eigenvalue_max is no lower bound"


def _no_quantiles(p: Prediction, diverges: str) -> str:
    if not p.network.norm_records[-1].random_outputs:
        return "not random in wide networks"
    return "eigenvalue_max is a lower bound" if p.eigenvalue_max_kind.is_bound else diverges
