"""The law of the bulk as theory.md section 11 has it, in plain NumPy; and sampled networks.

Nothing here is shared with the package but the order parameters of the recursion, which have tests
of their own, and the classes of backward weights.
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from meanfield.spec.network import Network
from meanfield.theory.white_noise.backward_weights import BINS, backward_weights

FUNCTIONS = {
    "tanh": (np.tanh, lambda u: 1 - np.tanh(u) ** 2),
    "relu": (lambda u: np.maximum(u, 0), lambda u: (u > 0).astype(float)),
    "linear": (lambda u: u, np.ones_like),
}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(120)
ZETA = np.linspace(-7, 7, 141)
SHARES = np.exp(-(ZETA**2) / 2) / np.exp(-(ZETA**2) / 2).sum()


@dataclass(frozen=True)
class Layer:
    """The kinds of units of a hidden layer, as matrices: n kinds."""

    share: np.ndarray
    forward: np.ndarray  # (a, s γ c)
    back: np.ndarray  # s p
    noise: np.ndarray  # N
    times: int  # C

    def matrices(self, U, V, x):
        """B of every kind."""
        B = self.forward[:, :, None] * self.forward[:, None, :] * U + self.noise * x
        B[:, 1, 1] += self.times * self.back**2 * V
        return B

    def potential(self, U, t_d, V, t_h, x):
        """−E log det(I − B t)."""
        B = self.matrices(U, V, x)
        return -self.share @ np.log(np.linalg.det(np.eye(2) - B * np.array([t_h, t_d])))


@dataclass(frozen=True)
class Reference:
    """What the law rests on."""

    widths: np.ndarray
    samples: float
    weight_var: float
    layers: list  # from l = 1
    theta: np.ndarray  # θ_1..θ_L
    eta: np.ndarray  # η_0..η_{L−1}
    mixes: np.ndarray  # of the layers 0..L−1
    rest: float

    def transform(self, x):
        """R(x), by plain iteration from zero."""
        M, T, w, L = self.widths, self.samples, self.weight_var, len(self.widths)
        U, V, t_h, t_d = (np.zeros(L + 1) for _ in range(4))
        for _ in range(20_000):
            before = np.concatenate([U, V, t_h, t_d])
            U_, V_, h_, d_ = (np.zeros(L + 1) for _ in range(4))
            h_[:L], d_[:L] = self.theta, self.eta
            total = self.rest + M[0] * t_h[0] / (1 - t_h[0] * T * x)
            U_[1] = w * T * x / (1 - t_h[0] * T * x)
            for at, layer in enumerate(self.layers, start=1):
                t = np.diag([t_h[at], t_d[at]])
                B = layer.matrices(U[at], V[at], T * x)
                S = t @ np.linalg.inv(np.eye(2) - B @ t)
                passed = B @ np.linalg.inv(np.eye(2) - t @ B)
                along = np.einsum("ni,nij,nj->n", layer.forward, S, layer.forward)
                mean = layer.share.dot
                total += M[at] * mean(np.trace(S @ layer.noise, axis1=1, axis2=2))
                U_[at + 1] = w * mean(passed[:, 0, 0])
                h_[at - 1] += w * M[at] / M[at - 1] * mean(along)
                if at + 1 < L and not self.mixes[at + 1]:
                    d_[at + 1] += w * layer.times * mean(layer.back**2 * S[:, 1, 1])
                if at > 1 and not self.mixes[at]:
                    V_[at - 1] = w * M[at] / M[at - 1] * mean(passed[:, 1, 1])
            U_[L:] = 0
            U, V, t_h, t_d = U_, V_, h_, d_
            after = np.concatenate([U, V, t_h, t_d])
            if np.abs(after - before).max() < 1e-13 * np.abs(after).max():
                return total
        raise AssertionError("the iteration does not settle")


def reference(network: Network, samples: float, solution, bins: int = BINS) -> Reference:
    """The law's premises at the order parameters of a solution."""
    w, M, C, T = network.weight_var, np.array(network.widths, float), network.outputs, samples
    names, L = network.norms, network.depth
    f, slope = FUNCTIONS[network.activation.name]
    same, gap = solution.layers.S.same, solution.layers.S.gap
    q_st = np.append(0.0, solution.layers.Q.same - solution.layers.Q.gap)
    q_tilde = solution.backward.same - solution.backward.gap
    q_tilde = np.append(q_tilde[:-1], solution.backward.same[-1]) / solution.backward.same[-1]
    mixes = np.array([False, *(name in ("mean", "batch") for name in names[:-1]), False])
    layers, own, above = [None] * L, np.zeros(L + 1), 0.0
    scale, kinds_of, q_hat_gap = np.ones(L), [None] * L, np.ones(L)
    for at in range(1, L):
        g, q = gap[at - 1], same[at - 1]
        s = {"batch": g**-0.5, "layer": q**-0.5, "rms": q**-0.5}.get(names[at - 1], 1.0)
        cross = 0.0 if mixes[at] else max(q - g, 0.0) * s**2  # without biases it is rounding
        carried = w * q_hat_gap[at - 1]  # g, but for the −g/T of a norm over samples
        kinds_of[at] = _kinds(f, slope, np.sqrt(cross) * ZETA, g, s, carried)
        scale[at], q_hat_gap[at] = s, SHARES @ kinds_of[at][0]["v"]
    for at in range(L - 1, 0, -1):
        s, (kinds, square) = scale[at], kinds_of[at]
        seen = 0.0 if mixes[at + 1] else above
        layers[at] = _layer(kinds, s, w * q_tilde[at] / M[at], w * seen / M[at], C, (M[at], bins))
        p2 = SHARES @ kinds["p"] ** 2
        above = own[at] = s**2 * w * (q_tilde[at] * (square - p2) + seen * square)
    theta = q_tilde / T
    eta = np.where(mixes[:L], 0, (np.append(0, M[:-1]) * np.append(0, q_st[:-1]) + 1) / T)
    eta[0] = 0
    gathered = theta @ (M * q_hat_gap) + eta @ own[:L]
    rest = solution.K.gap / T - gathered
    return Reference(M, T, w, layers[1:], theta, eta, mixes, rest)


