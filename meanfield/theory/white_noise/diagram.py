"""Phase diagrams: the spectrum over many variances at once."""

import warnings

import jax
import numpy as np

from meanfield.checks import variances
from meanfield.gaussian.averages import DOUBTFUL_ERROR
from meanfield.machine.compilations import make_room
from meanfield.spec.network import Network
from meanfield.theory.white_noise.many import solve_many
from meanfield.theory.white_noise.recursion import Code, Numbers
from meanfield.theory.white_noise.spectrum import Spectrum


def diagram(
    network: Network,
    samples: int,
    weight_var: np.ndarray | float,
    bias_var: np.ndarray | float,
) -> Spectrum:
    """The predicted spectrum over a diagram of variances (theory.md sections 3–6 and 11).

    An activation without closed-form averages is tabulated once per process, to a measured
    relative error below 2e-10. Points whose layers leave the table's range of variances, 1e-4 to
    50, and activations that no table fits are solved by quadrature one by one: as accurate as
    `meanfield.spectrum`, but slower.

    Args:
        network: The spec; its own variances are not used.
        samples: T.
        weight_var, bias_var: σ_w² and σ_b², arrays that broadcast against each other; for a full
            diagram `weight_var[:, None]` and `bias_var`.

    Returns:
        The spectrum as float64 arrays of the broadcast shape. Means that diverge over networks
        are infinite, as in `meanfield.spectrum`. Where order parameters leave the range of
        floating-point numbers every entry is NaN, and a RuntimeWarning says at how many points;
        another one says so where averages are doubtful.

    Raises:
        ValueError: The variances are not finite, negative or do not broadcast, a norm divides by
            zero at one of the points, or `samples` is too small for a norm.
    """
    T = network.check_samples(samples)
    w, b = _broadcast(weight_var, bias_var)
    _check_divisions(network, w, b)
    make_room()
    with jax.enable_x64(True):
        varying = {"weight_var": w.ravel(), "bias_var": b.ravel()}
        points = solve_many(Code.of(network), Numbers.of(network, float(T)), varying)
    overflow, error = ~points.finite, points.error
    if network.norm_records[-1].divergence(network.outputs) is None:
        overflow |= ~np.isfinite(points.spectrum.eigenvalue_second_moment)
    _warn(network, error[~overflow], overflow, w.ravel(), b.ravel())
    return jax.tree.map(lambda x: np.where(overflow, np.nan, x).reshape(w.shape), points.spectrum)


def _broadcast(weight_var: object, bias_var: object) -> tuple[np.ndarray, np.ndarray]:
    w, b = variances("weight_var", weight_var), variances("bias_var", bias_var)
    try:
        shape = np.broadcast_shapes(w.shape, b.shape)
    except ValueError as error:
        raise ValueError(
            f"weight_var and bias_var must broadcast against each other, "
            f"got shapes {w.shape} and {b.shape}"
        ) from error
    return np.broadcast_to(w, shape), np.broadcast_to(b, shape)


def _check_divisions(network: Network, w: np.ndarray, b: np.ndarray) -> None:
    """Norms divide by zero at a weight variance of 0 if at all."""
    at_zero = w == 0
    for norm in dict.fromkeys(network.norm_records):
        for bias_var in np.unique(b[at_zero]):
            if flaw := norm.division_flaw(0.0, float(bias_var)):
                raise ValueError(
                    f"weight_var must keep norm {norm.name!r} from dividing by zero, got 0 with "
                    f"bias_var={bias_var:g}: {flaw}"
                )


def _warn(
    network: Network, error: np.ndarray, overflow: np.ndarray, w: np.ndarray, b: np.ndarray
) -> None:
    if overflow.any():
        first = np.flatnonzero(overflow)[0]
        warnings.warn(
            f"the order parameters leave the range of floating-point numbers at "
            f"{overflow.sum()} of {overflow.size} points, NaN in the result; the first is "
            f"weight_var={w[first]:g}, bias_var={b[first]:g}",
            RuntimeWarning,
            stacklevel=3,
        )
    if (doubtful := error > DOUBTFUL_ERROR).any():
        warnings.warn(
            f"the averages of {network.activation.name} are only accurate to about "
            f"{error.max():.1g} at {doubtful.sum()} of {overflow.size} points: a kink elsewhere "
            f"than at zero, or a variance too large for the grid",
            RuntimeWarning,
            stacklevel=3,
        )
