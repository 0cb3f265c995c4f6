"""What is validated."""

from meanfield.studies.validation.cases import ACTIVATIONS, FULL, cases
from meanfield.studies.validation.report import ALLOWANCE


def test_every_kind_of_placement_is_covered():
    full, quick = cases(quick=False), cases(quick=True)
    assert len({case.placement for case in quick}) >= 14
    assert {case.activation for case in quick} == set(ACTIVATIONS) == {"tanh", "relu", "linear"}
    assert {case.outputs for case in quick} == {case.outputs for case in full} == {1, 4}
    assert set(quick) < set(full)
    assert ALLOWANCE / FULL.width**0.5 + 2 * FULL.sem <= 0.08 + 1e-9
