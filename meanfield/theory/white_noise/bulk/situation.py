"""A solved network's bulk and what may stand out of it (theory.md section 11)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.spec.norms import SAMPLES
from meanfield.theory.norms import kernels
from meanfield.theory.outputs import Deviations, LargestOfOutputs, largest_of_outputs
from meanfield.theory.white_noise.backward_weights import even_weights
from meanfield.theory.white_noise.bulk.features import Features, features_of
from meanfield.theory.white_noise.bulk.overlap import variances_of
from meanfield.theory.white_noise.bulk.response import response_of
from meanfield.theory.white_noise.bulk.spread import Factors, factors_of
from meanfield.theory.white_noise.bulk.units import Bulk, Units, bulk_of
from meanfield.theory.white_noise.readout import Readout
from meanfield.theory.white_noise.recursion import Code, Numbers, Solution


class Premises(NamedTuple):
    """What the ends follow from: numbers only, so that all networks of a depth share a compilation.

    Attributes:
        numbers, solution, features, readout: Of the network.
        factor: By what a division in the last layer multiplies every eigenvalue.
        divides: 1 if that division is over samples, else 0.
        outputs: C.
        even_weights: The backward weights of an even bulk.
        of_outputs: What the largest of the directions of the outputs is.
    """

    numbers: Numbers
    solution: Solution
    features: Features
    readout: Readout
    factor: jax.Array
    divides: jax.Array
    outputs: jax.Array
    even_weights: jax.Array
    of_outputs: LargestOfOutputs


def premises_of(code: Code, numbers: Numbers, solution: Solution, readout: Readout) -> Premises:
    """What the ends of a solved network follow from."""
    return Premises(
        numbers=jax.tree.map(jnp.asarray, numbers),
        solution=solution,
        features=features_of(code, numbers, solution),
        readout=readout,
        factor=division(code, solution),
        divides=jnp.asarray(float(code.last.divide is SAMPLES)),
        outputs=jnp.asarray(float(code.outputs)),
        even_weights=jnp.asarray(even_weights(code.outputs, len(numbers.widths) - 1)),
        of_outputs=largest_of_outputs(code.outputs - code.last.lost_directions),
    )


class Situation(NamedTuple):
    """The bulk and what may stand out of it, before a division in the last layer.

    Attributes:
        bulk: The bulk.
        even: Its units with even backward weights.
        common: B.
        overlap: Var_s(a), with what the other outputs add to it.
        common_varies: How B varies from network to network and between outputs.
        factors: What the bulk's eigenvalues share.
    """

    bulk: Bulk
    even: Units
    common: jax.Array
    overlap: jax.Array
    common_varies: Deviations
    factors: Factors

    @property
    def strength(self) -> jax.Array:
        """1/x_1 = B + Var_s(a)/B; 0 or less where nothing stands out."""
        return self.common + self.overlap / jnp.where(self.common > 0, self.common, 1)


def situation_of(given: Premises) -> Situation:
    """The bulk and what may stand out of it."""
    features, numbers, others = given.features, given.numbers, given.of_outputs.outputs - 1
    bulk = bulk_of(numbers, given.solution, features, given.outputs)
    even = numbers._replace(backward_weights=given.even_weights)
    common = (given.readout.outlier - given.readout.bulk) / given.factor
    response, positive = response_of(bulk, features), common > 0
    varies = variances_of(bulk, features, response)
    factors = factors_of(bulk, features, response)
    overlap = varies.overlap + others * varies.other_overlap
    square = jnp.where(positive, common, 1) ** 2
    matrix = varies.other_strength / square
    return Situation(
        bulk=bulk,
        even=bulk_of(even, given.solution, features, given.outputs).units,
        common=common,
        overlap=jnp.where(positive, overlap, 0),
        common_varies=Deviations(
            shared=varies.strength / square - 2 * matrix,
            matrix=matrix,
            own=jnp.zeros_like(matrix),
            weights=factors.matrix,
        ),
        factors=factors,
    )


def division(code: Code, solution: Solution) -> jax.Array:
    """By what the last norm multiplies the differences between samples."""
    before = solution.K.gap
    positive = before > 0
    after = kernels(code.last, solution.S, solution.K)[1].gap
    return jnp.where(positive, after / jnp.where(positive, before, 1), 1)
