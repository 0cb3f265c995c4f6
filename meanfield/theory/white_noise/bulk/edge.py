"""Where the bulk ends, and where an outlier lies: points of z(x) (theory.md section 11).

z(x) = 1/x + R(x) is convex for x > 0 and least at the upper edge, concave for x < 0 and greatest at
the lower one: x² R'(x) = 1 at both.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from meanfield.theory.white_noise.bulk.law import Law, law, start
from meanfield.theory.white_noise.bulk.units import Bulk, Units

STEPS = 120  # at most, of which ten are usual
SETTLED = 1e-8  # relative change of x and of the state at the end: E is exact to its square
NEAR = 1e-2  # relative step of the state from which the next x is looked for,
CONTRACTED = 0.1  # if the step before was so much larger: beyond its range x has no fixed point,
AT_ONCE = 1e-5  # and Newton's steps shrink slowly; or if it is so small as it is
TRIES = 8  # steps at one x before it is taken for beyond its range
BRACKETED = 1e-8  # relative width at which x is known, if it is at the end of its range: as E is
POLISHING = 3  # iterations that carry derivatives
LEAP = 2.0  # in log |x| towards the lower edge, at most


class Goal(NamedTuple):
    """What is looked for.

    Attributes:
        side: 1 for the upper edge, −1 for the lower one, 0 for an x that is given.
        target: That x; where it is beyond the upper edge there is nothing to find, and 0 stands for
            it.
        even: Whether to look with the other kinds of units.
    """

    side: jax.Array
    target: jax.Array
    even: jax.Array


class Point(NamedTuple):
    """A point of the law.

    Attributes:
        x: Where it is.
        z: 1/x + R(x).
        slope: R'(x).
        bend: z''(x).
        by_top: ∂R/∂log θ_L at fixed x.
        state: The fixed point.
        found: 1 if the search came to its end, else 0.
    """

    x: jax.Array
    z: jax.Array
    slope: jax.Array
    bend: jax.Array
    by_top: jax.Array
    state: jax.Array
    found: jax.Array


class _Search(NamedTuple):
    """Where the search is, what is known of the last x in range, and the least x out of it.

    Attributes:
        x, state: The place.
        off, tries: The state's last relative step at this x, and how many there were.
        known, known_state, known_law: The last x in range.
        beyond: The least |x| out of it.
        steps, done: How many in all, and whether the end is reached.
    """

    x: jax.Array
    state: jax.Array
    off: jax.Array
    tries: jax.Array
    known: jax.Array
    known_state: jax.Array
    known_law: Law
    beyond: jax.Array
    steps: jax.Array
    done: jax.Array


def find(bulk: Bulk, even: Units, goals: Goal) -> Point:
    """The points that are looked for, in turn; the upper edge must come before x that are given.

    Args:
        bulk: The bulk.
        even: Other kinds of units, for the goals that say so.
        goals: What is looked for, along the first axis.
    """

    def in_turn(edge, goal):
        here = bulk._replace(units=_either(goal.even > 0, even, bulk.units))
        reached = jnp.where(goal.target < edge, goal.target, 0)
        point = _find(here, goal._replace(target=reached))
        return jnp.where((goal.side > 0) & (goal.even == 0), point.x, edge), point

    return jax.lax.scan(in_turn, jnp.inf * jnp.ones_like(bulk.mean), goals)[1]


@jax.custom_jvp
def _find(bulk: Bulk, goal: Goal) -> Point:
    """One of them, by Newton's method along the branch that starts at x = 0."""
    search = _searched(bulk, goal)
    return _point(search.known, search.known_state, search.known_law, search.done)


@_find.defjvp
def _find_along(at, along):
    """The search carries no derivatives, which a few more of its iterations do.

    The first gets the state's right, the second x's, the third those of what is read off.
    """
    point = _find(*at)

    def polished(bulk, goal):
        def polish(at, _):
            x, state = at
            here = law(bulk, x, state)
            change = _change(goal, x, here)
            after = x + change, state + here.step + here.tangent * change
            return after, _point(x, state, here, point.found)

        _, points = jax.lax.scan(polish, (point.x, point.state), length=POLISHING)
        return jax.tree.map(lambda a: a[-1], points)

    return point, jax.jvp(polished, at, along)[1]


def _point(x: jax.Array, state: jax.Array, here: Law, found: jax.Array) -> Point:
    z, bend = 1 / x + here.transform, 2 / x**3 + here.curvature
    return Point(x, z, here.slope, bend, here.by_top, state, found.astype(float))


