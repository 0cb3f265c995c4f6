import pytest

from meanfield import NORMS
from meanfield.spec.placement import parse_placement


@pytest.mark.parametrize(
    ("placement", "depth", "norms"),
    [
        ("none", 3, ("none", "none", "none")),
        ("batch@last", 3, ("none", "none", "batch")),
        ("batch@hidden", 4, ("batch", "batch", "batch", "none")),
        ("layer@all", 2, ("layer", "layer")),
        ("mean@2", 3, ("none", "mean", "none")),
        ("mean@3", 3, ("none", "none", "mean")),
        ("mean@12", 12, ("none",) * 11 + ("mean",)),
        ("layer@hidden+batch@last", 3, ("layer", "layer", "batch")),
        ("layer-mean@1+rms@3", 3, ("layer-mean", "none", "rms")),
        ("mean@1 + batch@2", 2, ("mean", "batch")),
        ("batch@last", 1, ("batch",)),
        ("rms@all", 1, ("rms",)),
    ],
)
def test_the_shorthand_names_every_layer(placement, depth, norms):
    assert parse_placement(placement, depth) == norms


@pytest.mark.parametrize("kind", NORMS)
def test_every_norm_can_be_placed_alone(kind):
    for layer in (1, 2, 3):
        expected = tuple(kind if i == layer else "none" for i in (1, 2, 3))
        assert parse_placement(f"{kind}@{layer}", 3) == expected


@pytest.mark.parametrize("placement", ["", "7", "batch@last+"])
def test_the_form_of_a_placement_is_explained(placement):
    form = "norm must be 'none' or KIND@last, KIND@hidden, KIND@all or KIND@NUMBER, joined by '+'"
    with pytest.raises(ValueError, match="norm must be") as error:
        parse_placement(placement, 3)
    assert str(error.value) == f"{form}, got {placement!r}"


@pytest.mark.parametrize("kind", ["spectral", "group", ""])
def test_an_unknown_norm_is_explained(kind):
    accepted = "norm must be one of none, mean, batch, layer-mean, layer, rms"
    with pytest.raises(ValueError, match="norm must be one of") as error:
        parse_placement(f"mean@1+{kind}@last", 3)
    assert str(error.value) == f"{accepted}, got {kind!r}"


@pytest.mark.parametrize(
    ("placement", "meant"),
    [
        ("batch", "batch@last"),
        ("LayerNorm", "layer@last"),
        ("layernorm@all", "layer@all"),
        ("batch_norm@hidden+mean@last", "batch@hidden"),
        ("layer_mean@2", "layer-mean@2"),
        ("rmsnorm@1", "rms@1"),
        ("bacth@last", "batch@last"),
        ("None", "none"),
    ],
)
def test_what_may_have_been_meant_is_suggested(placement, meant):
    with pytest.raises(ValueError, match="norm must be") as error:
        parse_placement(placement, 3)
    assert str(error.value).endswith(f"; did you mean {meant!r}?")


@pytest.mark.parametrize("where", ["", "first", "0", "4", "-1", "1.0", "²", "1@2", "last,mean@1"])
def test_an_unknown_place_is_explained(where):
    accepted = "norm must place each kind at last, hidden, all or a layer from 1 to 3"
    with pytest.raises(ValueError, match="norm must place") as error:
        parse_placement(f"batch@{where}", 3)
    assert str(error.value) == f"{accepted}, got 'batch@{where}'"


@pytest.mark.parametrize(
    ("placement", "layer"),
    [
        ("batch@hidden+mean@2", 2),
        ("mean@last+batch@3", 3),
        ("mean@last+mean@last", 3),
        ("rms@1+mean@all", 1),
    ],
)
def test_a_layer_takes_one_norm(placement, layer):
    with pytest.raises(ValueError, match=f"norm names layer {layer} twice in ") as error:
        parse_placement(placement, 3)
    assert repr(placement) in str(error.value)


@pytest.mark.parametrize("placement", [None, 3, ("batch", "none", "none"), b"none"])
def test_something_other_than_text_is_refused(placement):
    with pytest.raises(ValueError, match="norm must be a placement such as 'batch@last', got"):
        parse_placement(placement, 3)


def test_hidden_layers_need_a_depth_above_one():
    with pytest.raises(ValueError, match="'mean@hidden' names hidden layers, but a depth of 1"):
        parse_placement("mean@hidden", 1)
