"""What several figures are of."""

from meanfield import Network
from meanfield.reproduction.settings import DEPTH, VARIANCES, spec, title, variances


def test_a_spec_is_that_of_a_network():
    network = Network(width=9, **spec("tanh"))
    assert (network.depth, network.activation.name) == (DEPTH, "tanh")
    assert (network.weight_var, network.bias_var) == VARIANCES["tanh"] == (3.0, 0.64)
    assert spec("relu", depth=8)["depth"] == 8


def test_figures_say_which_variances_they_have():
    assert title("relu", "$L=8$") == r"relu, $L=8$, $\sigma_w^2=2$, $\sigma_b^2=0.1$"
    said = variances(["tanh", "relu"])
    assert said == {"(σ_w², σ_b²)": "tanh (3.0, 0.64); relu (2.0, 0.1)"}
