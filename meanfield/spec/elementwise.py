"""Whether a function is what the theory and the sampler take an activation for."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.checks import reason, shown
from meanfield.gaussian.averages import Function
from meanfield.gaussian.kinked import jumps_at_zero

NOT_TRACEABLE = "a JAX-traceable elementwise function, got {}, which cannot be traced"
NO_DERIVATIVES = "a function with derivatives in JAX's forward mode, got {}, which has none"


def check_traceable(name: str, function: Function) -> None:
    """Traces the function once.

    Raises:
        ValueError: JAX cannot, or it makes anything but one real number of each.
    """
    probe = jax.ShapeDtypeStruct((3, 2), jnp.float32)
    # A function of ours around theirs: JAX ends the process on a NumPy one's second try.
    out = _attempt(lambda: jax.eval_shape(lambda u: function(u), probe), name, NOT_TRACEABLE)
    shape, dtype = getattr(out, "shape", None), getattr(out, "dtype", None)
    if shape is None or dtype is None:
        raise ValueError(
            f"activation must be {NOT_TRACEABLE.format(shown(name))}: it returns {shown(out)}"
        )
    if shape != probe.shape or not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(
            f"activation must return one real number per element, got {shown(name)}, "
            f"which maps float32{list(probe.shape)} to {dtype}{list(shape)}"
        )


def check_elementwise(name: str, function: Function) -> None:
    """Moves one element: no other one's value may change.

    Raises:
        ValueError: The function mixes elements, as softmax does.
    """
    at = np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)
    moved = at.copy()
    moved[0, 0] = 2
    before, after = (
        _attempt(lambda u=u: np.asarray(function(jnp.asarray(u))), name, NOT_TRACEABLE)
        for u in (at, moved)
    )
    if not np.array_equal(before.ravel()[1:], after.ravel()[1:], equal_nan=True):
        raise ValueError(
            f"activation must be an elementwise function, got {shown(name)}, whose values "
            f"depend on other elements"
        )


def has_kink(name: str, function: Function) -> bool:
    """Whether the function or one of its first two derivatives jumps at 0.

    Raises:
        ValueError: It has no derivatives to tell by.
    """
    return _attempt(lambda: any(jumps_at_zero(function)), name, NO_DERIVATIVES)


def _attempt(work: Callable, name: str, complaint: str):
    """What `work` returns.

    Raises:
        ValueError: A stranger's function raised anything, as `sys.exit` raises SystemExit.
    """
    try:
        return work()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ValueError(
            f"activation must be {complaint.format(shown(name))}: {reason(error)}"
        ) from error
