"""The theory of every cell of a grid, in one compiled call per kind of network."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.table import Table, tabulate
from meanfield.norms import NORMS, Norm
from meanfield.spec.network import Network
from meanfield.theory.kinds import Kind
from meanfield.theory.predict import (
    Spectrum,
    essentials,
    kappa_scale,
    read_spectrum,
)
from meanfield.theory.white_noise.recursion import recursion_inputs, solve_both

BLOCK = 512  # cells per call, so that any number of them shares a compilation
SMALL_BLOCK = 8  # where each cell is solved by itself, or its readout takes megabytes


KINDS = tuple(Kind)


class Theory(NamedTuple):
    """What the theory says of each cell, as arrays in the order of the cells.

    Attributes:
        eigenvalue_max, eigenvalue_mean, eigenvalue_second_moment: λ_max, m_λ and s_λ; NaN where
            their mean over networks diverges or the order parameters overflow.
        learning_rate_max: η_max = 2/λ_max.
        kappa1, kappa2: As in `meanfield.Prediction`.
        eigenvalue_max_kind: What λ_max is, as its place in `Kind`.
    """

    eigenvalue_max: np.ndarray
    eigenvalue_mean: np.ndarray
    eigenvalue_second_moment: np.ndarray
    learning_rate_max: np.ndarray
    kappa1: np.ndarray
    kappa2: np.ndarray
    eigenvalue_max_kind: np.ndarray


class Numbers(NamedTuple):
    """What of each cell is numbers and not code; the first axis counts cells."""

    hidden_norms: np.ndarray
    widths: np.ndarray
    samples: np.ndarray
    weight_var: np.ndarray
    bias_var: np.ndarray
    parameters: np.ndarray
    scale: np.ndarray


def theory(networks: Sequence[Network], samples: Sequence[int]) -> Theory:
    """The theory for white-noise inputs (theory.md sections 2–6) of each network at its T.

    Cells of one depth, activation, last norm and number of outputs share one vectorized call.
    Equal to `meanfield.predict` up to the 2e-10 of the tables that grid activations come from.
    """
    groups = defaultdict(list)
    for i, network in enumerate(networks):
        key = network.depth, network.activation, network.norms[-1], network.outputs
        groups[key].append(i)
    found = np.full((len(Theory._fields), len(networks)), np.nan)
    with jax.enable_x64(True):
        for (_, activation, last_norm, outputs), members in groups.items():
            numbers = _numbers([networks[i] for i in members], [samples[i] for i in members])
            found[:, members] = _solve(activation, NORMS[last_norm], outputs, numbers)
    *columns, kinds = found
    return Theory._make((*columns, kinds.astype(int)))


def _numbers(networks: Sequence[Network], samples: Sequence[int]) -> Numbers:
    inputs = [recursion_inputs(network) for network in networks]
    return Numbers(
        np.stack([hidden_norms for *_, hidden_norms, _ in inputs]),
        np.stack([widths for *_, widths in inputs]),
        np.array(samples, float),
        np.array([network.weight_var for network in networks]),
        np.array([network.bias_var for network in networks]),
        np.array([network.parameters for network in networks], float),
        np.array([kappa_scale(network) for network in networks]),
    )


def _solve(activation, last_norm: Norm, outputs: int, numbers: Numbers) -> np.ndarray:
    """The fields of `Theory`, one per row; where a table does not reach, by quadrature."""
    table = None if activation.closed_form else tabulate(activation.quadrature)
    result, error = _in_blocks(activation, last_norm, outputs, table, numbers)
    if (outside := np.isinf(error)).any():
        there = Numbers(*(x[outside] for x in numbers))
        result[:, outside], _ = _in_blocks(activation, last_norm, outputs, None, there)
    return result


def _in_blocks(activation, last_norm, outputs, table, numbers) -> tuple[np.ndarray, np.ndarray]:
    averages = table or activation
    size = SMALL_BLOCK if averages.branches or last_norm.sample_largest else BLOCK
    count = len(numbers.samples)
    solve = partial(_solve_block, None if table else activation, last_norm, outputs, table)
    parts = []
    for start in range(0, count, size):
        block = jax.tree.map(lambda x: x[start : start + size], numbers)  # noqa: B023
        short = size - len(block.samples)
        full = jax.tree.map(
            lambda x: np.concatenate([x, np.repeat(x[-1:], short, axis=0)]),  # noqa: B023
            block,
        )
        parts.append(jax.device_get(solve(full)))
    spectra, errors, finite = jax.tree.map(lambda *p: np.concatenate(p)[:count], *parts)
    return _read(spectra, finite), errors


@partial(jax.jit, static_argnames=("activation", "last_norm", "outputs"))
def _solve_block(activation, last_norm, outputs: int, table: Table | None, numbers: Numbers):
    averages = table or activation

    def solve_cell(cell: Numbers):
        here, leading = solve_both(
            averages,
            last_norm,
            outputs,
            cell.hidden_norms,
            cell.widths,
            cell.samples,
            cell.weight_var,
            cell.bias_var,
        )
        finite = jnp.stack([jnp.isfinite(x).all() for x in essentials(here)]).all()
        return read_spectrum(here, leading, cell.parameters, cell.scale), here.error, finite

    return jax.lax.map(solve_cell, numbers) if averages.branches else jax.vmap(solve_cell)(numbers)


def _read(s: Spectrum, finite: np.ndarray) -> np.ndarray:
    grows = (s.kappa2 > 0) & (s.outlier >= s.bulk)
    largest = np.where(np.isfinite(s.eigenvalue_max) & finite, s.eigenvalue_max, np.nan)

    def usable(x):
        return np.where(np.isfinite(x) & finite, x, np.nan)

    limit = np.divide(2, largest, out=np.full_like(largest, np.nan), where=largest > 0)
    return np.stack(
        [
            largest,
            usable(s.eigenvalue_mean),
            usable(s.eigenvalue_second_moment),
            limit,
            usable(s.kappa1),
            usable(s.kappa2),
            np.where(grows, KINDS.index(Kind.OUTLIER), KINDS.index(Kind.LOWER_BOUND)),
        ]
    )
