"""Products with F* through the norms' statistics, against the brute-force Jacobian."""

import jax
import numpy as np
import pytest
from jacobian import (
    EVERY,
    ROUNDING,
    array_sizes,
    as_measured,
    by_output,
    in_both_precisions,
    reference,
    relative_error,
    sample,
)

from meanfield import Network
from meanfield.sampling.linearization import apply, linearize, materialize
from meanfield.sampling.networks import forward


@pytest.mark.parametrize(("name", "precision"), in_both_precisions(EVERY))
def test_the_products_are_those_of_the_brute_force_jacobian(name, precision):
    network, T = EVERY[name]
    C = network.outputs
    with as_measured():
        F = np.asarray(materialize(network.structure, *sample(network, T, precision)))
    assert F.dtype == precision
    expected = by_output(reference(network, T).matrix, C)
    assert relative_error(F.reshape(C, T, C, T), expected) < ROUNDING[precision]


@pytest.mark.parametrize("norm", ["none", "batch@all"])
def test_no_jacobian_is_formed(norm):
    """P T C = 17,640 and P² = 777,924; the largest arrays are weights, 400, and here (CT)², 400."""
    network, T = Network(depth=3, width=20, outputs=2, norm=norm), 10
    parameters, inputs = sample(network, T)
    structure, v = network.structure, np.ones((network.outputs, T))

    def product(parameters, inputs, v):
        return apply(linearize(structure, parameters, inputs), v)

    sizes = array_sizes(product, parameters, inputs, v)
    sizes += array_sizes(lambda *a: materialize(structure, *a), parameters, inputs)
    assert network.parameters * T * network.outputs == 17_640
    assert max(sizes) == 400


def test_the_count_of_arrays_would_see_a_jacobian():
    """The control of the test above."""
    network, T = Network(depth=3, width=20, outputs=2), 10
    parameters, inputs = sample(network, T)

    def jacobian(parameters, inputs):
        return jax.jacrev(lambda p: forward(network.structure, p, inputs).outputs)(parameters)

    assert max(array_sizes(jacobian, parameters, inputs)) >= T * network.outputs * 400
