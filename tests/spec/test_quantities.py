"""The names of quantities, as datasets, plots and tables show them."""

import dataclasses

import pytest

from meanfield.spec.network import Network
from meanfield.spec.quantities import QUANTITIES


@pytest.mark.parametrize(
    ("name", "label", "row"),
    [
        (
            "eigenvalue_max",
            r"largest FIM eigenvalue $\lambda_{\max}$",
            "largest eigenvalue λ_max",
        ),
        ("eigenvalue_mean", r"mean FIM eigenvalue $m_\lambda$", "mean eigenvalue m_λ"),
        ("eigenvalue_second_moment", r"second moment $s_\lambda$", "second moment s_λ"),
        (
            "learning_rate_max",
            r"learning-rate limit $2/\lambda_{\max}$",
            "learning-rate limit 2/λ_max",
        ),
        ("kappa1", r"$\kappa_1$", "κ1"),
        ("width", "width $M$ [units]", "width M"),
        ("samples", "samples $T$", "samples T"),
        ("depth", "depth $L$ [layers]", "depth L"),
        ("outputs", "outputs $C$ [units]", "outputs C"),
        ("weight_var", r"weight variance $\sigma_w^2$", "weight variance σ_w²"),
    ],
)
def test_labels_and_rows(name, label, row):
    assert QUANTITIES[name].label == label
    assert QUANTITIES[name].row == row


def test_every_number_of_a_network_has_a_name():
    numbers = {field.name for field in dataclasses.fields(Network) if field.type in (int, float)}
    assert {"outputs", "weight_var", "bias_var"} <= numbers <= QUANTITIES.keys()


def test_files_hold_ascii():
    for quantity in QUANTITIES.values():
        assert quantity.definition.isascii()
        assert quantity.unit.isascii()
