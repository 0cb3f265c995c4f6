"""Both precisions: what is no matter of precision holds in either, up to its rounding."""

import pytest


@pytest.fixture(params=["float64", "float32"])
def precision(request):
    """The sampler's `precision`; float32 is its default."""
    return request.param
