"""How predictions on given inputs can be asked for."""

import numpy as np
import pytest
from given_networks import FEW, T, X, net, refused

from meanfield import predict
from meanfield.theory.given_inputs.options import SELF_AVERAGING, Options


def test_bad_arguments_are_refused_by_name():
    refused(r"inputs must have shape \(T, 6\), T >= 1, got \(6,\)", inputs=X[0])
    refused(r"inputs must have shape \(T, 6\), T >= 1, got \(12, 5\)", inputs=X[:, :5])
    refused("inputs must be finite", inputs=np.where(X > 1, np.nan, X))
    refused("inputs must be real numbers, got dtype complex128", inputs=X + 0j)
    refused("samples must be at least 4 for norm 'batch', got 3", net("batch@1"), X[:3])
    refused("samples must equal the inputs' 12 rows, got 11", samples=11)
    refused("samples must be a positive integer, got '12'", samples="12")
    refused("inputs must have shape", inputs=5, samples=12)
    refused("batch_statistics must be one of sampled, self-averaging", batch_statistics="none")
    refused("fields must be a positive integer, got 0", fields=0)
    refused("eigenvectors must be at most the 12 samples, got 13", eigenvectors=13)
    refused("eigenvectors must be an integer of at least 0, got -1", eigenvectors=-1)
    refused("output_draws must be an integer of at least 0, got 2.5", output_draws=2.5)
    refused("output_draws must be 0 or at least 2", output_draws=1)
    refused("seed must be an integer of at least 0, got -1", seed=-1)
    refused(r"seed must be below 2\*\*63", net("batch@all"), seed=2**63)
    assert predict(net(), T, inputs=X).samples == T
    for option in ("fields", "eigenvectors", "batch_statistics"):
        with pytest.raises(ValueError, match=f"{option} must come with inputs, got none"):
            predict(net(), T, **{option: 3})


def test_the_self_averaging_shortcut_is_another_number():
    network = net("batch@hidden")
    sampled = predict(network, inputs=X)
    shortcut = predict(network, inputs=X, batch_statistics="self-averaging")
    assert abs(sampled.eigenvalues[0] / shortcut.eigenvalues[0] - 1) > 0.02
    assert (sampled.batch_statistics, shortcut.batch_statistics) == ("sampled", "self-averaging")
    assert any("self-averaging shortcut" in note for note in shortcut.notes)
    assert not any("self-averaging" in note for note in sampled.notes)


def test_a_seed_reproduces_everything():
    for norm in ("batch@all", "layer@last"):
        first, again, other = (predict(net(norm), inputs=X, seed=s, **FEW) for s in (3, 3, 4))
        assert first.to_dict() == again.to_dict()
        assert first.eigenvalue_max != other.eigenvalue_max
    plain = [predict(net(), inputs=X, seed=s) for s in (3, 4)]
    assert plain[0].eigenvalues.tolist() == plain[1].eigenvalues.tolist()  # of the wide limit
    error = 4 * np.hypot(*(p.eigenvalue_max_sem for p in plain))
    assert 0 < abs(plain[0].eigenvalue_max - plain[1].eigenvalue_max) < error


def test_defaults_are_those_that_predict_documents():
    options = Options().checked(T)
    assert options == Options(0, 0, "sampled", 8192, 0)
    assert [type(value) for value in options] == [int, int, str, int, int]


def test_numbers_of_numpys_become_plain_ones():
    asked = Options(np.int64(3), np.int32(2), SELF_AVERAGING, np.uint8(9), np.int64(T))
    found = asked.checked(T)
    assert found == (3, 2, "self-averaging", 9, T)
    assert [type(value) for value in found] == [int, int, str, int, int]
