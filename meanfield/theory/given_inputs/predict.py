"""Predicting the FIM's spectrum of a network on given inputs (theory.md section 7)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from meanfield.checks import one_of, positive_integer
from meanfield.gaussian.kinked import jumps_at_zero
from meanfield.spec.inputs import check_inputs
from meanfield.spec.network import Network
from meanfield.theory.given_inputs.readout import GivenReadout
from meanfield.theory.kernels import Full
from meanfield.theory.kinds import QUANTILES, Kind, by_quantile
from meanfield.theory.notes import explain_given
from meanfield.theory.white_noise.recursion import advance, layer_step

SAMPLED, SELF_AVERAGING = "sampled", "self-averaging"
FIELDS = 8192
REPLICAS = 4  # independent recursions that share the fields: their scatter is the error
TIE = 1e-9  # eigenvalues closer than this, relative, count as this far apart
# Of λ_max by finite width, up to which its wide limit is a prediction. Measured (M = 300 to 1200):
# 5 to 7 % at a shift of 0.18, 15 to 30 % at 0.8 to 1.1, 50 to 70 % at 3.4 to 4.6.
SMALL_SHIFT = 0.25


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class GivenPrediction:
    """The predicted spectrum of the FIM on given inputs, and what it rests on.

    Attributes:
        network, samples, parameters: The spec, with the inputs' dimension as M_0, T and P.
        eigenvalues: The predicted spectrum: T eigenvalues per output direction, descending, on
            average over networks; None where a norm per sample would need too large a matrix, or
            leaves no mean. Those of averaged kernels after a sampled hidden batch norm, and under
            layer norm or rms in the last layer averaged over neighbours: the first of them is
            then not quite λ_max.
        eigenvalue_mean: m_λ = tr F / P.
        eigenvalue_second_moment: s_λ = tr F² / P.
        eigenvalue_max: λ_max, its mean over networks where it stays random.
        eigenvalue_max_sem: Its Monte Carlo standard error where something was sampled, else None.
        eigenvalue_max_kind: `wide-limit` where `finite_width_shift` is at most 0.25 (measured
            deviations were 7 % at a shift of 0.18); else `lower-bound`: the bulk of finite
            networks spreads beyond it.
        finite_width_shift: By how much finite width may raise λ_max, relative:
            ((L−1)/M) Σ_{j>1} λ_j/(λ_1 − λ_j), M the smallest hidden width. It is the first order
            by which sampling M random features raises a covariance's largest eigenvalue (Lawley
            1956), once per hidden layer; a third of it was measured where it is small. [derived]
        eigenvalue_max_multiplicity: How many output directions share λ_max.
        eigenvalue_max_quantiles: Its 10, 50 and 90 % quantiles over networks where it stays
            random in the wide limit, else None.
        learning_rate_max: η_max = 2/λ_max.
        eigenvectors: The leading eigenvectors over samples, T×count, where asked for; else None.
        batch_statistics: How hidden batch norms were averaged; None where there are none.
        notes: Why a quantity is None, and what to know about the others.
    """

    network: Network
    samples: int
    parameters: int
    eigenvalues: np.ndarray | None
    eigenvalue_mean: float | None
    eigenvalue_second_moment: float | None
    eigenvalue_max: float | None
    eigenvalue_max_sem: float | None
    eigenvalue_max_kind: Kind
    finite_width_shift: float | None
    eigenvalue_max_multiplicity: int
    eigenvalue_max_quantiles: dict[str, float] | None
    learning_rate_max: float | None
    eigenvectors: np.ndarray | None
    batch_statistics: str | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict:
        """All fields in plain Python types, as the command line's `--json` prints them."""
        flat = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}
        return {**flat, "network": self.network.to_dict(), "notes": list(self.notes)}


class Options(NamedTuple):
    """How to predict, checked.

    Attributes:
        seed: Of everything that is sampled.
        output_draws: Of the outputs, where the last norm divides by a random variance; 0 for
            the readout's own number.
        batch_statistics: `sampled` or `self-averaging`.
        fields: Of each hidden batch norm.
        eigenvectors: How many to return.
    """

    seed: int
    output_draws: int
    batch_statistics: str
    fields: int
    eigenvectors: int


