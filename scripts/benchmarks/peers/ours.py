"""Meanfield as a contender, and the rate of matrix products."""

import jax
import jax.numpy as jnp
import numpy as np

import meanfield as mf
from meanfield.sampling.measurement import LARGEST
from meanfield.sampling.methods import choose_method
from meanfield.sampling.networks import Layer

PACKAGES = ("meanfield", "jax", "jaxlib", "numpy", "scipy")


def network(case: dict) -> mf.Network:
    return mf.Network(
        depth=case.get("depth", 3),
        width=case["width"],
        outputs=case.get("outputs", 1),
        activation="relu",
        weight_var=2.0,
        bias_var=0.1,
        norm=case.get("norm", "none"),
    )


def simulate(case: dict):
    """λ_max, m_λ and s_λ (None if not asked for); every run samples its own network."""
    asked: dict = {} if case.get("second_moment", True) else {"second_moment": False}

    def run(number: int):
        draws = case.get("draws", 1)
        result = mf.simulate(network(case), case["samples"], draws=draws, seed=number, **asked)
        second_moment = result.eigenvalue_second_moment if not asked else None
        statistics = result.eigenvalue_max, result.eigenvalue_mean, second_moment
        return [statistic and statistic.mean for statistic in statistics]

    return run


def measure(case: dict):
    """The same statistics of the network that the peers are given too."""
    problem, spec = np.load(case["problem"]), network(case)
    layers = (Layer(problem[f"weights{i}"], problem[f"biases{i}"]) for i in range(spec.depth))
    parameters, inputs = jax.device_put((tuple(layers), problem["inputs"]))
    method = choose_method(spec, len(inputs))

    def run(number: int):
        with jax.enable_x64(True), jax.default_matmul_precision("highest"):  # as in simulate
            m = method.measure(spec, parameters, inputs, jax.random.key(number), LARGEST)
        moments = (m.trace, m.trace_squared)
        return [float(m.leading[0]), *(x / spec.parameters for x in moments if x is not None)]

    return run


def spectrum(case: dict):
    """The predicted λ_max over `cells` values of σ_w² at once."""
    variances = np.linspace(0.5, 4.0, case["cells"])

    @jax.jit
    def largest(variances):
        spec, T = network(case), float(case["samples"])
        of_one = lambda weight_var: mf.spectrum(spec, T, weight_var=weight_var)  # noqa: E731
        return jax.vmap(of_one)(variances).eigenvalue_max

    def run(number: int):
        with jax.enable_x64(True):  # which the theory needs
            return np.asarray(largest(variances))[-1].item()

    return run


def matrix_product(case: dict):
    """One float32 product of two size×size matrices with JAX or NumPy."""
    matrix = np.random.default_rng(0).standard_normal((case["size"],) * 2, dtype=np.float32)
    if case["library"] == "numpy":
        return lambda number: (matrix @ matrix)[0, 0].item()
    array = jnp.asarray(matrix)
    product = jax.jit(lambda a: jnp.matmul(a, a, precision="highest"))
    return lambda number: product(array)[0, 0].item()
