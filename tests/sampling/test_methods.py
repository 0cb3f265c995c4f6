import jax
import numpy as np
import pytest
from jacobian import (
    EVERY,
    OVER_SAMPLES,
    PER_SAMPLE,
    by_output,
    figures,
    reference,
    relative_error,
    sample,
)

from meanfield import Network, simulate
from meanfield.sampling import dual, krylov
from meanfield.sampling import dual_matrix as layered
from meanfield.sampling.measurement import LARGEST, Request
from meanfield.sampling.methods import BYTES, METHODS, choose_method

# Rounding: 1.1e-16 or 6e-8 times the hundred operations in a row that a matrix entry takes, where a
# norm divides by its spread (above 0.1) another factor of ten.
ROUNDING = {"float64": 1e-13, "float32": 6e-5}
# λ_max by Lanczos has the tolerance on its residual besides, 1e-10 and 1e-5.
STATISTICS = {"float64": 2e-10, "float32": 1e-4}


def matrix(method, network, samples, precision):
    """F* as C×T×C×T by one method, and its statistics by `measure`."""
    T, C = samples, network.outputs
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        parameters, inputs = sample(network, T, precision)
        if method == "krylov":
            F = krylov.materialize(network.structure, parameters, inputs)
            return np.asarray(F).reshape(C, T, C, T), None
        factors = layered.find_factors(network.structure, parameters, inputs)
        if C == 1:  # the only block, which `measure` uses too
            plan = layered.BlockPlan(pairs=True, kept=True)
            F = layered.reduce_blocks(network.structure, plan, factors)[2].diagonal
        else:
            F = layered.assemble(network.structure, factors)
        F = np.asarray(F).reshape(C, T, C, T)
        return F, dual.measure(network, parameters, inputs, jax.random.key(1), LARGEST)


def check(network, samples, precision):
    expected = reference(network, samples)
    served = [name for name, method in METHODS.items() if method.supports(network)]
    for method in served:
        F, measured = matrix(method, network, samples, precision)
        assert F.dtype == precision
        assert relative_error(F, by_output(expected.matrix, network.outputs)) < ROUNDING[precision]
        if measured:
            statistics = pytest.approx(expected.figures, rel=STATISTICS[precision])
            assert figures(measured) == statistics
    return served


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_both_methods_reproduce_the_brute_force_jacobian(name):
    assert check(*PER_SAMPLE[name], "float64") == ["dual", "krylov"]


@pytest.mark.parametrize("name", OVER_SAMPLES)
def test_krylov_reproduces_the_brute_force_jacobian_for_hidden_norms_over_samples(name):
    assert check(*OVER_SAMPLES[name], "float64") == ["krylov"]


@pytest.mark.parametrize(
    "name", ["none-relu-C4", "layer@hidden+batch@last-erf-C4", "batch@all-tanh-C4"]
)
def test_single_precision_is_as_good_as_its_rounding(name):
    check(*EVERY[name], "float32")


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
    with jax.enable_x64(True):
        for method, network in networks.items():
            held = METHODS[method].cost(network, samples, LARGEST).numbers * BYTES["float32"]
            used = max(map(compiled_bytes, compiled_pieces(method, network, samples)))
            assert used <= held < 3.5 * used


def compiled_pieces(method, network, samples):
    parameters, inputs = sample(network, samples, "float32")
    structure, v = network.structure, np.ones((network.outputs, samples), np.float32)
    if method == "dual":
        factors = layered.find_factors(structure, parameters, inputs)
        plan = layered.BlockPlan(pairs=True, kept=True)
        yield layered.find_factors.lower(structure, parameters, inputs)
        yield layered.reduce_blocks.lower(structure, plan, factors)
        yield layered.factors_product.lower(structure, factors, v)
    else:
        linearization = krylov.linearize(structure, parameters, inputs)
        yield krylov.linearize_with_factors.lower(structure, parameters, inputs)
        yield krylov.apply.lower(linearization, v)


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
