"""Writes the network and inputs that `meanfield.simulate` draws for seed 0.

    python -m peers.draw CASE

Every peer reads them from the file that CASE (a JSON object) names as its problem.
"""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.sampling.networks import draw_key, draw_network
from peers import ours


def main() -> None:
    case = json.loads(sys.argv[1])
    with jax.enable_x64(True):  # as in simulate
        key, _ = jax.random.split(draw_key(seed=0, draw=0))
        parameters, inputs = draw_network(
            ours.network(case), key, None, case["samples"], jnp.dtype("float32")
        )
    arrays: dict = {"inputs": inputs}
    for index, layer in enumerate(parameters):
        arrays |= {f"weights{index}": layer.weights, f"biases{index}": layer.biases}
    np.savez(case["problem"], **arrays)


if __name__ == "__main__":
    main()
