"""Predicting the FIM's spectrum of a network, on white noise or on given inputs."""

from typing import overload

from numpy.typing import ArrayLike

from meanfield.machine.compilations import make_room
from meanfield.spec.network import Network
from meanfield.theory.given_inputs.options import Options
from meanfield.theory.given_inputs.result import GivenPrediction
from meanfield.theory.white_noise.predict import predict_white_noise
from meanfield.theory.white_noise.result import Prediction


@overload
def predict(
    network: Network, samples: int, *, output_draws: int = ..., seed: int = ...
) -> Prediction: ...


@overload
def predict(
    network: Network,
    samples: int | None = ...,
    *,
    inputs: ArrayLike,
    output_draws: int = ...,
    seed: int = ...,
    batch_statistics: str = ...,
    fields: int = ...,
    eigenvectors: int = ...,
) -> GivenPrediction: ...


def predict(
    network,
    samples=None,
    *,
    inputs=None,
    output_draws=0,
    seed=0,
    batch_statistics=None,
    fields=None,
    eigenvectors=None,
):
    """Predicts the FIM's spectrum: for i.i.d. inputs x_i ~ N(0, 1), or for given ones.

    Without `inputs` (theory.md sections 2–6 and 11):

        λ_max = z(min(x_1, x*)),   z(x) = 1/x + R(x),   z'(x*) = 0,   η_max = 2/λ_max
        m_λ = C A / P,   s_λ = (C/P)(λ_1² + (T−1) (λ_2² + R'(0)) + 2 Var_s(a))

    with R the R-transform of the bulk and 1/x_1 the strength of the direction that all samples
    share; and, for norms in the last layer, their counterparts of sections 5 and 6. With `inputs`
    (section 7) the same recursion runs on T×T matrices, and the eigenvalues of K̄/T are the
    spectrum of the wide limit, from which finite networks deviate by O(1/√M).

    Args:
        network: The spec. With `inputs`, one of a single width M takes M_0 from them.
        samples: T; with `inputs` it may be left out.
        inputs: A T×M_0 array, or what `meanfield.load_data` returns.
        output_draws: How often λ_max is sampled from the distribution of the outputs where the
            last norm leaves it random. With layer norm or rms and i.i.d. inputs this gives it at
            finite T, by default not at all; with given inputs also under batch norm,
            by default 1000 times, under layer norm and rms 100 times.
        seed: Of all that is sampled.
        batch_statistics: With `inputs`, how a hidden batch norm is averaged: `sampled`, over
            random fields and with their standard error, or `self-averaging`, with each unit's
            variance replaced by its mean: instant, but 5 to 18 % off on digits.
        fields: With `inputs`, how many fields are sampled per hidden batch norm, 8192 by default.
        eigenvectors: With `inputs`, how many leading eigenvectors over samples to return.

    Returns:
        A `Prediction`, or with `inputs` a `GivenPrediction`, in float64.

    Raises:
        ValueError: An argument is out of range, there are too few samples for a norm, or the order
            parameters leave the range of floating-point numbers at these variances and this depth.
    """
    make_room()
    for_inputs = {
        "batch_statistics": batch_statistics,
        "fields": fields,
        "eigenvectors": eigenvectors,
    }
    asked = {name: value for name, value in for_inputs.items() if value is not None}
    if inputs is not None:
        from meanfield.theory.given_inputs.predict import predict_given  # needs SciPy's slow parts

        options = Options(seed=seed, output_draws=output_draws, **asked)
        return predict_given(network, inputs, samples, options)
    if asked:
        raise ValueError(f"{', '.join(asked)} must come with inputs, got none")
    if samples is None:
        raise ValueError("samples is required unless inputs are given, got None")
    return predict_white_noise(network, samples, output_draws, seed)
