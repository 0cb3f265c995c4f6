"""Problems with known answers: printed anchors, and Gaussian averages to any precision.

The averages are taken by routes that the package does not use: textbook covariances
E[φ(u_s) φ(u_t)] at 21 digits or more, so that a gap may be formed by subtraction.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from mpmath import mp, mpf

from meanfield.spec.network import Network

TANH = {"activation": "tanh", "weight_var": 3.0, "bias_var": 0.64}
RELU = {"activation": "relu", "weight_var": 2.0, "bias_var": 0.1}
LINEAR = {"activation": "linear", "weight_var": 1.0, "bias_var": 0.1}


@dataclass(frozen=True)
class Anchor:
    """κ₁ and κ₂ of a plain network of three equally wide layers, as digits in print."""

    setting: dict
    kappa1: str
    kappa2: str


# Linear by hand: q̂ = 1, 1.1, 1.2 and 0, 0.1, 0.2, every q̃ = 1, α = 2. ReLU's κ₁ likewise.
ANCHORS = {
    "tanh": Anchor(TANH, "0.955521904183", "0.118615372063"),
    "relu": Anchor(RELU, "1.575", "0.4014942173"),
    "linear": Anchor(LINEAR, "1.65", "0.15"),
}


@dataclass(frozen=True)
class Row:
    """A row of theory.md section 10: widths in units of 300, T = 300, predictions in print."""

    setting: dict
    norms: str
    outputs: int
    ratios: tuple[float, ...]
    largest: str
    mean: str

    @property
    def network(self) -> Network:
        """The row's network."""
        return Network(
            widths=[int(300 * r) for r in self.ratios],
            norms=self.norms.split(),
            outputs=self.outputs,
            **self.setting,
        )


_3, _4, _5 = (1,) * 3, (1,) * 4, (1,) * 5
SECTION_10 = [
    Row(TANH, "none none none", 1, _3, "75.2", ".00318"),
    Row(TANH, "none batch none none none", 1, _5, "113.2", ".00232"),
    Row(TANH, "none none batch none none", 1, (1, 2, 1, 0.5, 1), "51.4", ".00246"),
    Row(TANH, "layer layer layer none", 1, _4, "115.7", ".00128"),
    Row(TANH, "layer batch layer none", 2, _4, "41.2", ".00325"),
    Row(RELU, "none mean none", 1, _3, "68.5", ".00394"),
    Row(RELU, "batch batch none", 1, _3, "50.1", ".00289"),
    Row(RELU, "none batch none none none", 1, _5, "206.0", ".00240"),
    Row(RELU, "layer batch layer none", 2, _4, "110.8", ".00459"),
    Row(TANH, "none none mean", 1, _3, "6.04", ".00277"),
    Row(RELU, "none none batch", 2, _3, "8.73", ".00750"),
]


def assert_printed(value: float, digits: str) -> None:
    """`value` rounds to the printed digits: half a unit of the last one is the tolerance."""
    half_a_unit = 0.5 * 10.0 ** Decimal(digits).as_tuple().exponent
    assert abs(value - float(digits)) <= half_a_unit * (1 + 1e-9)


def relative_error(value: float, exact) -> float:
    """|value/exact − 1|, in the reference's precision; an exact zero must be met exactly."""
    return float(abs(mpf(float(value)) / exact - 1)) if exact else float(abs(value))


# φ and φ' at a point; kinked ones are in `reference_averages`.


def _tanh(u):
    f = mp.tanh(u)
    return f, 1 - f * f


def _sigmoid(u):
    f = 1 / (1 + mp.exp(-u))
    return f, f * (1 - f)


def _softplus(u):
    e = mp.exp(-u)
    return mp.log1p(e) + u, 1 / (1 + e)


def _silu(u):
    f = 1 / (1 + mp.exp(-u))
    return u * f, f * (1 + u * (1 - f))


def _gelu(u):
    n = mp.ncdf(u)
    return u * n, n + u * mp.npdf(u)


def _erf(u):
    return mp.erf(u), 2 / mp.sqrt(mp.pi) * mp.exp(-u * u)


def _sin(u):
    return mp.sin(u), mp.cos(u)


SMOOTH = {
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "silu": _silu,
    "gelu": _gelu,
    "erf": _erf,
    "sin": _sin,
}
# How far from the real line each is analytic and below e^5: tanh's pole is at π/2, that of the
# next three at π, and erf grows as e^{y²}.
STRIP = {"tanh": 1.5, "sigmoid": 3, "softplus": 3, "silu": 3, "gelu": 2.5, "erf": 2, "sin": 3}