def _kinds(f, slope, mean, g, s, carried):
    """Averages at every mean, by Gauss–Legendre on either side of a kink at u = 0."""
    root = s * np.sqrt(g)
    kink = np.clip(-mean / root, -9, 9)[:, None]
    low, high = (kink + 9) / 2, (9 - kink) / 2
    z = np.concatenate([low * (NODES + 1) - 9, high * (NODES + 1) + kink], axis=1)
    weight = np.concatenate([low * WEIGHTS, high * WEIGHTS], axis=1)
    weight = weight * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    u = mean[:, None] + root * z
    E = lambda y: (weight * y).sum(1)  # noqa: E731
    phi, dphi = f(u), slope(u)
    p, a, c = E(dphi), s * E(phi * z) / root, s * E(dphi * z) / root
    v, V = E(phi**2) - E(phi) ** 2, E(dphi**2) - p**2
    covariance = E(phi * dphi) - E(phi) * p
    kinds = {"p": p, "a": a, "c": c, "v": v, "V": V}
    kinds |= {"b2": v - a**2 * carried, "d2": V - c**2 * carried}
    kinds |= {"k": covariance - a * c * carried}
    return kinds, SHARES @ E(dphi**2)


def _layer(kinds, s, square, above, C, classes):
    """Every value of ζ with every value of γ, and the C − 1 directions without backward signal."""
    chi, probability = backward_weights(C, *classes)
    k = {name: np.repeat(values, len(chi)) for name, values in kinds.items()}
    gamma = np.tile(np.sqrt(square * chi), len(ZETA))
    share = np.outer(SHARES, probability).ravel() / C
    N_22 = s**2 * (gamma**2 * k["d2"] + C * k["V"] * above)
    parts = [(share, k["a"], s * gamma * k["c"], s * k["p"], k["b2"], s * gamma * k["k"], N_22)]
    if C > 1:
        none = np.zeros(len(ZETA))
        parts.append((SHARES * (1 - 1 / C), kinds["a"], none, none, kinds["b2"], none, none))
    share, a, e, back, b2, sgk, N_22 = (np.concatenate(x) for x in zip(*parts, strict=True))
    noise = np.moveaxis(np.array([[b2, sgk], [sgk, N_22]]), -1, 0)
    return Layer(share, np.stack([a, e], axis=1), back, noise, C)


