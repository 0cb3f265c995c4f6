"""The spectrum as JAX arrays: one compiled call from a network's numbers to it."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.machine.compilations import compiled
from meanfield.spec.network import Network
from meanfield.spec.norms import UNITS
from meanfield.theory.kernels import Source
from meanfield.theory.kinds import Kind
from meanfield.theory.white_noise.bulk.ends import Ends, ends_of, no_ends
from meanfield.theory.white_noise.bulk.situation import Premises, premises_of
from meanfield.theory.white_noise.readout import Readout, read
from meanfield.theory.white_noise.recursion import Code, Numbers, Solution, solve_both

# κ₂ below this fraction of κ₁ is rounding: cross kernels are differences of O(1) numbers.
VANISHING = 1e-12
ROUNDING = 1e-9  # by which equal eigenvalues may differ


class Spectrum(NamedTuple):
    """The predicted spectrum as JAX arrays, for transformations such as `vmap` and `grad`.

    Attributes:
        eigenvalue_mean: m_λ = tr F / P.
        eigenvalue_second_moment: s_λ = tr F² / P.
        eigenvalue_max: λ_max, as expected at these sizes.
        outlier: Where λ_1 is, the eigenvalue of the direction that all samples share: z(x_1) of
            theory.md section 11, or behind a last norm that divides over units λ_1 of section 6.
            Where it does not stand out of the bulk it is the bulk's edge.
        bulk: λ_2, the mean of the other eigenvalues (theory.md section 4).
        outlier_multiplicity, bulk_multiplicity: How many eigenvalues each stands for.
        kappa1, kappa2: A and B at T → ∞ without the bias block, divided by α M; NaN for a
            depth of 1, where α = 0.
        is_outlier: Whether λ_max is the outlier and not the bulk's edge.
        is_bound: Whether λ_max is at least this: λ_2 where the bulk's edge is not known, or
            tr F/min(P, CT), which no spectrum is below.
        edge, edge_scale, bulk_variance: E, σ and R'(0) of theory.md section 11; NaN behind a last
            norm that divides over units, where λ_max is at least λ_2.
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
    is_outlier: jax.Array
    is_bound: jax.Array
    edge: jax.Array
    edge_scale: jax.Array
    bulk_variance: jax.Array


def kind_places(found: Spectrum) -> np.ndarray:
    """What λ_max is at every point, as its place in `Kind`."""
    outlier, edge, bound = map(list(Kind).index, (Kind.OUTLIER, Kind.BULK_EDGE, Kind.LOWER_BOUND))
    return np.select([found.is_bound, found.is_outlier], [bound, outlier], edge)


class Solved(NamedTuple):
    """A network at one sample count, solved and read.

    Attributes:
        solution: The recursion.
        readout: What the output layer says of the spectrum.
        ends: Where the bulk ends.
        spectrum: The spectrum.
    """

    solution: Solution
    readout: Readout
    ends: Ends
    spectrum: Spectrum


