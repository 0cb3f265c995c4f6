import numpy as np
import pytest
from jacobian import EVERY, PER_SAMPLE, as_measured, sample

from meanfield import Network, simulate
from meanfield.sampling import krylov
from meanfield.sampling.dual_matrix import BlockPlan, factors_product, find_factors, reduce_blocks
from meanfield.sampling.linearization import apply, linearize, linearize_with_factors
from meanfield.sampling.measurement import LARGEST, Request
from meanfield.sampling.methods import BYTES, METHODS, choose_method


@pytest.mark.parametrize("name", EVERY)
def test_the_methods_serve_the_networks_that_they_are_tested_on(name):
    served = [n for n, method in METHODS.items() if method.supports(EVERY[name][0])]
    assert served == (["dual", "krylov"] if name in PER_SAMPLE else ["krylov"])


WHOLE = Request(spectrum=True)
MEDIUM = Network(depth=3, width=50, outputs=3)
HIDDEN = Network(depth=3, width=50, outputs=3, norm="batch@hidden")


@pytest.mark.parametrize("wanted", [LARGEST, WHOLE])
@pytest.mark.parametrize("outputs", [1, 10, 60])
def test_auto_takes_the_fewest_flops_of_those_that_fit(outputs, wanted):
    network = Network(depth=3, width=50, outputs=outputs)
    costs = {n: m.cost(network, 40, wanted) for n, m in METHODS.items()}
    cheapest = min(costs, key=lambda name: costs[name].flops)
    assert choose_method(network, 40, request=wanted).name == cheapest
    for asked in METHODS:
        assert choose_method(network, 40, asked, request=wanted).name == asked
    smallest = min(costs, key=lambda name: costs[name].numbers)
    for precision, size in BYTES.items():
        limit = costs[smallest].numbers * size
        options = {"precision": precision, "request": wanted, "limit": limit}
        assert choose_method(network, 40, **options).name == smallest


def test_both_methods_are_chosen_somewhere():
    """dual for few outputs; krylov for many, or where norms over samples are hidden."""
    assert choose_method(Network(depth=3, width=1000), 1000).name == "dual"
    assert choose_method(Network(depth=3, width=1000, outputs=10), 1000).name == "dual"
    assert choose_method(Network(depth=3, width=50, outputs=300), 2000).name == "krylov"
    assert choose_method(HIDDEN, 40).name == "krylov"


@pytest.mark.parametrize("method", METHODS)
def test_costs_grow_with_everything(method):
    def cost(request=LARGEST, samples=100, **changes):
        spec = {"depth": 3, "width": 50, "outputs": 3, **changes}
        return METHODS[method].cost(Network(**spec), samples, request)

    for larger in (cost(WHOLE), cost(samples=200), cost(width=100), cost(depth=4)):
        assert larger.flops > cost().flops
        assert larger.numbers > cost().numbers


def compiled_bytes(piece):
    """XLA's own count of a compiled piece's arguments, results and temporaries."""
    used = piece.compile().memory_analysis()
    return used.argument_size_in_bytes + used.output_size_in_bytes + used.temp_size_in_bytes


@pytest.mark.parametrize(("samples", "width", "outputs"), [(64, 64, 4), (192, 64, 1), (64, 192, 1)])
def test_memory_grows_as_estimated(samples, width, outputs):
    """Never less than what is used at once, nor more than 3.5 times that, whichever size grows."""
    networks = {
        "dual": Network(depth=3, width=width, outputs=outputs, norm="layer@hidden+batch@last"),
        "krylov": Network(depth=3, width=width, outputs=outputs, norm="batch@hidden"),
    }
    with as_measured():
        for method, network in networks.items():
            held = METHODS[method].cost(network, samples, LARGEST).numbers * BYTES["float32"]
            used = max(map(compiled_bytes, compiled_pieces(method, network, samples)))
            assert used <= held < 3.5 * used


def compiled_pieces(method, network, samples):
    parameters, inputs = sample(network, samples, "float32")
    structure, v = network.structure, np.ones((network.outputs, samples), np.float32)
    if method == "dual":
        factors = find_factors(structure, parameters, inputs)
        plan = BlockPlan(pairs=True, kept=True)
        yield find_factors.lower(structure, parameters, inputs)
        yield reduce_blocks.lower(structure, plan, factors)
        yield factors_product.lower(structure, factors, v)
    else:
        linearization = linearize(structure, parameters, inputs)
        yield linearize_with_factors.lower(structure, parameters, inputs)
        yield apply.lower(linearization, v)


@pytest.mark.parametrize("samples", [600, 5])
@pytest.mark.parametrize(
    ("network", "options"),
    [
        (MEDIUM, {}),
        (MEDIUM, {"method": "dual", "precision": "float64"}),
        (MEDIUM, {"method": "krylov", "request": WHOLE}),
        (HIDDEN, {"request": WHOLE}),
        (Network(widths=(2, 2), norm="batch@last"), {}),
    ],
)
def test_what_does_not_fit_is_refused_with_a_way_out(network, samples, options):
    """With 70 % of the least memory: the message names what is accepted under the same limit."""
    names = METHODS if options.get("method") is None else [options["method"]]
    costs = [METHODS[n].cost(network, samples, options.get("request", LARGEST)) for n in names]
    size = BYTES[options.get("precision", "float32")]
    options = {**options, "limit": int(0.7 * size * min(cost.numbers for cost in costs))}
    with pytest.raises(ValueError, match=f"samples={samples} with this network") as error:
        choose_method(network, samples, **options)
    assert f"{options['limit'] / 1e9:.2g} GB available" in str(error.value)
    check_way_out(str(error.value).rpartition("; ")[2], network, samples, options)


def check_way_out(way_out, network, samples, options):
    least = max(norm.min_samples for norm in network.norm_records)
    if way_out == "no number of samples fits: make the network narrower":
        for name in METHODS:
            with pytest.raises(ValueError, match=r"would need|needs a network"):
                choose_method(network, least, **{**options, "method": name})
        return
    named = dict(part.split("=") for part in way_out.removesuffix(" fits").split(" with "))
    fewer = int(named.get("samples", samples))
    method = named["method"].strip("'")
    assert least <= fewer <= samples
    assert choose_method(network, fewer, **{**options, "method": method}).name == method


def test_another_method_is_named_where_it_fits():
    network = Network(depth=3, width=50, outputs=30)
    limit = krylov.cost(network, 200, LARGEST).numbers * 4
    with pytest.raises(ValueError, match="; method='krylov' fits"):
        choose_method(network, 200, "dual", limit=limit)


def test_simulate_refuses_before_it_allocates():
    """Ten terabytes of weights: the estimate is taken from the spec alone."""
    network = Network(depth=3, width=10**6)
    with pytest.raises(ValueError, match=r"would need .* GB in float32.*make the network narrower"):
        simulate(network, 10)


@pytest.mark.parametrize("norm", ["batch@hidden", "mean@1", "layer@1+batch@2"])
def test_dual_is_refused_for_hidden_norms_over_samples(norm):
    network = Network(depth=3, width=5, norm=norm)
    with pytest.raises(
        ValueError, match="method 'dual' needs a network without batch-type"
    ) as error:
        choose_method(network, 8, "dual")
    assert ",".join(network.norms) in str(error.value)
    assert "accepted are auto, krylov" in str(error.value)