def fan_and_wang(z, rest, weights, own, passed, ratios):
    """m(z) of r I + Σ_l c_l X_lᵀX_l (arXiv 2005.11879), X_l of covariance own_l + passed_l X_{l−1}.

    Args:
        z: Right of the spectrum.
        rest, weights: r, and c_l of the layers from the inputs up.
        own, passed: What a layer's covariance has of the identity and of the layer before.
        ratios: n/d_l.
    """

    def t(at, z, w):
        if at < 0:
            return w[0] / z[0]
        here = np.zeros(at + 1)
        here[0], here[-1] = own[at], passed[at] if at else own[at]
        s = 1 / z[-1]
        for _ in range(10_000):
            last, s = s, 1 / z[-1] + ratios[at] * t(at - 1, z[:-1] + here / s, here)
            if abs(s - last) < 1e-14 * abs(s):
                break
        before = z[:-1] + here / s
        return w[-1] / z[-1] + t(at - 1, before, w[:-1] - w[-1] / z[-1] * z[:-1])

    at = np.append(rest - z, weights)
    return t(len(weights) - 1, at, np.append(1.0, np.zeros(len(weights))))


class Sampled(NamedTuple):
    """Of every network: λ_max, tr F², and B."""

    largest: np.ndarray
    trace_squared: np.ndarray
    common: np.ndarray


@cache
def sampled(network: Network, samples: int, draws: int, seed: int) -> Sampled:
    """Networks of one output, without hidden norms."""
    rng, norm = np.random.default_rng(seed), network.norms[-1]
    F = np.array([_normalized(norm, *_kernel(network, samples, rng)) for _ in range(draws)])
    F = F / samples
    apart = F.sum((1, 2)) - np.trace(F, axis1=1, axis2=2)
    v = rng.standard_normal((draws, samples))
    for _ in range(300):  # power iteration: without a library whose threads wait for each other
        v = np.einsum("nst,nt->ns", F, v)
        size = np.linalg.norm(v, axis=1)
        v /= size[:, None]
    return Sampled(size, (F**2).sum((1, 2)), apart / (samples - 1))


def _kernel(network, samples, rng):
    """K and the outputs before the last norm."""
    f, slope = FUNCTIONS[network.activation.name]
    h = rng.standard_normal((samples, network.widths[0]))
    weights, signals, slopes = [], [h], []
    for inputs, units in network.layers:
        W = rng.standard_normal((units, inputs)) * np.sqrt(network.weight_var / inputs)
        u = h @ W.T + rng.standard_normal(units) * np.sqrt(network.bias_var)
        h = f(u)
        weights.append(W)
        signals.append(h)
        slopes.append(slope(u))
    delta, K = np.ones((samples, 1)), 0.0
    for at in reversed(range(network.depth)):
        K = K + (signals[at] @ signals[at].T + 1) * (delta @ delta.T)
        delta = (delta @ weights[at]) * (slopes[at - 1] if at else 1)
    return K, u[:, 0]


def _normalized(norm, K, u):
    """What the last norm leaves of K: batch norm projects out what is along the outputs, too."""
    centre, apart = np.eye(len(u)) - 1 / len(u), u - u.mean()
    along = np.outer(apart, apart) / (apart @ apart)
    project = {"none": np.eye(len(u)), "mean": centre, "batch": centre - along}[norm]
    return project @ K @ project / (u.var() if norm == "batch" else 1)
