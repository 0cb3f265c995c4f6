"""Activation functions: what the sampler applies and how the theory averages them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from importlib import import_module
from operator import attrgetter

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf

from meanfield.gaussian import closed_forms
from meanfield.gaussian.averages import Averages, Function
from meanfield.gaussian.kinked import jumps_at_zero
from meanfield.gaussian.pairs import pair_averages
from meanfield.gaussian.quadrature import Quadrature

ClosedForm = Callable[[jax.Array, jax.Array, jax.Array], Averages]


@dataclass(frozen=True)
class Activation:
    """An elementwise function φ and the way its Gaussian averages are taken.

    Attributes:
        name: The name shown in results.
        function: φ, JAX-traceable and elementwise; φ' is taken by automatic differentiation.
        kink_at_zero: Whether φ, φ' or φ'' jumps at 0; None finds out. Such a function is averaged
            sector by sector; any other by a uniform grid, which is accurate for smooth ones only.
        closed_form: The averages in closed form, (q_s, q_t, gap) → Averages, where one is known.

    Raises:
        ValueError: `function` is not a traceable elementwise function.
    """

    name: str
    function: Function
    kink_at_zero: bool | None = None
    closed_form: ClosedForm | None = None

    def __post_init__(self):
        """Checks that the function is what the theory and the sampler take it for."""
        probe = jax.ShapeDtypeStruct((3, 2), jnp.float32)
        try:  # a function of ours around theirs: JAX ends the process on a NumPy one's second try
            out = jax.eval_shape(lambda u: self.function(u), probe)
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
        if self.kink_at_zero is None:
            object.__setattr__(self, "kink_at_zero", self._has_kink())

    def _has_kink(self) -> bool:
        """Whether anything jumps at 0; refuses what has no derivatives to tell by."""
        try:
            return any(jumps_at_zero(self))
        except Exception as error:
            raise ValueError(
                f"activation must have derivatives in JAX's forward mode, got {self.name!r}, "
                f"which has none: {str(error).partition(chr(10))[0]}"
            ) from error

    def __reduce__(self):
        """By name where it has one, so that it is the very same object again in any process."""
        with suppress(ValueError):
            if resolve_activation(self.name) is self:
                return resolve_activation, (self.name,)
        return Activation, tuple(getattr(self, f.name) for f in fields(self))

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
        return Quadrature(self, bool(self.kink_at_zero))

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
        Activation("tanh", jnp.tanh, False),
        Activation("sigmoid", jax.nn.sigmoid, False),
        Activation("softplus", jax.nn.softplus, False),
        Activation("gelu", partial(jax.nn.gelu, approximate=False), False, closed_forms.gelu),
        Activation("silu", jax.nn.silu, False),
        Activation("elu", jax.nn.elu, True),
    )
}


def _key(function: Callable) -> tuple:
    """What a function is known by: a `partial` is told by its keywords, not by its identity."""
    if isinstance(function, partial) and not function.args:
        return function.func, frozenset(function.keywords.items())
    return function, frozenset()


# What else JAX calls these functions; by default its GELU is another one.
_ALIASES: dict[str, tuple[Callable, ...]] = {
    "linear": (jax.nn.identity,),
    "leaky_relu": (partial(jax.nn.leaky_relu, negative_slope=0.01),),
    "abs": (jnp.absolute, jnp.fabs, jax.lax.abs),
    "erf": (jax.lax.erf,),
    "sin": (jax.lax.sin,),
    "tanh": (jax.nn.tanh, jax.lax.tanh),
    "sigmoid": (jax.lax.logistic, jax.scipy.special.expit),
    "silu": (jax.nn.swish,),
    "elu": (partial(jax.nn.elu, alpha=1.0),),
}
_BY_FUNCTION = {
    _key(function): a
    for a in ACTIVATIONS.values()
    for function in (a.function, *_ALIASES.get(a.name, ()))
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
    """The activation of that name or function, the record itself, or a record of the user's own.

    A name such as "module:function" is imported; it may also be an `Activation` of that module.
    What JAX calls the function of a named activation is that activation: `jax.nn.relu` is "relu".

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
        return _of_function(activation)
    raise ValueError(
        f"activation must be one of {', '.join(ACTIVATIONS)}, the MODULE:NAME of a function or a "
        f"JAX-traceable function, got {activation!r}"
    )


def _of_function(function: Function) -> Activation:
    """The named activation that a function belongs to, or else a record of its own."""
    try:
        named = _BY_FUNCTION.get(_key(function))
        hash(function)
    except TypeError as error:
        raise ValueError(
            f"activation must be hashable, as all that JAX compiles for, got {function!r}: {error}"
        ) from error
    return named or _of_own_function(function)


@lru_cache(maxsize=64)  # one record for all networks, so that they share what is compiled for it
def _of_own_function(function: Function) -> Activation:
    """A user's own function, under the name that it has in Python."""
    record = Activation(getattr(function, "__name__", repr(function)), function)
    _check_elementwise(record)
    return record


@lru_cache(maxsize=64)
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
    record = activation if isinstance(activation, Activation) else _of_function(activation)
    if ACTIVATIONS.get(record.name) is record:
        return record.name
    function = record.function
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
