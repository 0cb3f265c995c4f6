"""Activation functions: what the sampler applies and how the theory averages them."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
from jax.scipy.special import erf

from meanfield.checks import shown
from meanfield.gaussian import closed_forms
from meanfield.gaussian.averages import Averages, Function
from meanfield.gaussian.pair_slopes import PairSlopes, slopes_by_table, slopes_of_closed_form
from meanfield.gaussian.pairs import pair_averages
from meanfield.gaussian.quadrature import Quadrature
from meanfield.spec.elementwise import check_elementwise, check_traceable, has_kink
from meanfield.spec.modules import Unimported, imported, is_path

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
        if isinstance(self.function, Unimported):
            return
        check_traceable(self.name, self.function)
        if self.kink_at_zero is None:
            object.__setattr__(self, "kink_at_zero", has_kink(self.name, self))

    def __reduce__(self):
        """By name where it has one, so that it is the very same object again in any process."""
        if _known(self.name) is self:
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

    def pair_slopes(self, q: jax.Array, gap: jax.Array) -> PairSlopes:
        """The derivatives of the averages of every pair by the pair's covariance and variances."""
        if self.closed_form:
            return slopes_of_closed_form(self.closed_form, q, gap)
        return slopes_by_table(self.quadrature, q, gap)


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


def resolve_activation(
    activation: str | Function | Activation, folder: str | None = None
) -> Activation:
    """The activation of that name or function, the record itself, or a record of the user's own.

    A name such as "module:function" is imported; it may also be an `Activation` of that module.
    What JAX calls the function of a named activation is that activation: `jax.nn.relu` is "relu".

    Args:
        activation: A name, a function or a record.
        folder: Where the module of a name may lie too, if the user typed it on a command line.

    Raises:
        ValueError: The name is unknown, or the object is no usable function.
    """
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str):
        if known := _known(activation):
            return known
        if is_path(activation):
            return _imported(activation, folder)
    elif callable(activation):
        return _of_function(activation)
    raise ValueError(
        f"activation must be one of {', '.join(ACTIVATIONS)}, the MODULE:NAME of a function or a "
        f"JAX-traceable function, got {shown(activation)}"
    )


def named_activation(name: str) -> Activation:
    """The activation that a file names, for which nothing is imported.

    A path that nobody has resolved in this process yet leads to a record that has the name only.

    Raises:
        ValueError: The name is unknown.
    """
    if is_path(name) and not _known(name):
        return Activation(name, Unimported(name), False)
    return resolve_activation(name)


def _known(name: str) -> Activation | None:
    """The record of this process for a name."""
    return ACTIVATIONS.get(name) or _BY_PATH.get(name)


def _of_function(function: Function) -> Activation:
    """The named activation that a function belongs to, or else a record of its own."""
    try:
        named = _BY_FUNCTION.get(_key(function))
        hash(function)
    except TypeError as error:
        raise ValueError(
            f"activation must be hashable, as all that JAX compiles for, got {shown(function)}: "
            f"{error}"
        ) from error
    return named or _of_own_function(function)


@lru_cache(maxsize=64)  # one record for all networks, so that they share what is compiled for it
def _of_own_function(function: Function) -> Activation:
    """A user's own function, under the name that it has in Python."""
    record = Activation(getattr(function, "__name__", repr(function)), function)
    check_elementwise(record.name, record)
    return record


_BY_PATH: dict[str, Activation] = {}  # one record each: what is compiled for it is shared


def _imported(path: str, folder: str | None = None) -> Activation:
    """The function or record that a path MODULE:NAME leads to, under that name."""
    if path not in _BY_PATH:
        if folder is not None:
            jax.devices()  # looks for plugins the first time: in that folder it must not
        found = imported(path, folder)
        record = found if isinstance(found, Activation) else resolve_activation(found)
        _BY_PATH[path] = replace(record, name=path)
    return _BY_PATH[path]


def importable_name(activation: Function | Activation) -> str:
    """What `resolve_activation` takes in place of a function or record, in any process.

    Raises:
        ValueError: It has none: other processes know only what modules define by name.
    """
    record = activation if isinstance(activation, Activation) else _of_function(activation)
    function = record.function
    if _known(record.name) is record or isinstance(function, Unimported):
        return record.name
    module = getattr(function, "__module__", None)
    path = f"{module}:{getattr(function, '__qualname__', '')}"
    try:
        if module != "__main__" and _imported(path).function is function:
            return path
    except ValueError:
        pass
    raise ValueError(
        f"activation must be a name or a function that a module defines by name, so that other "
        f"processes can import it; got {shown(activation)}"
    )