def predict_given(
    network: Network,
    inputs: ArrayLike,
    samples: int | None = None,
    *,
    output_draws: int = 0,
    seed: int = 0,
    batch_statistics: str = SAMPLED,
    fields: int = FIELDS,
    eigenvectors: int = 0,
) -> GivenPrediction:
    """The work of `meanfield.predict` where inputs are given; its documentation is there."""
    network, x = check_inputs(network, inputs)
    if samples is not None and positive_integer("samples", samples) != len(x):
        raise ValueError(f"samples must equal the inputs' {len(x)} rows, got {samples}")
    options = Options(
        positive_integer("seed", seed, least=0),
        positive_integer("output_draws", output_draws, least=0),
        one_of("batch_statistics", batch_statistics, (SAMPLED, SELF_AVERAGING)),
        positive_integer("fields", fields),
        positive_integer("eigenvectors", eigenvectors, least=0),
    )
    if options.seed >= 2**63:
        raise ValueError(f"seed must be below 2**63, got {seed}")
    if options.output_draws == 1:
        raise ValueError("output_draws must be 0 or at least 2, to know its error, got 1")
    if options.eigenvectors > len(x):
        raise ValueError(f"eigenvectors must be at most the {len(x)} samples, got {eigenvectors}")
    with jax.enable_x64(True):
        kernels, error = _output_kernels(network, x, options)
        readout, sem = _read(network, kernels, options)
    return _assemble(network, len(x), options, readout, sem, error)


def input_kernel(x: np.ndarray) -> Full:
    """Q⁰ = X Xᵀ/M_0, its gaps from differences: |x_s − x_t|²/(2 M_0)."""
    from scipy.spatial.distance import pdist, squareform  # on first use: importing takes time

    M_0 = x.shape[1]
    x = x.astype(np.float64)  # the squares of an image's bytes are none
    with np.errstate(over="ignore"):  # an infinite kernel is reported as such
        gap = squareform(pdist(x, "sqeuclidean")) / (2 * M_0)
        same = (x**2).sum(axis=1) / M_0
    return Full(jnp.asarray(same), jnp.asarray(gap).reshape(len(x), -1))


def _output_kernels(
    network: Network, x: np.ndarray, options: Options
) -> tuple[list[tuple[Full, Full]], float]:
    """(S, K) of the output layer, once or per replica, and the averages' relative error."""
    Q = input_kernel(x)
    start = (
        Q.affine(network.weight_var, network.bias_var),
        Q.affine(float(network.widths[0]), 1.0),
    )
    if not _samples_fields(network, options):
        S, K, error = _solve(network, start, options, None)
        return [(S, K)], error
    keys = jax.random.split(jax.random.key(options.seed), REPLICAS)
    found = [_solve(network, start, options, key) for key in keys]
    return [(S, K) for S, K, _ in found], max(error for *_, error in found)


def _samples_fields(network: Network, options: Options) -> bool:
    hidden = network.norm_records[:-1]
    return options.batch_statistics == SAMPLED and any(n.average_over_fields for n in hidden)


