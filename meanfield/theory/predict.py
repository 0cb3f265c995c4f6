"""Predicting the FIM's spectrum of a network on white-noise inputs."""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, overload

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from meanfield.checks import positive_integer
from meanfield.machine.compilations import make_room
from meanfield.numerics.estimates import quantile
from meanfield.spec.network import Network
from meanfield.theory.kinds import QUANTILES, Kind, by_quantile
from meanfield.theory.notes import explain
from meanfield.theory.white_noise.recursion import Solution, solve_network

if TYPE_CHECKING:
    from meanfield.theory.given_inputs.predict import GivenPrediction

# κ₂ below this fraction of κ₁ is rounding: cross kernels are differences of O(1) numbers.
VANISHING = 1e-12


class Spectrum(NamedTuple):
    """The predicted spectrum as JAX arrays, for transformations such as `vmap` and `grad`.

    Attributes:
        eigenvalue_mean: m_λ = tr F / P.
        eigenvalue_second_moment: s_λ = tr F² / P.
        eigenvalue_max: max(λ_1, λ_2).
        outlier, bulk: λ_1 and λ_2 (theory.md section 4).
        outlier_multiplicity, bulk_multiplicity: How many eigenvalues each stands for.
        kappa1, kappa2: A and B at T → ∞ without the bias block, divided by α M; NaN for a
            depth of 1, where α = 0.
    """

    eigenvalue_mean: jax.Array
    eigenvalue_second_moment: jax.Array
    eigenvalue_max: jax.Array
    outlier: jax.Array
    bulk: jax.Array
    outlier_multiplicity: jax.Array
    bulk_multiplicity: jax.Array
    kappa1: jax.Array
    kappa2: jax.Array


@dataclass(frozen=True)
class LayerOrderParameters:
    """The order parameters of layer l (theory.md sections 2 and 3); `_pair` is for two samples.

    Attributes:
        layer: l = 1..L.
        q, q_pair, gap: Variance and covariance of u^l before its norm, and their difference.
        q_hat, q_hat_pair: Those of h^l; None in the output layer, which has no activation.
        q_tilde, q_tilde_pair: Σ_i (∂f_k/∂u^l_i)², and the same product for two samples.
    """

    layer: int
    q: float
    q_pair: float
    gap: float
    q_hat: float | None
    q_hat_pair: float | None
    q_tilde: float
    q_tilde_pair: float


