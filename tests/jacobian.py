"""The brute-force reference: the whole Jacobian of a small network, and what follows from it."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from meanfield import Network
from meanfield.sampling.measurement import Request
from meanfield.sampling.networks import draw_key, draw_network, forward

# The norms of a T×M batch as theory.md section 1 defines them; numpy's std is the population's.
DEFINITIONS = {
    "none": lambda u: u,
    "mean": lambda u: u - np.mean(u, axis=0),
    "batch": lambda u: (u - np.mean(u, axis=0)) / np.std(u, axis=0),
    "layer-mean": lambda u: u - np.mean(u, axis=1, keepdims=True),
    "layer": lambda u: (u - np.mean(u, axis=1, keepdims=True)) / np.std(u, axis=1, keepdims=True),
    "rms": lambda u: u / np.sqrt(np.mean(u * u, axis=1, keepdims=True)),
}

# Rounding: 1.1e-16 or 6e-8 times the hundred operations in a row that a matrix entry takes, where a
# norm divides by its spread (above 0.1) another factor of ten.
ROUNDING = {"float64": 1e-13, "float32": 6e-5}
# λ_max by Lanczos has the tolerance on its residual besides, 1e-10 and 1e-4; a trace or a second
# moment sums up to CT and (CT)² such roundings.
STATISTICS = {"float64": 1e-10, "float32": 1e-4}
# Sums over a matrix in full, without any Lanczos.
SUMS = {"float64": 1e-12, "float32": 6e-5}


@contextmanager
def as_measured():
    """The scope that `measure_draw` computes in, and so shares what is compiled."""
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


@dataclass(frozen=True)
class Reference:
    """F* = J Jᵀ / T of one network (rows ordered sample by sample) and its statistics."""

    matrix: np.ndarray
    eigenvalues: np.ndarray
    figures: tuple[float, float, float]


def figures(measured):
    """λ_max, tr F and tr F² of a measurement."""
    return float(measured.leading[0]), measured.trace, measured.trace_squared


def sample(network, samples, precision="float64", seed=0):
    """Parameters and white-noise inputs of `simulate`'s draw 0 of a seed."""
    with as_measured():
        key, _ = jax.random.split(draw_key(seed, 0))
        return draw_network(network, key, None, samples, jnp.dtype(precision))


def measure_by(method, network, samples, precision="float64", seed=0, **request):
    """What a method, `dual` or `krylov`, says of that sample."""
    with as_measured():
        drawn, key = sample(network, samples, precision), jax.random.key(seed)
        return method.measure(network, *drawn, key, Request(**request))


def flat_jacobian(network, parameters, inputs):
    """∂f_k(t)/∂θ for all parameters, (T·C)×P, by reverse-mode differentiation of the outputs."""

    def outputs(parameters):
        return forward(network.structure, parameters, inputs).outputs

    T, C = inputs.shape[0], network.outputs
    with jax.enable_x64(True):
        # Compiling dominates, so the compiler is told not to optimize.
        fast = {"xla_backend_optimization_level": 0}
        blocks = jax.jit(jax.jacrev(outputs), compiler_options=fast)(parameters)
    leaves = [np.asarray(block).reshape(T * C, -1) for block in jax.tree.leaves(blocks)]
    J = np.concatenate(leaves, axis=1)
    assert J.shape == (T * C, network.parameters)
    return J


@cache
def reference(network, samples, seed=0):
    """The dual matrix of one draw in float64, with eigenvalues from LAPACK."""
    J = flat_jacobian(network, *sample(network, samples, seed=seed))
    matrix = J @ J.T / samples
    eigenvalues = np.linalg.eigvalsh(matrix)[::-1]
    return Reference(matrix, eigenvalues, (eigenvalues[0], np.trace(matrix), (matrix**2).sum()))


def by_output(matrix, outputs):
    """The same matrix as C×T×C×T: blocks of one output with another."""
    T = matrix.shape[0] // outputs
    return matrix.reshape(T, outputs, T, outputs).transpose(1, 0, 3, 2)


def relative_error(actual, expected):
    """The largest deviation, in units of the largest entry."""
    return np.abs(np.asarray(actual, np.float64) - expected).max() / np.abs(expected).max()


def array_sizes(function, *arguments):
    """The number of elements of every array that a traced function forms, in loops too."""

    def walk(jaxpr):
        for equation in jaxpr.eqns:
            yield from (variable.aval.size for variable in equation.outvars)
            parts = jax.tree.leaves(equation.params, is_leaf=lambda v: hasattr(v, "eqns"))
            for part in parts:
                if hasattr(part, "eqns"):
                    yield from walk(part)

    with jax.enable_x64(True):
        return list(walk(jax.make_jaxpr(function)(*arguments)))


def _cases(rows):
    """Named networks and T, from rows (placement, φ, (M_0..M_{L−1}, T), the values of C)."""
    return {
        f"{norm}-{activation}-C{C}": (
            Network(
                widths=widths,
                outputs=C,
                activation=activation,
                weight_var=1.8,
                bias_var=0.3,
                norm=norm,
            ),
            samples,
        )
        for norm, activation, (widths, samples), all_outputs in rows
        for C in all_outputs
    }


# Few sizes: JAX compiles for each. The small one has CT > P, so that F* is singular.
USUAL, SMALL, FLAT = ((5, 6, 4), 9), ((3, 2), 14), ((5,), 7)

# Hidden norms act on each sample alone: both methods apply.
PER_SAMPLE = _cases(
    [
        ("none", "relu", USUAL, (1, 4)),
        ("none", "sin", SMALL, (1, 4)),
        ("none", "linear", FLAT, (4,)),
        ("mean@last", "tanh", USUAL, (4,)),
        ("batch@last", "leaky_relu", USUAL, (4,)),
        ("batch@last", "abs", SMALL, (1,)),
        ("layer-mean@last", "gelu", USUAL, (4,)),
        ("layer@last", "tanh", USUAL, (4,)),
        ("rms@last", "elu", USUAL, (4,)),
        ("layer@hidden", "relu", USUAL, (1,)),
        ("rms@hidden", "tanh", USUAL, (1,)),
        ("layer-mean@hidden+mean@last", "silu", USUAL, (4,)),
        ("layer@hidden+batch@last", "erf", USUAL, (4,)),
    ]
)

# A hidden norm over samples: only the matrix-free method applies.
OVER_SAMPLES = _cases(
    [
        ("batch@hidden", "relu", USUAL, (1, 4)),
        ("batch@all", "tanh", USUAL, (4,)),
        ("mean@1", "abs", SMALL, (1,)),
        ("batch@2", "softplus", USUAL, (4,)),
        ("mean@hidden+layer@last", "leaky_relu", USUAL, (4,)),
        ("rms@1+batch@2+mean@last", "sigmoid", USUAL, (1,)),
    ]
)

EVERY = PER_SAMPLE | OVER_SAMPLES


# CT = 50 is more than Krylov's probes: what is small is measured without them.
LARGE = Network(
    widths=(5, 6, 4),
    outputs=2,
    activation="tanh",
    weight_var=1.8,
    bias_var=0.3,
    norm="batch@hidden",
)
SAMPLES = 25


def in_both_precisions(cases):
    """Every case in float64, and every third in float32: (name, precision)."""
    names = list(cases)
    return [(n, "float64") for n in names] + [(n, "float32") for n in names[::3]]
