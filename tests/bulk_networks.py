"""Networks solved with their bulk, compiled as little as can be.

The search for the bulk's ends is compiled once for every depth, the recursion for every activation,
last norm, number of outputs and depth: it is quicker without hidden norms that nobody asks for.
"""

from functools import partial

import jax
import numpy as np

from meanfield.spec.network import Network
from meanfield.spec.norms import NORMS
from meanfield.theory.white_noise.bulk.situation import Situation, situation_of
from meanfield.theory.white_noise.recursion import Code, Numbers
from meanfield.theory.white_noise.spectrum import Prepared, Solved, finish_network, prepare


def net(setting: dict, norm: str = "none", **changes) -> Network:
    """Three layers that are 1600 wide, unless said otherwise."""
    return Network(**{"depth": 3, "width": 1600, "norm": norm, **setting, **changes})


def prepared(network: Network, samples: float, **numbers) -> Prepared:
    """The network's recursion solved; some of its numbers may be others."""
    plain = set(network.norms[:-1]) <= {"none"}
    names = ("none",) if plain else tuple(NORMS)
    code = Code.of(network)._replace(hidden=tuple(NORMS[name] for name in names))
    places = np.array([names.index(name) for name in network.norms[:-1]], dtype=np.int32)
    own = Numbers.of(network, float(samples))
    return _prepared(code, own._replace(hidden_norms=places, **numbers))


@partial(jax.jit, static_argnums=0)
def _prepared(code, numbers):
    return prepare(code, code.activation, numbers)


def solved(network: Network, samples: float, **numbers) -> Solved:
    """The network solved, with both ends of its bulk, as NumPy's numbers."""
    return jax.device_get(finish_network(prepared(network, samples, **numbers)))


def situation(network: Network, samples: float, **numbers) -> Situation:
    """Its bulk, and what stands out of it."""
    return _situation(prepared(network, samples, **numbers).premises)


_situation = jax.jit(situation_of)
