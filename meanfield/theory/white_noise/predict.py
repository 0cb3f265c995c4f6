"""Predicting the FIM's spectrum of a network on white-noise inputs."""

from dataclasses import replace

import jax
import numpy as np
from numpy.typing import ArrayLike

from meanfield.checks import count, random_seed
from meanfield.numerics.estimates import quantile
from meanfield.spec.network import Network
from meanfield.theory.kinds import QUANTILES, Kind, by_quantile
from meanfield.theory.outputs import largest_quantiles
from meanfield.theory.white_noise.bulk.spectrum import BulkSpectrum
from meanfield.theory.white_noise.finite_samples import check_draws, sample_largest
from meanfield.theory.white_noise.notes import explain
from meanfield.theory.white_noise.readout import before_division
from meanfield.theory.white_noise.recursion import Solution
from meanfield.theory.white_noise.result import LayerOrderParameters, Prediction
from meanfield.theory.white_noise.spectrum import (
    Prepared,
    Solved,
    finish_network,
    kind_places,
    prepare_network,
)

Quantiles = dict[str, dict[str, float]]


def predict_white_noise(
    network: Network, samples: int, output_draws: int = 0, seed: int = 0
) -> Prediction:
    """The work of `meanfield.predict` where no inputs are given; its documentation is there."""
    T = network.check_samples(samples)
    output_draws = count("output_draws", output_draws, least=0)
    seed = random_seed(seed)
    norm = network.norm_records[-1]
    if output_draws and norm.random_outputs:
        check_draws(T, network.outputs - norm.lost_directions, output_draws)
    solved = solve_checked(network, T)
    at_samples = _at_samples(network, solved.solution, output_draws, seed)
    found = _prediction(network, T, solved, at_samples)
    return replace(found, notes=explain(found, float(solved.solution.error)))


def solve_checked(network: Network, samples: int) -> Solved:
    """The network's solution as NumPy arrays.

    Raises:
        ValueError: The order parameters leave the range of floating-point numbers.
    """
    prepared = check_range(network, samples)
    with jax.enable_x64(True):
        return jax.device_get(finish_network(prepared))


def check_range(network: Network, samples: int) -> Prepared:
    """The network's recursion, whose numbers are finite.

    Raises:
        ValueError: The order parameters leave the range of floating-point numbers.
    """
    with jax.enable_x64(True):
        prepared = jax.device_get(prepare_network(network, float(samples)))
    if not all(np.isfinite(x).all() for x in prepared.essentials):
        raise ValueError(_out_of_range(network, prepared.solution))
    return prepared


def _out_of_range(network: Network, here: Solution) -> str:
    q = np.append(here.layers.S.same, here.S.same)
    broken = np.flatnonzero(~np.isfinite(q))
    where = f"layer {broken[0] + 1}" if broken.size else "the tangent kernel"
    return (
        f"weight_var={network.weight_var:g} and bias_var={network.bias_var:g} at "
        f"depth={network.depth} take the order parameters of {network.activation.name} beyond "
        f"the range of floating-point numbers in {where}; accepted are variances that keep them "
        f"finite and, where a norm divides by them, non-zero"
    )


def _prediction(
    network: Network, samples: int, solved: Solved, at_samples: Quantiles | None
) -> Prediction:
    """The prediction, but for its notes."""
    s, readout = solved.spectrum, solved.readout
    grows, kind = bool(s.kappa2 > 0), list(Kind)[int(kind_places(s))]
    largest = _finite(s.eigenvalue_max)
    several = readout.outlier_multiplicity if s.is_outlier else 1
    below = kind.is_bound and samples > 1  # a single sample has no bulk
    multiplicity = readout.bulk_multiplicity if below else several
    return Prediction(
        network=network,
        samples=samples,
        parameters=network.parameters,
        alpha=network.alpha,
        kappa1=float(s.kappa1) if network.alpha else None,
        kappa2=float(s.kappa2) if network.alpha else None,
        diagonal=float(readout.diagonal),
        off_diagonal=float(readout.off_diagonal),
        eigenvalue_mean=_finite(s.eigenvalue_mean),
        eigenvalue_second_moment=_finite(s.eigenvalue_second_moment),
        eigenvalue_max=largest,
        eigenvalue_max_sem=None,
        eigenvalue_max_kind=kind,
        eigenvalue_max_multiplicity=int(multiplicity),
        eigenvalue_max_quantiles=_quantiles(kind, solved) if largest else None,
        eigenvalue_max_at_samples=at_samples,
        bulk=_bulk(network, samples, solved),
        width_exponent=1.0 if grows else 0.0,
        learning_rate_max=2 / largest if largest else None,
        order_parameters=_order_parameters(network, solved.solution),
        notes=(),
    )


def _quantiles(kind: Kind, solved: Solved) -> dict[str, float] | None:
    """Of one network's λ_max: by Tracy–Widom, what all eigenvalues share, or the random outputs.

    None where these are not known, or the numbers that they follow from are out of range.
    """
    ends, of_outputs = solved.ends, solved.readout.outlier_quantiles
    if kind.is_bound:
        return None
    if of_outputs is not None:
        return by_quantile(of_outputs.tolist())
    numbers = ends.largest, ends.deviation, ends.own_scale
    values = largest_quantiles(*map(float, numbers))
    return by_quantile(values) if np.isfinite(values).all() else None


def _bulk(network: Network, samples: int, solved: Solved) -> BulkSpectrum | None:
    """The bulk, or None where it is not known, or one of its numbers is out of range."""
    ends = solved.ends
    found = BulkSpectrum(
        network=network,
        samples=samples,
        mean=float(solved.spectrum.bulk),
        variance=float(ends.variance),
        edge=float(ends.edge),
        lower=float(ends.lower),
        scale=float(ends.scale),
    )
    numbers = found.mean, found.variance, found.edge, found.lower, found.scale
    return found if np.isfinite(numbers).all() else None


def _finite(value: ArrayLike) -> float | None:
    """The value, or None where its mean over networks diverges."""
    number = float(np.asarray(value))
    return number if np.isfinite(number) else None


def _at_samples(network: Network, here: Solution, draws: int, seed: int) -> Quantiles | None:
    """Quantiles of λ_max at this T, where the last norm leaves it random."""
    norm, C = network.norm_records[-1], network.outputs
    if not norm.random_outputs or draws == 0:
        return None
    S, K = before_division(norm, here.S, here.K)
    rng = np.random.default_rng(seed)
    values = sample_largest(S, K, C, C - norm.lost_directions, draws, rng)
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