def _solve(
    network: Network, start: tuple[Full, Full], options: Options, key: jax.Array | None
) -> tuple[Full, Full, float]:
    """The recursion of section 3 on full kernels."""
    (S, K), error = start, 0.0
    _check_finite(network, S, K, 1)
    variances = network.weight_var, network.bias_var
    hidden = zip(network.norm_records[:-1], network.widths[1:], strict=True)
    for layer, (norm, width) in enumerate(hidden):
        _check_layer(network, S, K, layer + 1)
        if key is not None and norm.average_over_fields:
            layer_key = jax.random.fold_in(key, layer)
            fields = -(-options.fields // REPLICAS)
            averages = norm.average_over_fields(S, K, network.activation, fields, layer_key)
            S, K = advance(*averages, float(width), *variances, 1.0)
        else:
            kernels: Callable = norm.given_kernels or norm.kernels
            arguments = network.activation, float(width), *variances, 1.0
            S, K, _, _, layer_error = layer_step(S, K, kernels, *arguments)
            error = max(error, float(layer_error))
        _check_finite(network, S, K, layer + 2)
    _check_layer(network, S, K, network.depth)
    return S, K, error


def _check_layer(network: Network, S: Full, K: Full, layer: int) -> None:
    """Refuses samples that a norm divides by zero, or that stay where the gradient jumps."""
    norm = network.norm_records[layer - 1]
    kernels: Callable = norm.given_kernels or norm.kernels
    S_bar, K_bar = kernels(S, K)
    if not _is_finite(S_bar, K_bar):
        zero = jnp.flatnonzero(S.same == 0)
        why = "all samples are alike" if norm.mixes_samples else f"row {zero[0]} leads to zeros"
        raise ValueError(
            f"inputs make norm {norm.name!r} in layer {layer} divide by zero: {why} there"
        )
    # Such a sample's φ' is of no matter where no gradient passes: K̄ = 0 or σ_w² = 0.
    stuck = jnp.flatnonzero((S_bar.same == 0) & (K_bar.same > 0))
    if layer < network.depth and network.weight_var > 0 and stuck.size and _has_kink(network):
        raise ValueError(
            f"inputs must not make all pre-activations 0 where {network.activation.name} has a "
            f"kink and no gradient: row {stuck[0]} does in layer {layer}; accepted are "
            f"bias_var > 0 or rows that are not 0"
        )


def _has_kink(network: Network) -> bool:
    """Whether φ' jumps at 0."""
    return jumps_at_zero(network.activation)[1]


def _is_finite(*kernels: Full) -> bool:
    return all(bool(jnp.isfinite(x).all()) for kernel in kernels for x in kernel)


def _check_finite(network: Network, S: Full, K: Full, layer: int) -> None:
    if _is_finite(S, K):
        return
    raise ValueError(
        f"weight_var={network.weight_var:g} and bias_var={network.bias_var:g} at "
        f"depth={network.depth} take the kernels of {network.activation.name} on these inputs "
        f"beyond the range of floating-point numbers in layer {layer}; accepted are variances "
        f"that keep them finite and, where a norm divides by them, non-zero"
    )


def _read(
    network: Network, kernels: list[tuple[Full, Full]], options: Options
) -> tuple[GivenReadout, float | None]:
    """The spectrum, and the standard error of λ_max's mean.

    Of replicas the mean kernels are read. λ_max is convex in them: the jackknife takes the bias of
    their noise off to first order, and gives the error.
    """

    def read(some: list[tuple[Full, Full]]) -> GivenReadout:
        S, K = jax.tree.map(lambda *parts: sum(parts) / len(parts), *some)
        arguments = S, K, network.outputs, options.eigenvectors, options.output_draws
        return network.norm_records[-1].read_given(*arguments, np.random.default_rng(options.seed))

    readout = read(kernels)
    draws = readout.largest
    sem = draws.std(ddof=1) / len(draws) ** 0.5 if len(draws) > 1 else 0.0
    if len(kernels) == 1:
        return readout, float(sem) if len(draws) > 1 else None
    n = len(kernels)
    without = [read(kernels[:i] + kernels[i + 1 :]).largest.mean() for i in range(n)]
    bias = (n - 1) * (np.mean(without) - draws.mean())
    corrected = readout._replace(largest=draws * (1 - bias / draws.mean()))
    return corrected, float(np.hypot(sem, (n - 1) / n**0.5 * np.std(without)))


def _assemble(
    network: Network,
    samples: int,
    options: Options,
    readout: GivenReadout,
    sem: float | None,
    error: float,
) -> GivenPrediction:
    P, norm = network.parameters, network.norm_records[-1]
    diverges = norm.divergence(network.outputs)
    has_mean = np.isfinite(readout.trace)
    largest = float(readout.largest.mean()) if has_mean else None
    random = len(readout.largest) > 1
    eigenvalues = readout.eigenvalues if has_mean else None
    shift = _finite_width_shift(network, eigenvalues)
    quantiles = np.quantile(readout.largest, QUANTILES)
    hidden = any(n.average_over_fields for n in network.norm_records[:-1])
    prediction = GivenPrediction(
        network=network,
        samples=samples,
        parameters=P,
        eigenvalues=eigenvalues,
        eigenvalue_mean=readout.trace / P if has_mean else None,
        eigenvalue_second_moment=(
            readout.trace_squared / P if np.isfinite(readout.trace_squared) else None
        ),
        eigenvalue_max=largest,
        eigenvalue_max_sem=sem if has_mean else None,
        eigenvalue_max_kind=(
            Kind.LOWER_BOUND if shift is not None and shift > SMALL_SHIFT else Kind.WIDE_LIMIT
        ),
        finite_width_shift=shift,
        eigenvalue_max_multiplicity=readout.multiplicity,
        eigenvalue_max_quantiles=(by_quantile(quantiles.tolist()) if random else None),
        learning_rate_max=2 / largest if largest else None,
        eigenvectors=readout.vectors if options.eigenvectors else None,
        batch_statistics=options.batch_statistics if hidden else None,
        notes=(),
    )
    return replace(prediction, notes=explain_given(prediction, diverges, error))


def _finite_width_shift(network: Network, eigenvalues: np.ndarray | None) -> float | None:
    """((L−1)/M) Σ_{j>1} λ_j/(λ_1 − λ_j)."""
    hidden = network.widths[1:]
    if eigenvalues is None or not hidden:
        return None if hidden else 0.0
    first, rest = eigenvalues[0], np.maximum(eigenvalues[1:], 0)
    ratios = rest / np.maximum(first - rest, TIE * first) if first > 0 else rest
    return float(len(hidden) / min(hidden) * ratios.sum())
