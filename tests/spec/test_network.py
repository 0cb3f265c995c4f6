import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from meanfield import NORMS, Activation, Network
from meanfield.spec.activations import ACTIVATIONS


def network(**changes):
    return Network(**{"depth": 3, "width": 5, "outputs": 4, **changes})


def refused(*fragments, **changes):
    with pytest.raises(ValueError, match=r"\w") as error:
        network(**changes)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_depth_counts_weight_layers():
    net = network()
    assert net.widths == (5, 5, 5)
    assert (net.depth, net.width) == (3, 5)
    assert net == Network(widths=[5, 5, 5], outputs=4) == Network(widths=(5, 5, 5), outputs=4)
    assert Network(widths=(7, 3), depth=2) == Network(widths=(7, 3))


def test_counts_with_unequal_widths():
    net = Network(widths=(300, 600, 150), outputs=10)
    assert net.parameters == 600 * 301 + 150 * 601 + 10 * 151
    assert net.width == 600
    assert net.alpha == (300 * 600 + 600 * 150) / 600**2
    assert network(width=1000, outputs=1).alpha == 2
    single = Network(widths=(7,), outputs=2)
    assert (single.parameters, single.alpha, single.width) == (16, 0, 7)


def test_layers_are_what_each_reads_and_has():
    assert Network(widths=(300, 600, 150), outputs=10).layers == ((300, 600), (600, 150), (150, 10))
    assert Network(widths=(7,), outputs=2).layers == ((7, 2),)
    first, *_, last = network(widths=(3, 5, 6), width=None, outputs=4).layers
    assert (first.inputs, first.units) == (3, 5)
    assert (last.inputs, last.units) == (6, 4)


def test_a_spec_is_frozen_and_hashable():
    net = network(norm="batch@last")
    twin = network(norms=("none", "none", "batch"))
    assert net == twin
    assert hash(net) == hash(twin)
    assert net != network()
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.widths = (1, 2)


def test_fields_are_resolved_to_plain_types():
    net = Network(widths=np.array([4, 5]).tolist(), outputs=np.int64(2), weight_var=np.float32(0.5))
    fields = net.to_dict()
    assert json.loads(json.dumps(fields)) == fields
    assert fields == {
        "depth": 2,
        "widths": [4, 5],
        "outputs": 2,
        "activation": "relu",
        "weight_var": 0.5,
        "bias_var": 0.0,
        "norms": ["none", "none"],
    }


def test_norms_in_full():
    assert network(norms=["none", "batch", "layer"]).norms == ("none", "batch", "layer")
    assert [n.name for n in network(norm="rms@2").norm_records] == ["none", "rms", "none"]
    assert network(norm="rms@2").structure == (
        ACTIVATIONS["relu"],
        network(norm="rms@2").norm_records,
    )


@pytest.mark.parametrize("name", ["depth", "width", "outputs"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3"])
def test_sizes_must_be_positive_integers(name, value):
    refused(f"{name} must be a positive integer, got {value!r}", **{name: value})


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3", None])
def test_every_one_of_the_widths_too(value):
    refused(f"widths must be a positive integer, got {value!r}", width=None, widths=(3, value, 3))


@pytest.mark.parametrize("widths", [(), [], "345", 5, {3, 4}])
def test_widths_must_be_a_sequence(widths):
    refused("widths must be a sequence of positive integers", width=None, widths=widths)


def test_contradicting_sizes_are_refused():
    refused("depth and width are both required", depth=None)
    refused("depth and width are both required", width=None)
    refused("width and widths exclude each other", widths=(3, 3, 3))
    refused("depth must equal the number of widths, 2, got 3", width=None, widths=(3, 3))
    refused("depth must be a positive integer, got '2'", width=None, widths=(3, 3), depth="2")


@pytest.mark.parametrize("name", ["weight_var", "bias_var"])
@pytest.mark.parametrize("value", [-1e-9, -2.0, math.nan, math.inf, -math.inf, "2", None, True])
def test_variances_must_be_finite_and_not_negative(name, value):
    refused(f"{name} must be a finite number of at least 0, got {value!r}", **{name: value})


def test_unknown_activations_are_refused_by_name():
    refused(
        "activation must be one of linear, relu, leaky_relu, abs,", "'swosh'", activation="swosh"
    )
    refused("activation must be one of", "got 3", activation=3)


def no_message(u):
    raise AssertionError


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (math.tanh, "tanh"),
        (lambda u: np.tanh(np.asarray(u)), "traceable"),
        (lambda u: u if u[0, 0] > 0 else -u, "traceable"),
        (lambda u, v: u + v, "missing 1 required positional argument"),
        (lambda u: (u, u), "traceable"),
        (no_message, "cannot be traced"),
        (lambda u: u.sum(), "float32[3, 2] to float32[]"),
        (lambda u: u.sum(axis=1), "float32[3, 2] to float32[3]"),
        (lambda u: jnp.sign(u).astype(int), "to int32[3, 2]"),
        (lambda u: u > 0, "to bool[3, 2]"),
        (lambda u: u + 1j, "to complex64[3, 2]"),
        (jax.nn.softmax, "elementwise"),
        (lambda u: u - u.mean(axis=0), "elementwise"),
    ],
)
def test_an_activation_must_be_traceable_and_elementwise(function, said):
    with jax.enable_x64(False):  # the types in the message depend on it
        refused("activation must ", said, activation=function)


