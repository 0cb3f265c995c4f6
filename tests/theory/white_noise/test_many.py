"""The theory of a grid against that of its cells, one by one."""

import numpy as np
import pytest

from meanfield.sweeps.grid import Grid
from meanfield.theory.kinds import Kind
from meanfield.theory.predict import predict
from meanfield.theory.white_noise import many
from meanfield.theory.white_noise.many import theory

MIXED = Grid(
    depth=3,
    outputs=6,
    width=[20, 50],
    samples=["width", 30],
    norm=["none", "batch@last", ["layer", "mean", "none"], "layer@last"],
    activation="relu",
    weight_var=[1.5, 2.5],
)
GRID_ACTIVATION = Grid(depth=3, width=20, samples=[20, 30], activation="tanh")


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Several of them, the last one filled up."""
    monkeypatch.setattr(many, "BLOCK", 5)


def columns(grid):
    cells = list(grid.cells())
    return cells, theory([c.network for c in cells], [c.samples for c in cells])


@pytest.mark.parametrize("grid", [MIXED, GRID_ACTIVATION])
def test_every_cell_is_what_predict_says(grid):
    """Tables are within 2e-10 per average; three layers multiply that by less than ten."""
    cells, found = columns(grid)
    for i, cell in enumerate(cells):
        expected = predict(cell.network, cell.samples)
        assert list(Kind)[found.eigenvalue_max_kind[i]] is expected.eigenvalue_max_kind
        edge = None if expected.bulk is None else expected.bulk.edge
        for name in found._fields[:-1]:
            value = edge if name == "bulk_edge" else getattr(expected, name)
            value = np.nan if value is None else value
            # λ_max holds σ, which is known as well as x* is
            rel = 1e-6 if name in ("eigenvalue_max", "learning_rate_max") else 2e-9
            assert getattr(found, name)[i] == pytest.approx(value, rel=rel, abs=1e-12, nan_ok=True)


def test_cells_out_of_a_tables_reach_and_without_a_hidden_layer():
    far = Grid(depth=3, width=8, samples=5, activation="tanh", weight_var=[1.0, 90.0], bias_var=9.0)
    flat = Grid(depth=1, width=8, samples=5, bias_var=[0.0, 1.0])
    for grid in (far, flat):
        cells, found = columns(grid)
        expected = [predict(c.network, c.samples).eigenvalue_max for c in cells]
        np.testing.assert_allclose(found.eigenvalue_max, expected, rtol=1e-6)
    assert np.isnan(found.kappa1).all()  # α = 0


def test_what_has_no_mean_is_nan():
    """Layer norm on 3 outputs leaves two dimensions: every mean over networks diverges."""
    grid = Grid(depth=3, width=8, samples=[5, 6], outputs=3, norm="layer@last")
    _, found = columns(grid)
    assert np.isnan(found.eigenvalue_max).all()
    assert np.isnan(found.learning_rate_max).all()
