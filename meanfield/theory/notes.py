"""What a reader must know beside the numbers of a prediction."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meanfield.gaussian.averages import DOUBTFUL_ERROR

if TYPE_CHECKING:
    from meanfield.theory.given_inputs.predict import GivenPrediction
    from meanfield.theory.predict import Prediction

# Twice the largest ratio of measured λ_max to λ_2 without an outlier (theory.md section 10: 4).
CLEAR_OF_BULK = 8


def explain(p: "Prediction", outlier: float, bulk: float, error: float) -> tuple[str, ...]:
    """Notes on how far each number of a prediction can be trusted, and why others are null.

    Args:
        p: The prediction.
        outlier, bulk: λ_1 and λ_2.
        error: The estimated relative error of the Gaussian averages.
    """
    absent = ", ".join(f"{name} ({reason})" for name, reason in _absent(p))
    return (*_on_accuracy(p, error), *_on_largest(p, outlier, bulk), f"null: {absent}")


def _on_accuracy(p: "Prediction", error: float) -> Iterator[str]:
    for norm in dict.fromkeys(p.network.norm_records[:-1]):
        if p.samples < norm.few_samples:
            yield (
                f"hidden {norm.name} norm at {p.samples} samples: the theory treats the "
                f"normalized field as Gaussian, an error of about 2/T = {2 / p.samples:.0%}"
            )
    if error > DOUBTFUL_ERROR:
        yield (
            f"the averages of {p.network.activation.name} are only accurate to about {error:.1g}: "
            f"a kink elsewhere than at zero, or a variance too large for the grid"
        )
    if p.network.norm_records[-1].sample_largest:
        yield (
            f"eigenvalue_max is the limit of many samples: at {p.samples} samples, those whose "
            f"{p.network.outputs} outputs nearly coincide can raise it; output_draws samples this"
        )


def _on_largest(p: "Prediction", outlier: float, bulk: float) -> Iterator[str]:
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


def _absent(p: "Prediction") -> Iterator[tuple[str, str]]:
    """The fields that are None, each with the reason."""
    norm, C = p.network.norm_records[-1], p.network.outputs
    diverges = f"{norm.name} norm on {C} outputs: {norm.divergence(C)}"
    yield "q_hat of the output layer", "it has no activation"
    if not p.network.alpha:
        yield "kappa1 and kappa2", "without a hidden layer alpha is 0"
    for name in ("eigenvalue_mean", "eigenvalue_second_moment", "eigenvalue_max"):
        if getattr(p, name) is None:
            yield name, diverges
    if p.learning_rate_max is None:
        yield "learning_rate_max", "F = 0" if p.eigenvalue_max == 0 else diverges
    if p.eigenvalue_max_quantiles is None:
        if not norm.sample_largest:
            reason = "not random in wide networks"
        elif p.eigenvalue_max_kind.is_bound:
            reason = "eigenvalue_max is a lower bound"
        else:
            reason = diverges
        yield "eigenvalue_max_quantiles", reason
    if p.eigenvalue_max_at_samples is None:
        reason = "output_draws is 0" if norm.sample_largest else "not random in wide networks"
        yield "eigenvalue_max_at_samples", reason
    if p.eigenvalue_max_upper is None:
        infinite = p.eigenvalue_max_kind.is_bound
        yield "eigenvalue_max_upper", diverges if infinite else "eigenvalue_max is no lower bound"


def explain_given(p: "GivenPrediction", diverges: str | None, error: float) -> tuple[str, ...]:
    """Notes on how far each number of a prediction on given inputs can be trusted.

    Args:
        p: The prediction.
        diverges: What has no mean over networks, if so.
        error: The estimated relative error of the Gaussian averages.
    """
    absent = ", ".join(f"{name} ({reason})" for name, reason in _absent_given(p, diverges))
    return (*_on_given(p, error), *([f"null: {absent}"] if absent else []))


def _on_given(p: "GivenPrediction", error: float) -> Iterator[str]:
    if p.batch_statistics == "self-averaging":
        yield (
            "hidden batch norms by the self-averaging shortcut: on data with few dominant "
            "directions λ_max is off, on digits by 5 to 18 %; batch_statistics='sampled' is not"
        )
    if error > DOUBTFUL_ERROR:
        yield (
            f"the averages of {p.network.activation.name} are only accurate to about {error:.1g}: "
            f"a kink elsewhere than at zero, or a variance too large for the grid"
        )
    shift = p.finite_width_shift
    if p.eigenvalue_max_kind.is_bound:
        yield (
            "eigenvalue_max is called a lower bound: it is not clear of the other eigenvalues, and "
            "the finite hidden width is expected to spread them beyond it (finite_width_shift "
            "above 0.25); learning_rate_max is then an upper bound"
        )
    elif shift is not None:
        yield (
            f"eigenvalue_max is that of the wide limit: finite hidden width raises it by about "
            f"{shift:.1%} at most (finite_width_shift, up to 25 %)"
        )


def _absent_given(p: "GivenPrediction", diverges: str | None) -> Iterator[tuple[str, str]]:
    """The fields that are None, each with the reason."""
    on_outputs = f"{p.network.norms[-1]} norm on {p.network.outputs} outputs: {diverges}"
    for name in ("eigenvalue_mean", "eigenvalue_second_moment", "eigenvalue_max"):
        if getattr(p, name) is None:
            yield name, on_outputs
    if p.learning_rate_max is None:
        yield "learning_rate_max", "F = 0" if p.eigenvalue_max == 0 else on_outputs
    if p.eigenvalues is None:
        too_large = "too large a matrix with a norm per sample"
        reason = on_outputs if p.eigenvalue_mean is None else too_large
        yield "eigenvalues and finite_width_shift", reason
    if p.eigenvalue_max_sem is None:
        unknown = p.eigenvalue_max is None
        yield "eigenvalue_max_sem", on_outputs if unknown else "nothing was sampled"
    if p.eigenvalue_max_quantiles is None:
        yield "eigenvalue_max_quantiles", "not random in wide networks"
    if p.eigenvectors is None:
        yield "eigenvectors", "not asked for"
    if p.batch_statistics is None:
        yield "batch_statistics", "no hidden batch norm"