@dataclass(frozen=True)
class Prediction:
    """The predicted spectrum of the FIM, and what it rests on. All statistics are per theory.md.

    Attributes:
        network, samples, parameters, alpha: The spec, T, P and α.
        kappa1, kappa2: The leading order of A and B: T → ∞, no bias block, over α M.
        diagonal, off_diagonal: A and B at this T with the real widths and the bias block; where
            the output norm divides each sample by itself, those before that norm.
        eigenvalue_mean: m_λ = tr F / P.
        eigenvalue_second_moment: s_λ = tr F² / P.
        eigenvalue_max: λ_max.
        eigenvalue_max_kind: `outlier`: λ_1, exact in the wide limit; `lower-bound`: the mean λ_2
            of a bulk whose spread is not known (`meanfield.theory.kinds.Kind`).
        eigenvalue_max_multiplicity: How many eigenvalues λ_max stands for.
        eigenvalue_max_quantiles: The 10, 50 and 90 % quantiles over networks where λ_max stays
            random in the wide limit, else None.
        eigenvalue_max_at_samples: Where asked for and the previous ones are limits of T → ∞ that
            are approached slowly, the same quantiles at this T, each as value and standard error.
        eigenvalue_max_upper: The paper's upper bound with its unknown constant c2 set to 0,
            where λ_max is a lower bound, else None.
        width_exponent: a in λ_max ∝ M^a at fixed T/M.
        learning_rate_max: η_max = 2/λ_max.
        order_parameters: Per layer.
        notes: Why a quantity is None, and what to know about the others.
    """

    network: Network
    samples: int
    parameters: int
    alpha: float
    kappa1: float | None
    kappa2: float | None
    diagonal: float
    off_diagonal: float
    eigenvalue_mean: float | None
    eigenvalue_second_moment: float | None
    eigenvalue_max: float | None
    eigenvalue_max_kind: Kind
    eigenvalue_max_multiplicity: int
    eigenvalue_max_quantiles: dict[str, float] | None
    eigenvalue_max_at_samples: dict[str, dict[str, float]] | None
    eigenvalue_max_upper: float | None
    width_exponent: float
    learning_rate_max: float | None
    order_parameters: tuple[LayerOrderParameters, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict:
        """All fields in plain Python types, as the command line's `--json` prints them."""
        return {**asdict(self), "network": self.network.to_dict(), "notes": list(self.notes)}


def spectrum(
    network: Network,
    samples: jax.Array | float,
    weight_var: jax.Array | None = None,
    bias_var: jax.Array | None = None,
) -> Spectrum:
    """The predicted spectrum as a transformable function of T, σ_w² and σ_b².

        m_λ = tr F / P,   s_λ = tr F² / P,   λ_max = max(λ_1, λ_2)      (theory.md sections 3–6)

    Can be jit-compiled, vmapped and differentiated; call it (and `grad` or `vmap` of it) inside
    `with jax.enable_x64(True):`. Divergent means are infinite here; `predict` explains them.

    Args:
        network: The spec; its variances are used where none are passed.
        samples: T, also as a traced number; infinity is the limit T → ∞.
        weight_var: σ_w².
        bias_var: σ_b².

    Raises:
        ValueError: 64-bit floats are not enabled.
    """
    solutions = solve_network(network, samples, weight_var, bias_var)
    return read_spectrum(*solutions, float(network.parameters), kappa_scale(network))


def kappa_scale(network: Network) -> float:
    """α M, by which κ₁ and κ₂ are divided; NaN for a depth of 1."""
    return network.alpha * network.width or np.nan


@jax.jit
def read_spectrum(
    here: Solution, leading: Solution, parameters: jax.Array | float, scale: jax.Array | float
) -> Spectrum:
    """The spectrum of a network of P parameters and α M = `scale`, from its two solutions."""
    read, P = here.readout, parameters
    A, B = leading.readout.diagonal, leading.readout.off_diagonal
    return Spectrum(
        eigenvalue_mean=read.trace / P,
        eigenvalue_second_moment=read.trace_squared / P,
        eigenvalue_max=jnp.maximum(read.outlier, read.bulk),
        outlier=read.outlier,
        bulk=read.bulk,
        outlier_multiplicity=read.outlier_multiplicity,
        bulk_multiplicity=read.bulk_multiplicity,
        kappa1=A / scale,
        kappa2=jnp.where(B > VANISHING * A, B, 0) / scale,
    )


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
) -> "GivenPrediction": ...


