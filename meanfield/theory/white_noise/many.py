"""Many networks of one code at once, from closed forms or a table where that covers them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.gaussian.table import Table, tabulate
from meanfield.machine.compilations import compiled
from meanfield.spec.network import Network
from meanfield.theory.white_noise.recursion import Code, Numbers
from meanfield.theory.white_noise.spectrum import (
    Prepared,
    Spectrum,
    finish,
    kind_places,
    prepare,
)

# Points per call, always as many: then no result depends on which points come with it, and any
# number of them shares a compilation. What the search of an edge needs of them fits a cache.
BLOCK = 8


class Points(NamedTuple):
    """The spectrum at each point, the averages' error and whether order parameters stay finite."""

    spectrum: Spectrum
    error: np.ndarray
    finite: np.ndarray


class Theory(NamedTuple):
    """What the theory says of many networks, as arrays in their order.

    Attributes:
        eigenvalue_max, eigenvalue_mean, eigenvalue_second_moment: λ_max, m_λ and s_λ; NaN where
            their mean over networks diverges or the order parameters overflow.
        learning_rate_max: η_max = 2/λ_max.
        kappa1, kappa2: As in `meanfield.Prediction`.
        bulk_edge: E, the bulk's edge in wide networks; NaN where the last norm divides over units.
        eigenvalue_max_kind: What λ_max is, as its place in `Kind`.
    """

    eigenvalue_max: np.ndarray
    eigenvalue_mean: np.ndarray
    eigenvalue_second_moment: np.ndarray
    learning_rate_max: np.ndarray
    kappa1: np.ndarray
    kappa2: np.ndarray
    bulk_edge: np.ndarray
    eigenvalue_max_kind: np.ndarray


def theory(networks: Sequence[Network], samples: Sequence[int]) -> Theory:
    """The theory for white-noise inputs (theory.md sections 2–6, 11) of each network at its T.

    Networks of one depth, activation, last norm and number of outputs share one vectorized call.
    Equal to `meanfield.predict` up to the 2e-10 of the tables that grid activations come from.
    """
    groups = defaultdict(list)
    for i, network in enumerate(networks):
        groups[network.depth, Code.of(network)].append(i)
    found = np.full((len(Theory._fields), len(networks)), np.nan)
    with jax.enable_x64(True):
        for (_, code), members in groups.items():
            numbers = [Numbers.of(networks[i], float(samples[i])) for i in members]
            fields = zip(Numbers._fields, zip(*numbers, strict=True), strict=True)
            varying = {name: np.stack(values) for name, values in fields}
            found[:, members] = _read(solve_many(code, numbers[0], varying))
    *columns, kinds = found
    return Theory._make((*columns, kinds.astype(int)))


def _read(points: Points) -> np.ndarray:
    """The fields of `Theory`, one per row."""
    s = points.spectrum

    def usable(x):
        return np.where(np.isfinite(x) & points.finite, x, np.nan)

    largest = usable(s.eigenvalue_max)
    limit = np.divide(2, largest, out=np.full_like(largest, np.nan), where=largest > 0)
    moments = usable(s.eigenvalue_mean), usable(s.eigenvalue_second_moment)
    kappas = usable(s.kappa1), usable(s.kappa2)
    return np.stack([largest, *moments, limit, *kappas, usable(s.edge), kind_places(s)])


def solve_many(code: Code, shared: Numbers, varying: dict[str, np.ndarray]) -> Points:
    """Every point by a table of the activation's averages, else by quadrature.

    An activation without closed-form averages is tabulated once per process. Points whose layers
    leave the table's range, and activations that no table fits, are solved by quadrature one by
    one. Call it inside `with jax.enable_x64(True):`.

    Args:
        code: What all points share of code.
        shared: And of numbers.
        varying: The fields of `Numbers` that differ between points, along the first axis.
    """
    table = None if code.activation.closed_form else tabulate(code.activation.quadrature)
    points = _in_blocks(code, table, shared, varying)
    outside = np.isinf(points.error)
    if table is not None and outside.any():
        there = {name: values[outside] for name, values in varying.items()}
        again = _in_blocks(code, None, shared, there)
        for entries, new in zip(jax.tree.leaves(points), jax.tree.leaves(again), strict=True):
            entries[outside] = new
    return points


def _in_blocks(
    code: Code, table: Table | None, shared: Numbers, varying: dict[str, np.ndarray]
) -> Points:
    """All points by the table, or by the activation's own averages where there is none."""
    size, count = BLOCK, len(next(iter(varying.values())))
    parts = []
    for start in range(0, count, size):
        block = {name: _filled(v[start : start + size], size) for name, v in varying.items()}
        prepared = compiled(_prepare_block, "code")(code, table, shared, block)
        parts.append(jax.device_get(compiled(_finish_block)(prepared)))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:count], *parts)


def _filled(values: np.ndarray, size: int) -> np.ndarray:
    """Filled up with the last of them."""
    return np.concatenate([values, np.repeat(values[-1:], size - len(values), axis=0)])


def _prepare_block(
    code: Code, table: Table | None, shared: Numbers, varying: dict[str, jax.Array]
) -> Prepared:
    source = table or code.activation

    def prepare_point(here: dict[str, jax.Array]) -> Prepared:
        return prepare(code, source, shared._replace(**here))

    if source.branches:
        return jax.lax.map(prepare_point, varying)
    return jax.vmap(prepare_point)(varying)


def _finish_block(prepared: Prepared) -> Points:
    def finish_point(here: Prepared) -> Points:
        solved = finish(here, all_of_it=False)
        finite = jnp.stack([jnp.isfinite(x).all() for x in here.essentials]).all()
        return Points(solved.spectrum, solved.solution.error, finite)  # type: ignore[arg-type]

    return jax.vmap(finish_point)(prepared)