def test_users_functions_and_records_are_taken():
    assert network(activation=jnp.arctan).activation.name == "arctan"
    record = Activation("cube", lambda u: u**3)
    assert network(activation=record).activation is record
    assert network(activation=record).to_dict()["activation"] == "cube"


@pytest.mark.parametrize("norms", [("none",), ("none",) * 4, ()])
def test_the_norm_list_needs_one_norm_per_layer(norms):
    refused(f"norms must name one norm per layer, 3 in all, got {len(norms)}", norms=norms)


def test_bad_norms_are_refused():
    refused("norms must be one of none, mean, batch", "'spam'", norms=("none", "spam", "none"))
    refused("norms must be one of", "got None", norms=("none", None, "none"))
    refused("norms must be a sequence of 3 norm names, got 'none'", norms="none")
    refused("norm and norms exclude each other", norm="none", norms=("none",) * 3)
    refused("norm must be one of none, mean", "'spam'", norm="spam@last")
    refused("norm must place each kind at last, hidden, all or a layer from 1 to 3", norm="mean@4")


@pytest.mark.parametrize(
    ("norm", "too_few"), [("layer", (1, 2)), ("layer-mean", (1,)), ("rms", (1,))]
)
def test_norms_over_too_few_outputs_leave_nothing(norm, too_few):
    for C in too_few:
        refused(
            f"{norm!r} in the last layer", f"outputs={C}", "F = 0", norm=f"{norm}@last", outputs=C
        )
        hidden = {"widths": (3, C, 3), "width": None, "norm": f"{norm}@1"}
        refused(f"{norm!r} in layer 1", f"a width of {C}", "no gradient passes", **hidden)
    enough = max(too_few) + 1
    assert network(norm=f"{norm}@last", outputs=enough).norms[-1] == norm


@pytest.mark.parametrize("place", ["last", "hidden", "2"])
def test_dividing_by_zero_is_foreseen(place):
    for norm in ("layer", "rms"):
        both = {"weight_var": 0, "bias_var": 0, "norm": f"{norm}@{place}"}
        refused("weight_var=0 with bias_var=0", f"{norm!r}", "divide by zero", **both)
        assert network(**{**both, "bias_var": 0.1}).norm_records
    for bias_var in (0, 0.7):
        constant = {"weight_var": 0, "bias_var": bias_var, "norm": f"batch@{place}"}
        refused(
            "weight_var=0", "'batch'", "divide by zero", "constant over the samples", **constant
        )
    for harmless in ("none", f"mean@{place}", f"layer-mean@{place}"):
        assert network(weight_var=0, norm=harmless).weight_var == 0


@pytest.mark.parametrize("samples", [0, -1, 2.5, True, "3", None])
def test_samples_must_be_a_positive_integer(samples):
    with pytest.raises(ValueError, match="samples must be a positive integer, got ") as error:
        network().check_samples(samples)
    assert str(error.value).endswith(repr(samples))


@pytest.mark.parametrize("norm", NORMS)
def test_norms_over_samples_need_several(norm):
    least = {"mean": 2, "batch": 4}.get(norm, 1)
    for place in ("last", "hidden"):
        net = network(norm=f"{norm}@{place}")
        assert net.check_samples(np.int32(least)) == least
        if least > 1:
            with pytest.raises(ValueError, match=f"samples must be at least {least} for norm"):
                net.check_samples(least - 1)
            with pytest.raises(ValueError, match=f"{norm!r}, got 1$"):
                net.check_samples(1)


def test_a_single_width_takes_the_input_dimension_from_the_inputs():
    net = network(norm="batch@last")
    adapted = net.for_inputs((20, 64))
    assert adapted == network(width=None, widths=(64, 5, 5), norm="batch@last")
    assert adapted.parameters == 5 * 65 + 5 * 6 + 4 * 6
    assert net.widths == (5, 5, 5)  # the original stays as it is
    assert net.for_inputs((20, 5)) is net
    assert Network(depth=1, width=5).for_inputs((20, 64)).widths == (64,)


def test_different_widths_must_match_the_inputs():
    net = Network(widths=(64, 5, 5))
    assert net.for_inputs((20, 64)) is net
    with pytest.raises(ValueError, match=r"inputs must have shape \(T, 64\).* got \(20, 63\)"):
        net.for_inputs((20, 63))
