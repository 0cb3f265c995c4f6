"""Activation functions: what the sampler applies and how the theory averages them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from importlib import import_module
from operator import attrgetter

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf

from meanfield.gaussian import closed_forms
from meanfield.gaussian.averages import Averages, Function
from meanfield.gaussian.pairs import pair_averages
from meanfield.gaussian.quadrature import Quadrature

ClosedForm = Callable[[jax.Array, jax.Array, jax.Array], Averages]


@dataclass(frozen=True)
class Activation:
    """An elementwise function φ and the way its Gaussian averages are taken.

    Attributes:
        name: The name shown in results.
        function: φ, JAX-traceable and elementwise; φ' is taken by automatic differentiation.
        kink_at_zero: Whether φ or a derivative of it jumps at 0. Such a function is averaged sector
            by sector; any other by a uniform grid, which is accurate for smooth functions only.
        closed_form: The averages in closed form, (q_s, q_t, gap) → Averages, where one is known.

    Raises:
        ValueError: `function` is not a traceable elementwise function.
    """

    name: str
    function: Function
    kink_at_zero: bool = False
    closed_form: ClosedForm | None = field(default=None)

    def __post_init__(self):
        """Checks that the function is what the theory and the sampler take it for."""
        probe = jax.ShapeDtypeStruct((3, 2), jnp.float32)
        try:
            out = jax.eval_shape(self.function, probe)
            good = out.shape == probe.shape and jnp.issubdtype(out.dtype, jnp.floating)
        except Exception as error:
            raise ValueError(
                f"activation must be a JAX-traceable elementwise function, got {self.name!r}, "
                f"which cannot be traced: {str(error).partition(chr(10))[0] or repr(error)}"
            ) from error
        if not good:
            raise ValueError(
                f"activation must return one real number per element, got {self.name!r}, "
                f"which maps float32{list(probe.shape)} to {out.dtype}{list(out.shape)}"
            )

    def __repr__(self):
        """The name."""
        return self.name

    def __call__(self, u: jax.Array) -> jax.Array:
        """φ(u) in the precision of u."""
        return self.function(u).astype(u.dtype)

    @property
    def branches(self) -> bool:
        """Whether the averages take one of several branches; under `vmap` all are evaluated."""
        return self.closed_form is None

    @property
    def quadrature(self) -> Quadrature:
        """(q, gap) → Averages by quadrature, whether or not a closed form is known."""
        return Quadrature(self, self.kink_at_zero)

    def averages(self, q: jax.Array, gap: jax.Array) -> Averages:
        """E[φ²], E[φ'²] and their gaps for variance q and covariance q − gap."""
        return self.closed_form(q, q, gap) if self.closed_form else self.quadrature(q, gap)

    def pair_averages(self, q: jax.Array, gap: jax.Array) -> Averages:
        """The averages per sample and their gaps per pair, for variances q (T) and gaps (T×T)."""
        if self.closed_form:
            return _at_all_pairs(self.closed_form, q, gap)
        return pair_averages(self.quadrature, q, gap)


@partial(jax.jit, static_argnames="form")
def _at_all_pairs(form: ClosedForm, q: jax.Array, gap: jax.Array) -> Averages:
    """Value and slope of each sample (T), their gaps at every pair (T×T)."""
    a = form(q[:, None], q[None, :], gap)
    return a._replace(value=a.value[:, 0], slope=a.slope[:, 0], error=a.error.max())


def _leaky(name: str, function: Function, negative_slope: float) -> Activation:
    return Activation(name, function, True, partial(closed_forms.leaky, negative_slope))


ACTIVATIONS = {
    a.name: a
    for a in (
        Activation("linear", lambda u: u, False, closed_forms.linear),
        _leaky("relu", jax.nn.relu, 0.0),
        _leaky("leaky_relu", jax.nn.leaky_relu, 0.01),
        _leaky("abs", jnp.abs, -1.0),
        Activation("erf", erf, False, closed_forms.erf),
        Activation("sin", jnp.sin, False, closed_forms.sin),
        Activation("tanh", jnp.tanh),
        Activation("sigmoid", jax.nn.sigmoid),
        Activation("softplus", jax.nn.softplus),
        Activation("gelu", partial(jax.nn.gelu, approximate=False), closed_form=closed_forms.gelu),
        Activation("silu", jax.nn.silu),
        Activation("elu", jax.nn.elu, kink_at_zero=True),
    )
}


def _check_elementwise(activation: Activation) -> None:
    """Moves one element: no other one's value may change.

    Raises:
        ValueError: The function mixes elements, as softmax does.
    """
    at = np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)
    moved = at.copy()
    moved[0, 0] = 2
    before, after = (np.asarray(activation(jnp.asarray(u))) for u in (at, moved))
    if not np.array_equal(before.ravel()[1:], after.ravel()[1:], equal_nan=True):
        raise ValueError(
            f"activation must be an elementwise function, got {activation.name!r}, whose values "
            f"depend on other elements"
        )


def resolve_activation(activation: str | Function | Activation) -> Activation:
    """The activation of that name, the record itself, or a record of the user's function.

    A name such as "module:function" is imported; it may also be an `Activation` of that module.

    Raises:
        ValueError: The name is unknown, or the object is no usable function.
    """
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return ACTIVATIONS[activation]
    if isinstance(activation, str) and ":" in activation:
        return _imported(activation)
    if callable(activation):
        record = Activation(getattr(activation, "__name__", repr(activation)), activation)
        _check_elementwise(record)
        return record
    raise ValueError(
        f"activation must be one of {', '.join(ACTIVATIONS)}, the MODULE:NAME of a function or a "
        f"JAX-traceable function, got {activation!r}"
    )


@lru_cache(maxsize=64)  # one record for all networks, so that they share what is compiled for it
def _imported(path: str) -> Activation:
    """The function or record that a path MODULE:NAME leads to, under that name."""
    module, _, name = path.partition(":")
    try:
        found = attrgetter(name)(import_module(module))
    except Exception as error:  # a user's module may raise anything
        raise ValueError(f"activation {path!r} cannot be imported: {error}") from error
    if isinstance(found, Activation):
        return replace(found, name=path)
    return replace(resolve_activation(found), name=path)


def importable_name(activation: Function | Activation) -> str:
    """What `resolve_activation` takes in place of a function or record, in any process.

    Raises:
        ValueError: It has none: other processes know only what modules define by name.
    """
    if isinstance(activation, Activation) and ACTIVATIONS.get(activation.name) is activation:
        return activation.name
    function = activation.function if isinstance(activation, Activation) else activation
    module = getattr(function, "__module__", None)
    path = f"{module}:{getattr(function, '__qualname__', '')}"
    try:
        if module != "__main__" and _imported(path).function is function:
            return path
    except ValueError:
        pass
    raise ValueError(
        f"activation must be a name or a function that a module defines by name, so that other "
        f"processes can import it; got {activation!r}"
    )