def spectrum(
    network: Network,
    samples: jax.Array | float,
    weight_var: jax.Array | None = None,
    bias_var: jax.Array | None = None,
) -> Spectrum:
    """The predicted spectrum as a transformable function of T, σ_w² and σ_b².

        m_λ = tr F / P,   s_λ = tr F² / P,   λ_max      (theory.md sections 3–6 and 11)

    At few samples, where the edge is the end of the range of x, derivatives of it are only good to
    some per cent.

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
    return solve_network(network, samples, weight_var, bias_var).spectrum


def solve_network(
    network: Network,
    samples: jax.Array | float,
    weight_var: jax.Array | None = None,
    bias_var: jax.Array | None = None,
) -> Solved:
    """A network's spec solved, with its variances or other (traced) ones.

    Args:
        network, samples, weight_var, bias_var: As in `spectrum`.

    Raises:
        ValueError: 64-bit floats are not enabled; the gaps need them.
    """
    if not jax.config.read("jax_enable_x64"):
        raise ValueError(
            "the theory needs 64-bit floats: call it inside `with jax.enable_x64(True):`"
        )
    numbers = Numbers.of(network, jnp.asarray(samples, jnp.float64))
    return solve_jointly(
        Code.of(network),
        numbers._replace(
            weight_var=jnp.asarray(network.weight_var if weight_var is None else weight_var, float),
            bias_var=jnp.asarray(network.bias_var if bias_var is None else bias_var, float),
        ),
    )


class Prepared(NamedTuple):
    """A network solved, and what its spectrum follows from: numbers only.

    Attributes:
        solution: The recursion at T samples.
        readout, limit: What the output layer says of the spectrum, at T and at T → ∞.
        premises: What the bulk's ends follow from; None where the law does not reach.
        parameters, scale: P and α M.
        rank: min(P, CT), beyond which F has no eigenvalues but 0.
    """

    solution: Solution
    readout: Readout
    limit: Readout
    premises: Premises | None
    parameters: jax.Array
    scale: jax.Array
    rank: jax.Array

    @property
    def essentials(self) -> tuple[jax.Array, ...]:
        """What must stay finite for a spectrum to mean anything."""
        here, readout = self.solution, self.readout
        return (
            here.layers.S.same,
            here.S.same,
            readout.diagonal,
            readout.off_diagonal,
            here.backward.same,
        )


def prepare(code: Code, source: Source, numbers: Numbers) -> Prepared:
    """The recursion at T samples and its leading order, and what is read off both."""
    here, leading = solve_both(code, source, numbers)
    readout, limit = read(code, here), read(code, leading)
    reaches = code.last.divide is not UNITS
    premises = premises_of(code, numbers, here, readout) if reaches else None
    P, scale = jnp.asarray(numbers.parameters), jnp.asarray(numbers.scale)
    rank = jnp.minimum(P, code.outputs * numbers.samples)
    return Prepared(here, readout, limit, premises, P, scale, rank)


@partial(jax.jit, static_argnames="all_of_it")
def finish(prepared: Prepared, all_of_it: bool) -> Solved:
    """The spectrum; compiled by itself, for all networks of a depth.

    Args:
        prepared: The network, solved.
        all_of_it: Whether to look for the bulk's lower end, too.
    """
    readout, limit, given = prepared.readout, prepared.limit, prepared.premises
    ends = no_ends(readout) if given is None else ends_of(given, all_of_it)
    A, B, P = limit.diagonal, limit.off_diagonal, prepared.parameters
    grows = B > VANISHING * A
    trace = jnp.where(jnp.isfinite(readout.trace), readout.trace, 0)
    mean = trace / prepared.rank  # of the eigenvalues that may differ from 0
    is_outlier = ends.is_outlier & (grows | (given is not None))
    is_bound = (ends.largest < (1 - ROUNDING) * mean) | ~(is_outlier | jnp.isfinite(ends.edge))
    found = Spectrum(
        eigenvalue_mean=readout.trace / P,
        eigenvalue_second_moment=jnp.maximum(ends.trace_squared, trace * mean) / P,
        eigenvalue_max=jnp.maximum(ends.largest, mean),
        outlier=ends.outlier,
        bulk=readout.bulk,
        outlier_multiplicity=readout.outlier_multiplicity,
        bulk_multiplicity=readout.bulk_multiplicity,
        kappa1=A / prepared.scale,
        kappa2=jnp.where(grows, B, 0) / prepared.scale,
        is_outlier=is_outlier & ~is_bound,
        is_bound=is_bound,
        edge=ends.edge,
        edge_scale=ends.scale,
        bulk_variance=ends.variance,
    )
    return Solved(prepared.solution, readout, ends, found)


def prepare_network(network: Network, samples: float) -> Prepared:
    """A network's spec solved, without the spectrum."""
    code, numbers = Code.of(network), Numbers.of(network, jnp.asarray(samples, jnp.float64))
    return compiled(_prepare_code, "code")(code, numbers)


def finish_network(prepared: Prepared) -> Solved:
    """Its spectrum, with both ends of the bulk."""
    return compiled(_finish_all)(prepared)


def solve_jointly(code: Code, numbers: Numbers) -> Solved:
    """A network solved by its activation's own averages, with derivatives by σ_w², σ_b² and T."""
    at = numbers.weight_var, numbers.bias_var, numbers.samples
    return _by_three_numbers(code, numbers, *map(jnp.asarray, at))


def _prepare_code(code: Code, numbers: Numbers) -> Prepared:
    return prepare(code, code.activation, numbers)


# What users compile or differentiate has this in it, and takes no options of its own.
_prepared = jax.jit(_prepare_code, static_argnames="code")


def _finish_all(prepared: Prepared) -> Solved:
    return finish(prepared, all_of_it=True)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _by_three_numbers(
    code: Code,
    others: Numbers,
    weight_var: jax.Array,
    bias_var: jax.Array,
    samples: jax.Array,
) -> Solved:
    numbers = others._replace(weight_var=weight_var, bias_var=bias_var, samples=samples)
    return finish(_prepared(code, numbers), all_of_it=True)


@_by_three_numbers.defjvp
def _forwards(code, at, along):
    """Forwards, whichever way is asked for: from three numbers it is many steps to the spectrum."""
    (others, *three), (_, *changes) = at, along

    def toward(one):
        function = partial(_by_three_numbers.fun, code, others)
        return jax.jvp(function, tuple(three), tuple(one))

    found, by_each = jax.vmap(toward, out_axes=(None, 0))(jnp.eye(len(three)))
    return found, jax.tree.map(lambda column: _combined(column, changes), by_each)


def _combined(by_each: jax.Array, changes: list[jax.Array]) -> jax.Array | np.ndarray:
    """Σ (∂/∂number) · its change; of no value for what is no real number."""
    if by_each.dtype == jax.dtypes.float0:
        return np.zeros(by_each.shape[1:], jax.dtypes.float0)
    return jnp.tensordot(jnp.stack(changes), by_each, 1)