def _spacing(variance, strip, nats):
    """The step at which a trapezoid sum against N(0, v) errs by e^{−nats}.

    Moving the contour by y costs e^{y²/2v} and gains e^{−2πy/h}; y stays within the strip.
    """
    y = min(mpf(strip), mp.sqrt(2 * nats * variance))
    return 2 * mp.pi * y / (nats + y * y / (2 * variance))


def _lattice(variance, step, nats, bits):
    """Multiples of the step and the Gaussian weights there, as fixed-point integers."""
    if variance == 0:
        return np.array([0]), np.array([1 << bits], dtype=object)
    std = mp.sqrt(variance)
    reach = int(mp.ceil(std * mp.sqrt(2 * nats) / step))
    side = [_fixed(step * mp.npdf(step * i, 0, std), bits) for i in range(reach + 1)]
    return np.arange(-reach, reach + 1), np.array(side[:0:-1] + side, dtype=object)


def _fixed(x, bits):
    return int(mp.ldexp(x, bits))


def lattice_pair(name, q, cross, digits=21):
    """E[φ(u_s) φ(u_t)] and E[φ'(u_s) φ'(u_t)] of a smooth φ, variance q, covariance `cross`.

    Given the common part m ~ N(0, |cross|) the two are independent, u = m + e with
    e ~ N(0, q − |cross|): the average is E_m[F(m) F(±m)], F(m) = E_e[φ(m + e)].
    """
    f, strip = SMOOTH[name], STRIP[name]
    nats = digits * mp.log(10) + 10  # 10: φ² at the edge of its strip
    bits = int((digits + 15) * mp.log(10) / mp.log(2))
    common, own = abs(cross), q - abs(cross)
    step = min(_spacing(v, strip, nats) for v in (common, own) if v > 0)
    stride = max(1, int(_spacing(common, strip, nats) / step)) if common > 0 else 1
    m, m_weight = _lattice(common, stride * step, nats, bits)
    e, e_weight = _lattice(own, step, nats, bits)
    points, place = np.unique(stride * m[:, None] + e, return_inverse=True)
    values = [f(step * int(i)) for i in points]

    def average(which):
        table = np.array([_fixed(v[which], bits) for v in values], dtype=object)
        F = (table[place.reshape(m.size, e.size)] @ e_weight) >> bits
        F_t = F if cross >= 0 else F[::-1]
        return mp.ldexp(mpf(int((m_weight * F * F_t).sum())), -3 * bits)

    return average(0), average(1)


def leaky_pair(a, q, cross):
    """The arc-cosine kernels of max(u, 0) + a min(u, 0), as Cho & Saul (2009) print them."""
    θ = mp.acos(cross / q)
    both_positive = q * (mp.sin(θ) + (mp.pi - θ) * mp.cos(θ)) / (2 * mp.pi)
    opposite = q * (mp.sin(θ) - θ * mp.cos(θ)) / (2 * mp.pi)  # E[u_s⁺ u_t⁻], u⁻ = max(−u, 0)
    value = (1 + a**2) * both_positive - 2 * a * opposite
    return value, ((1 + a**2) * (mp.pi - θ) + 2 * a * θ) / (2 * mp.pi)


def elu_pair(q, cross):
    """ELU's averages: over u_t given u_s in closed form, over u_s numerically."""
    variance = q - cross**2 / q
    s = mp.sqrt(variance)

    def given(m):
        below = mp.exp(m + variance / 2) * mp.ncdf(-(m + variance) / s)
        above = mp.ncdf(m / s)
        return m * above + s * mp.npdf(m / s) + below - (1 - above), above + below

    def own(u):
        return (u, mpf(1)) if u > 0 else (mp.expm1(u), mp.exp(u))

    reach = 11 * mp.sqrt(q)  # the tail beyond: e^{−60}
    if variance == 0:
        edges, given = [-reach, 0, reach], own
    else:  # u_t's sign is undecided within a few s of zero
        near = min(11 * s, reach / 2)
        edges = [-reach, -near, 0, near, reach]

    def average(which):
        def integrand(u):
            return mp.npdf(u, 0, mp.sqrt(q)) * own(u)[which] * given(cross * u / q)[which]

        return mp.quad(integrand, edges, method="gauss-legendre")

    return average(0), average(1)


