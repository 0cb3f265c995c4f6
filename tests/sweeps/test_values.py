"""Values of a grid as files hold them."""

import custom_activations
import numpy as np

from meanfield.spec.activations import named_activation
from meanfield.sweeps.values import converted, label, plain


def test_values_are_plain():
    assert plain((np.int64(3), [np.float32(0.5)])) == [3, [0.5]]
    assert plain(custom_activations.swish) == "custom_activations:swish"
    assert plain(named_activation("unheard_of:f")) == "unheard_of:f"


def test_only_paths_are_converted():
    found = converted(["tanh", "unheard_of:f"], named_activation)
    assert found == ["tanh", named_activation("unheard_of:f")]
    assert converted("tanh", named_activation) == "tanh"


def test_labels_are_numbers_or_text():
    assert [label(value) for value in (3, "batch@last", [3, 4])] == [3, "batch@last", "3,4"]
