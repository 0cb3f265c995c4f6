"""What a reader must know beside the numbers of a prediction for i.i.d. inputs."""

from collections.abc import Iterator

from meanfield.spec.network import Network
from meanfield.theory.notes import on_absent, on_averages
from meanfield.theory.white_noise.result import Prediction

WORTH_SAYING = 0.005  # a relative error
BEYOND = "what it follows from leaves the range of floating-point numbers"


def explain(p: Prediction, error: float) -> tuple[str, ...]:
    """Notes on how far each number of a prediction can be trusted, and why others are null.

    Args:
        p: The prediction.
        error: The estimated relative error of the Gaussian averages.
    """
    return (*_on_accuracy(p, error), *_on_largest(p), *on_absent(_absent(p)))


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


def expected_error(network: Network) -> float:
    """By how much, relative, the mean of λ_max over networks may differ from its prediction.

    A rule of thumb, (6 + C/2)/M for three layers and in proportion to depth. The measurements of
    theory.md section 11.5 keep it within two standard errors, but for ReLU behind "mean" with ten
    outputs; what is listed in section 11.6 does not. Outliers of one output are mostly closer.
    """
    return (6 + network.outputs / 2) * max(network.depth / 3, 1) / min(network.widths)


def _on_largest(p: Prediction) -> Iterator[str]:
    error, outputs = expected_error(p.network), p.network.outputs
    if not p.eigenvalue_max:
        return
    if not p.eigenvalue_max_kind.is_bound:
        if p.bulk and error > WORTH_SAYING:
            yield (
                f"eigenvalue_max is the mean over networks, expected to be right to about "
                f"{error:.1%} at these widths"
            )
    elif p.bulk or outputs * p.samples > p.parameters:
        yield (
            f"eigenvalue_max is only bounded: F has {p.parameters} eigenvalues that are not 0 at "
            f"most, fewer than the {outputs} x {p.samples} outputs of all samples, and their mean "
            "is a lower bound (learning_rate_max is then an upper bound, "
            "eigenvalue_second_moment a lower one)"
        )
    else:
        yield (
            "eigenvalue_max is the mean of the bulk: exact for samples fixed and width to "
            "infinity, a lower bound when samples are comparable to width (learning_rate_max is "
            "then an upper bound, eigenvalue_second_moment a lower one)"
        )


def _absent(p: Prediction) -> Iterator[tuple[str, str]]:
    """The fields that are None, each with the reason."""
    norm, C = p.network.norm_records[-1], p.network.outputs
    flaw = norm.divergence(C)
    diverges = f"{norm.name} norm on {C} outputs: {flaw}" if flaw else BEYOND
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
    if p.bulk is None:
        unknown = f"not known behind {norm.name} norm in the last layer"
        yield "bulk", unknown if norm.random_outputs else BEYOND


def _no_quantiles(p: Prediction, diverges: str) -> str:
    if not p.eigenvalue_max:
        return "F = 0"
    if p.eigenvalue_max_kind.is_bound:
        return "eigenvalue_max is a lower bound"
    return diverges if p.eigenvalue_max is None else BEYOND