def predict(network, samples=None, *, inputs=None, output_draws=0, seed=0, **options):
    """Predicts the FIM's spectrum: for i.i.d. inputs x_i ~ N(0, 1), or for given ones.

    Without `inputs` (theory.md sections 2–6):

        λ_1 = (A + (T−1) B)/T,   λ_2 = (A − B)/T,   λ_max = max(λ_1, λ_2),   η_max = 2/λ_max
        m_λ = C A / P,           s_λ = (C/P)(λ_1² + (T−1) λ_2²)

    and, for norms in the last layer, their counterparts of sections 5 and 6. With `inputs`
    (section 7) the same recursion runs on T×T matrices, and the eigenvalues of K̄/T are the
    spectrum. The theory is that of the wide limit: finite networks deviate by O(1/√M).

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
    if inputs is not None:
        from meanfield.theory.given_inputs.predict import (
            predict_given,  # it needs SciPy's slow parts
        )

        return predict_given(
            network, inputs, samples, output_draws=output_draws, seed=seed, **options
        )
    if options:
        raise ValueError(f"{', '.join(options)} must come with inputs, got none")
    if samples is None:
        raise ValueError("samples is required unless inputs are given, got None")
    return _predict_iid(network, samples, output_draws, seed)


def _predict_iid(network: Network, samples: int, output_draws: int, seed: int) -> Prediction:
    T = network.check_samples(samples)
    output_draws = positive_integer("output_draws", output_draws, least=0)
    seed = positive_integer("seed", seed, least=0)
    with jax.enable_x64(True):
        here, leading = solve_network(network, float(T))
        scales = float(network.parameters), kappa_scale(network)
        here, s = jax.device_get((here, read_spectrum(here, leading, *scales)))
    _check_finite(network, here)
    grows = bool(s.kappa2 > 0)
    kind = Kind.OUTLIER if grows and s.outlier >= s.bulk else Kind.LOWER_BOUND
    largest = _finite(s.eigenvalue_max)
    upper = _finite(np.sqrt(here.readout.trace_squared)) if kind.is_bound else None
    on_top = s.outlier_multiplicity if s.outlier >= s.bulk else s.bulk_multiplicity
    prediction = Prediction(
        network=network,
        samples=T,
        parameters=network.parameters,
        alpha=network.alpha,
        kappa1=float(s.kappa1) if network.alpha else None,
        kappa2=float(s.kappa2) if network.alpha else None,
        diagonal=float(here.readout.diagonal),
        off_diagonal=float(here.readout.off_diagonal),
        eigenvalue_mean=_finite(s.eigenvalue_mean),
        eigenvalue_second_moment=_finite(s.eigenvalue_second_moment),
        eigenvalue_max=largest,
        eigenvalue_max_kind=kind,
        eigenvalue_max_multiplicity=int(on_top),
        eigenvalue_max_quantiles=_quantiles(here) if kind is Kind.OUTLIER and largest else None,
        eigenvalue_max_at_samples=_at_samples(network, here, output_draws, seed),
        eigenvalue_max_upper=upper,
        width_exponent=1.0 if grows else 0.0,
        learning_rate_max=2 / largest if largest else None,
        order_parameters=_order_parameters(network, here),
        notes=(),
    )
    notes = explain(prediction, float(s.outlier), float(s.bulk), float(here.error))
    return replace(prediction, notes=notes)


def _finite(value: np.ndarray) -> float | None:
    """The value, or None where its mean over networks diverges."""
    return float(value) if np.isfinite(value) else None


def _quantiles(here: Solution) -> dict[str, float] | None:
    values = here.readout.outlier_quantiles
    if values is None:
        return None
    return by_quantile(values.tolist())


def _at_samples(
    network: Network, here: Solution, draws: int, seed: int
) -> dict[str, dict[str, float]] | None:
    sample = network.norm_records[-1].sample_largest
    if sample is None or draws == 0:
        return None
    values = sample(here.S, here.K, network.outputs, draws, np.random.default_rng(seed))
    return by_quantile(quantile(values, p)._asdict() for p in QUANTILES)


def _order_parameters(network: Network, here: Solution) -> tuple[LayerOrderParameters, ...]:
    hidden, output = here.layers, here.S
    q, gap = (np.append(getattr(hidden.S, f), getattr(output, f)) for f in ("same", "gap"))
    none = [None]
    q_hat = hidden.Q.same.tolist() + none
    q_hat_pair = (hidden.Q.same - hidden.Q.gap).tolist() + none
    q_tilde, q_tilde_pair = here.backward.same, here.backward.same - here.backward.gap
    return tuple(
        LayerOrderParameters(
            layer=i + 1,
            q=float(q[i]),
            q_pair=float(q[i] - gap[i]),
            gap=float(gap[i]),
            q_hat=q_hat[i],
            q_hat_pair=q_hat_pair[i],
            q_tilde=float(q_tilde[i]),
            q_tilde_pair=float(q_tilde_pair[i]),
        )
        for i in range(network.depth)
    )


def essentials(here: Solution) -> tuple[jax.Array, ...]:
    """What must stay finite for a spectrum to mean anything."""
    read = here.readout
    return (
        here.layers.S.same,
        here.S.same,
        read.diagonal,
        read.off_diagonal,
        here.backward.same,
    )


def _check_finite(network: Network, here: Solution) -> None:
    if all(np.isfinite(x).all() for x in essentials(here)):
        return
    q = np.append(here.layers.S.same, here.S.same)
    broken = np.flatnonzero(~np.isfinite(q))
    where = f"layer {broken[0] + 1}" if broken.size else "the tangent kernel"
    raise ValueError(
        f"weight_var={network.weight_var:g} and bias_var={network.bias_var:g} at "
        f"depth={network.depth} take the order parameters of {network.activation.name} beyond "
        f"the range of floating-point numbers in {where}; accepted are variances that keep them "
        f"finite and, where a norm divides by them, non-zero"
    )
