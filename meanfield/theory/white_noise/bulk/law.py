"""The law of the bulk: its R-transform from a fixed point in four numbers per layer.

With x = −(1/CT) tr (F* − z)^{-1}, positive for z right of the spectrum (theory.md section 11,
derived)

    z(x) = 1/x + R(x),     R(0) = λ_2,     R'(0) = the bulk's variance.

A layer's units act through one function of its numbers and of x,

    ψ = −E log det(I − B t),

the mean over its kinds of units. Its derivatives are all that the law needs: those by t^h, V, t^d
and U are what the layer passes on to U and t^d of the layer above and to V and t^h of the layer
below, and the one by x is its part of R.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from meanfield.theory.white_noise.bulk.units import Bulk

# A layer's numbers, in this order: U/T and T t^d, which come from the layer below, and V/T and
# T t^h, which come from the layer above. U and V are quadratic forms of the resolvent on ũ and v of
# one unit, t^h and t^d the total weights of H̃ and D̃. The state is layers × these four.
FROM_BELOW, FROM_ABOVE = slice(0, 2), slice(2, 4)
# What a layer passes on is the derivative of ψ by these numbers: by t^h to U, by V to t^d above it;
# by t^d to V, by U to t^h below it.
ON = np.array([3, 2, 1, 0])
# The terms of det(I − B t) that the coefficients of `Units` multiply, in their order.
NUMBERS = "UdVtx1"
TERMS = (
    *("11 11", "-t1 U1", "-t1 x1", "-d1 U1", "-d1 V1", "-d1 x1"),
    *("td UV", "td Ux", "td Vx", "td xx"),
)


def _form(two: str) -> np.ndarray:
    """The quadratic form of a product of two of the numbers, as a symmetric matrix."""
    first, second = (np.eye(len(NUMBERS))[NUMBERS.index(one)] for one in two[-2:])
    form = (np.outer(first, second) + np.outer(second, first)) / 2
    return -form if two.startswith("-") else form


FORMS = np.array([[_form(term.split()[i]) for term in TERMS] for i in range(2)])
ROUNDING = 1e-9  # of a number's derivative, relative to the largest


class Local(NamedTuple):
    """ψ of every layer at its numbers (U, t^d, V, t^h) and x, by derivatives.

    Attributes:
        gradient: layers × 5.
        hessian: layers × 5 × 5.
        clearance: The least det(I − B t) of any kind of units, by layer.
    """

    gradient: jax.Array
    hessian: jax.Array
    clearance: jax.Array


class Law(NamedTuple):
    """The law at one x, from a state near the fixed point.

    Attributes:
        step: To the fixed point, by Newton's method.
        transform: R(x).
        slope, curvature: R'(x) and R''(x).
        tangent, bend: The state's own first and second derivative.
        by_top: ∂R/∂log θ_L at fixed x, θ_L = q̃^L_st/T: what the last hidden layer's H̃ adds as it
            is seen by the outputs.
        inside: Whether the state is on the branch that starts at x = 0, in its range.
    """

    step: jax.Array
    transform: jax.Array
    slope: jax.Array
    curvature: jax.Array
    tangent: jax.Array
    bend: jax.Array
    by_top: jax.Array
    inside: jax.Array


def law(bulk: Bulk, x: jax.Array, state: jax.Array) -> Law:
    """R and its derivatives at x, and how to get to the fixed point.

    The fixed point s = f(x, s) moves along x by (I − J) s' = f_x and (I − J) s'' = f_x' + J' s',
    where J' and f_x' are the changes along (1, s'). R being the derivative of a function that is
    stationary in the state, ∂R/∂θ_{l+1} is (M_l/σ_w²) dU_{l+1}/dx.
    """
    here = local(bulk, x, state)
    residual = following(bulk, here) - state
    step, tangent = solved(bulk, here.hessian, (residual, _came(bulk, here.hessian[..., ON, 4])))
    one = jnp.ones_like(x)
    changed = jax.jvp(lambda *at: local(bulk, *at).hessian, (x, state), (one, tangent))[1]
    along = _along(tangent)
    bend = solved(bulk, here.hessian, (_came(bulk, (changed @ along)[..., ON, 0]),))[0]
    grown = (here.hessian @ along)[..., 0]  # d/dx of ψ's derivatives
    curvature = (changed @ along)[:, 4, 0] + (here.hessian[:, 4, :4] * bend).sum(1)
    return Law(
        step=step,
        transform=bulk.rest + _gathered(bulk, here.gradient[:, 4]),
        slope=_gathered(bulk, grown[:, 4]),
        curvature=_gathered(bulk, curvature),
        tangent=tangent,
        bend=bend,
        by_top=bulk.theta[-1] * bulk.widths[-1] / bulk.samples * grown[-1, 3],
        inside=(here.clearance.min() > 0) & _rises(state, tangent),
    )


def start(bulk: Bulk) -> jax.Array:
    """The state near x = 0: nothing but the layers' own weights."""
    none = jnp.zeros_like(bulk.eta)
    return jnp.stack([none, bulk.eta, none, bulk.theta], axis=1)


def local(bulk: Bulk, x: jax.Array, state: jax.Array) -> Local:
    """ψ of every layer, by derivatives."""
    return jax.vmap(_local, (0, 0, 0, None))(bulk.units.coefficients, bulk.units.weight, state, x)


def _local(coefficients: jax.Array, weight: jax.Array, state: jax.Array, x: jax.Array) -> Local:
    terms, by_terms, by_both = _terms(jnp.append(state, x))
    determinant = coefficients @ terms
    share = weight / determinant
    first = -(share @ coefficients)
    second = coefficients.T @ ((share / determinant)[:, None] * coefficients)
    hessian = by_terms.T @ second @ by_terms + jnp.tensordot(first, by_both, 1)
    return Local(first @ by_terms, hessian, determinant.real.min())


def _terms(at: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What the coefficients of `Units` multiply, with first and second derivatives.

    Each is a product p q of two quadratic forms in (U, t^d, V, t^h, x, 1).
    """
    every = jnp.append(at, jnp.ones_like(at[:1]))
    (p_by, q_by), (p_by_both, q_by_both) = 2 * FORMS @ every, 2 * FORMS
    p, q = p_by @ every / 2, q_by @ every / 2
    mixed = p_by[:, :, None] * q_by[:, None, :]
    by_both = p_by_both * q[:, None, None] + q_by_both * p[:, None, None]
    by_both = by_both + mixed + mixed.swapaxes(1, 2)
    by = p_by * q[:, None] + q_by * p[:, None]
    return p * q, by[:, :5], by_both[:, :5, :5]


def following(bulk: Bulk, here: Local) -> jax.Array:
    """The state that this one leads to.

    U_{l+1} = (σ_w²/M_l) Σ_{i in l} [B (I − t B)^{-1}]_11
    t^d_l = η_l + (σ_w²/M_{l−1}) Σ_{i in l−1} s²p² S_22
    V_{l−1} = (σ_w²/M_{l−1}) Σ_{i in l} [B (I − t B)^{-1}]_22
    t^h_l = θ_{l+1} + (σ_w²/M_l) Σ_{i in l+1} (a, e) S (a, e)ᵀ
    """
    return start(bulk) + _came(bulk, here.gradient[:, ON])


def _came(bulk: Bulk, passed: jax.Array) -> jax.Array:
    """What arrives at every layer of what every layer passes on, both layers × 4."""
    counted = passed * _counts(bulk)
    none = jnp.zeros_like(counted[:1, FROM_BELOW])
    below = jnp.concatenate([none, counted[:-1, FROM_BELOW]])
    above = jnp.concatenate([counted[1:, FROM_ABOVE], none])
    return jnp.concatenate([below, above], axis=1) * _seen(bulk)


def _gathered(bulk: Bulk, parts: jax.Array) -> jax.Array:
    """The layers' parts of R or of a derivative of it."""
    return (bulk.widths * parts).sum() / bulk.samples


def _along(tangent: jax.Array) -> jax.Array:
    """(s', 1) as columns: layers × 5 × 1."""
    return jnp.concatenate([tangent, jnp.ones_like(tangent[:, :1])], axis=1)[:, :, None]


def _counts(bulk: Bulk) -> jax.Array:
    """By what means over a layer's units count above it and below it: layers × 4."""
    up = bulk.weight_var * jnp.ones_like(bulk.widths)
    down = bulk.weight_var * bulk.widths / jnp.append(bulk.widths[:1], bulk.widths[:-1])
    return jnp.stack([up, up, down, down], axis=1)


def _seen(bulk: Bulk) -> jax.Array:
    """What of the state comes from other layers: layers × 4."""
    one = jnp.ones_like(bulk.eta)
    return jnp.stack([one, bulk.sees_below, bulk.sees_above, one], axis=1)


def _rises(state: jax.Array, tangent: jax.Array) -> jax.Array:
    """Whether the numbers grow with x, as they do on the branch from 0; false of NaN.

    U counts by t^h U and V by t^d V: how much of a change is rounding is seen in these.
    """
    change = (tangent * state[:, ON]).real
    return (change >= -ROUNDING * jnp.abs(change).max()).all()


def solved(bulk: Bulk, hessian: jax.Array, right: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    """(I − J)^{-1} of each right side, J the derivative of `following`.

    A layer acts on its neighbours only: elimination from the inputs up. I − J is an M-matrix in
    the range of x, so that no pivoting is needed.
    """
    seen, counted = _seen(bulk)[:, :, None], hessian[:, ON, :4] * _counts(bulk)[:, :, None]
    none = jnp.zeros_like(counted[:1, FROM_BELOW])
    below = jnp.concatenate([none, counted[:-1, FROM_BELOW]]) * seen[:, FROM_BELOW]
    above = jnp.concatenate([counted[1:, FROM_ABOVE], none]) * seen[:, FROM_ABOVE]

    def eliminate(carry, layer):
        G, h = carry  # the layer below is G times this one plus h
        below, above, right = layer
        mixed = below @ G
        inverse = _inverse(jnp.eye(2) - mixed[:, FROM_BELOW])
        back = inverse @ mixed[:, FROM_ABOVE]
        rest = inverse @ (right[FROM_BELOW] + below @ h) + back @ right[FROM_ABOVE]
        G = jnp.concatenate([back @ above, above])
        h = jnp.concatenate([rest, right[FROM_ABOVE]])
        return (G, h), (G, h)

    def substitute(later, layer):
        G, h = layer
        here = G @ later + h
        return here, here

    sides = jnp.stack(right, axis=-1)
    nothing = jnp.zeros_like(sides[0])
    first = jnp.zeros((4, 4), sides.dtype), nothing
    _, chain = jax.lax.scan(eliminate, first, (below, above, sides))
    _, found = jax.lax.scan(substitute, nothing, chain, reverse=True)
    return tuple(found[..., i] for i in range(len(right)))


def _inverse(A: jax.Array) -> jax.Array:
    """Of a 2 × 2 matrix."""
    turned = jnp.stack([jnp.stack([A[1, 1], -A[0, 1]]), jnp.stack([-A[1, 0], A[0, 0]])])
    return turned / (A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0])