_NEGATIVE_SLOPES = {"relu": 0, "leaky_relu": mpf("0.01"), "abs": -1}


def reference_averages(name: str, q: float, gap: float, digits: int = 21) -> tuple:
    """E[φ²], its gap, E[φ'²], its gap, as mpmath numbers."""
    with mp.workdps(digits + 15):
        q, cross = mpf(q), mpf(q) - mpf(gap)
        if name == "linear":
            same, pair = (q, mpf(1)), (cross, mpf(1))
        elif name in _NEGATIVE_SLOPES:
            same, pair = (leaky_pair(_NEGATIVE_SLOPES[name], q, c) for c in (q, cross))
        elif name == "elu":
            same, pair = elu_pair(q, q), elu_pair(q, cross)
        else:
            same, pair = (lattice_pair(name, q, c, digits) for c in (q, cross))
        return same[0], same[0] - pair[0], same[1], same[1] - pair[1]


def unequal_pair(name: str, q_s, q_t, cross) -> tuple:
    """E[φ(u_s) φ(u_t)] and E[φ'(u_s) φ'(u_t)] of variances q_s and q_t, in mpmath.

    Leaky functions are homogeneous; Williams' (1997) arcsine kernel; for the sine
    sin u sin v = ½ cos(u − v) − ½ cos(u + v) with E cos x = e^{−Var(x)/2}. GELU by parts: with n
    and N the normal density and distribution, E[u v N N] = q_s E[v n(u) N(v)] + q_st E[N N] +
    q_st E[v N(u) n(v)], each of them from E[n(u) n(v)]; its slope by Price's theorem.
    """
    if name in _NEGATIVE_SLOPES or name == "linear":
        root = mp.sqrt(q_s * q_t)
        value, slope = leaky_pair(_NEGATIVE_SLOPES.get(name, 1), mpf(1), cross / root)
        return root * value, slope
    if name == "erf":
        product = (1 + 2 * q_s) * (1 + 2 * q_t)
        value = 2 / mp.pi * mp.asin(2 * cross / mp.sqrt(product))
        return value, 4 / mp.pi / mp.sqrt(product - 4 * cross**2)
    if name == "gelu":
        root = mp.sqrt((1 + q_s) * (1 + q_t) - cross**2)
        both_below = mpf(1) / 4 + mp.asin(cross / mp.sqrt((1 + q_s) * (1 + q_t))) / (2 * mp.pi)
        densities = 1 / (2 * mp.pi * root)
        by_parts = q_s * (q_t - cross**2 / (1 + q_s)) + cross**2 / (1 + q_t)
        spread = cross * (1 / root**2 + 1 / (1 + q_s) + 1 / (1 + q_t))
        return cross * both_below + by_parts * densities, both_below + spread * densities
    if name == "sin":
        apart, together = (mp.exp(-(q_s + q_t) / 2 + sign * cross) / 2 for sign in (1, -1))
        return apart - together, apart + together
    raise KeyError(name)


def unequal_averages(name: str, q_s: float, q_t: float, gap: float) -> tuple:
    """The gaps of the averages of φ and φ' between samples of variances q_s and q_t, in mpmath."""
    with mp.workdps(50):
        a, b = mpf(q_s), mpf(q_t)
        own = zip(unequal_pair(name, a, a, a), unequal_pair(name, b, b, b), strict=True)
        pair = unequal_pair(name, a, b, (a + b) / 2 - mpf(gap))
        return tuple((x + y) / 2 - z for (x, y), z in zip(own, pair, strict=True))


def trapezoid_gaps(function, q_s: float, q_t: float, gap: float, step=0.04, reach=9.0) -> tuple:
    """½ E[(φ(u_s) − φ(u_t))²] and that of φ' of a smooth φ: a plain double sum.

    Args:
        function: u ↦ (φ(u), φ'(u)), of arrays.
        step, reach: Of the grid of two independent standard normal numbers.
    """
    z = np.arange(-reach, reach + step, step)
    weight = step * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    slope = ((q_s + q_t) / 2 - gap) / np.sqrt(q_s)  # of u_t on z_0
    u_s, u_t = np.sqrt(q_s) * z[:, None], slope * z[:, None] + np.sqrt(q_t - slope**2) * z
    pairs = zip(function(u_s), function(u_t), strict=True)
    return tuple(weight @ (at_s - at_t) ** 2 @ weight / 2 for at_s, at_t in pairs)