def _change(goal: Goal, x: jax.Array, here: Law, failed: jax.Array | bool = False) -> jax.Array:
    """How far from x what is looked for is.

    R' grows towards the upper edge like a pole in shallow networks and like a square root's in deep
    ones, or at T ≫ M: R'^{−p} is almost linear and equals x^{2p} there, p = 2 for a square root's
    and less for a pole. With p = 3/2 Newton's method seldom goes too far; where it did, p is 2. On
    the other side x² R' grows to 1, or to less, in which case the lower edge is R's own limit at
    x → −∞.
    """
    slope = jnp.maximum(here.slope, jnp.finfo(x.dtype).tiny)
    share, p = x * jnp.sqrt(slope), jnp.where(failed, 2.0, 1.5)
    power = jnp.abs(share) ** (2 * p - 1)
    up = (1 - power * share) / (2 * p * power * jnp.sqrt(slope) + p * here.curvature / slope)
    growth = 2 + x * here.curvature / slope  # of log x² R' by log x, which ends at 0
    down = x * jnp.expm1(jnp.clip(-jnp.log(x**2 * slope) / growth, -LEAP, LEAP))
    down = jnp.where(x < 0, down, -(slope**-0.5) / 2)
    return jnp.where(goal.side > 0, up, jnp.where(goal.side < 0, down, goal.target - x))


def _searched(bulk: Bulk, goal: Goal) -> _Search:
    return jax.lax.while_loop(
        lambda s: ~s.done & (s.steps < STEPS), lambda s: _next(bulk, goal, s), _first(bulk, goal)
    )


def _first(bulk: Bulk, goal: Goal) -> _Search:
    x = jnp.zeros_like(bulk.mean)
    state = start(bulk)
    nothing = jax.tree.map(
        lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(law, bulk, x, state)
    )
    return _Search(x, state, x, x, x, state, nothing, x + jnp.inf, x, x != 0)


def _next(bulk: Bulk, goal: Goal, s: _Search) -> _Search:
    """Where x is near its fixed point, on to the next; else nearer to it, or halfway back.

    The fixed point is convex in x: a tangent leads below it, and Newton's method rises to it.
    """
    here = law(bulk, s.x, s.state)
    off = _relative(here.step, s.state)
    rises = here.inside & (here.step >= -NEAR * jnp.abs(s.state).max(0, keepdims=True)).all()
    inside = (rises | (s.x < 0)) & jnp.isfinite(here.step).all()
    near = inside & ((off <= NEAR) & (off <= CONTRACTED * s.off) | (off <= AT_ONCE))
    lost = ~inside | (~near & (s.tries > TRIES))
    known, known_state, known_law = _either(
        near, (s.x, s.state, here), (s.known, s.known_state, s.known_law)
    )
    beyond = jnp.where(lost, jnp.abs(s.x), jnp.where(near & (s.x < 0), jnp.inf, s.beyond))
    mistaken = lost & (beyond <= jnp.abs(known))  # what was taken for in range: from 0 again
    known, known_state = _either(mistaken, (0 * known, start(bulk)), (known, known_state))
    by = jnp.where(mistaken, beyond / 2, _bounded(goal, known, known_law, beyond))
    ahead = known_state + jnp.where(mistaken, 0.0, known_law.step + _moved(known, known_law, by))
    moves = near | lost
    x, state = _either(moves, (known + by, ahead), (s.x, s.state + here.step))
    settled = (off < SETTLED) & (jnp.abs(by) <= SETTLED * jnp.abs(known))
    done = near & (settled | (beyond - jnp.abs(known) <= BRACKETED * jnp.abs(known)))
    off, tries = _either(moves, (0 * off, 0 * s.tries), (off, s.tries + 1))
    return _Search(x, state, off, tries, known, known_state, known_law, beyond, s.steps + 1, done)


def _moved(x: jax.Array, here: Law, by: jax.Array) -> jax.Array:
    """How far the state moves: along a tangent, which at x < 0 is one by log |x|."""
    ratio = jnp.where(x < 0, by / jnp.where(x < 0, x, 1), 0)
    return here.tangent * jnp.where(x < 0, x * jnp.log1p(ratio), by)


def _bounded(goal: Goal, known: jax.Array, here: Law, beyond: jax.Array) -> jax.Array:
    """The next step from an x in range, or half of the way to one beyond."""
    by = _change(goal, known, here, jnp.isfinite(beyond))
    halfway = (jnp.sign(by) * beyond - known) / 2
    return jnp.where(jnp.abs(known + by) < beyond, by, halfway)


def _either(condition: jax.Array, yes, no):
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def _relative(step: jax.Array, state: jax.Array) -> jax.Array:
    """By what share the numbers still change: of the largest of their kind."""
    size = jnp.abs(state).max(0)
    share = jnp.abs(step).max(0) / jnp.where(size > 0, size, 1)
    return jnp.where(size > 0, share, 0).max()
