"""The way without a library: every sample's Jacobian in JAX, then J Jᵀ and its eigenvalues."""

import jax
import jax.numpy as jnp
import numpy as np

PACKAGES = ("jax", "jaxlib", "numpy")
LARGEST = 4e9  # bytes of J that are tried


def forward(parameters, x):
    *hidden, (weights, biases) = parameters
    for w, b in hidden:
        x = jax.nn.relu(w @ x + b)
    return weights @ x + biases


def dense(case: dict):
    problem = np.load(case["problem"])
    layers = [(problem[f"weights{i}"], problem[f"biases{i}"]) for i in range(case["depth"])]
    parameters, inputs = jax.device_put((layers, problem["inputs"]))
    P = sum(array.size for layer in layers for array in layer)
    T, size = len(inputs), len(inputs) * case["outputs"]
    if size * P * 4 > LARGEST:
        raise MemoryError(f"out of memory: J alone takes {size * P * 4e-9:.0f} GB")

    @jax.jit
    def dual(parameters, inputs):
        jacobians = jax.vmap(jax.jacrev(forward), in_axes=(None, 0))(parameters, inputs)
        blocks = [block.reshape(size, -1) for block in jax.tree.leaves(jacobians)]
        matrix = sum(jnp.matmul(J, J.T, precision="highest") for J in blocks) / T
        return jnp.linalg.eigvalsh(matrix)[-1], jnp.trace(matrix), jnp.sum(matrix**2)

    def run(number: int):
        largest, trace, square = dual(parameters, inputs)
        return [float(largest), float(trace) / P, float(square) / P]

    return run
