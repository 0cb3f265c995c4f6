"""Small networks on white noise that share what is compiled for them."""

from problems import RELU

from meanfield.spec.network import Network

C = 6  # one number of outputs for most tests: each other one is compiled anew


def relu(norm="none", **changes):
    return Network(**{"depth": 3, "width": 200, "outputs": C, "norm": norm, **RELU, **changes})


def erf(norm="none", **changes):
    """An odd activation, in closed form: quick to compile."""
    return relu(norm, **{"activation": "erf", **changes})


def notes_on(prediction):
    """All notes as one text, and apart from it the last one's list of what is null."""
    *notes, null = prediction.notes
    assert null.startswith("null: ")
    return " ".join(notes), null
