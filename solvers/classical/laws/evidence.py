r"""How rough a law is, and how noisy the data, from the evidence of the data linearised about a law.

With $y\approx F(c_0)+J(c-c_0)+\epsilon$, $\epsilon\sim N(0,\Sigma)$ and $c\sim N(0,Q^{-1})$ the mode, its curvature
$A=J^\top\Sigma^{-1}J+Q$ and

$$-2\log p(y) = |y-Jc|^2_\Sigma + c^\top Qc + \log|\Sigma| + \log|A| - \log|Q| + n\log2\pi$$

are closed forms. $Q=K/\tau^2+L$, where K measures $\int g''^2$ and L holds level and slope of g to order one.

Source: D. J. C. MacKay, Bayesian interpolation, doi:10.1162/neco.1992.4.3.415.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

ROUGHNESSES = 10.0 ** np.arange(0, 4.01, 0.25)
"""Values of τ that are thought possible, each as likely as any other: a law bends by about its own size, or more."""
_SWEEPS = 3
_NOISE_STEPS = 20


@final
@dataclass(frozen=True, eq=False)
class Prior:
    """Precision of the coefficients of one law.

    Attributes:
        bend: K.
        line: L.
    """

    bend: Float[np.ndarray, "m m"]
    line: Float[np.ndarray, "m m"]

    def precision(self, roughness: float) -> Float[np.ndarray, "m m"]:
        """Q for a roughness τ."""
        return self.bend / roughness**2 + self.line


@final
@dataclass(frozen=True, eq=False)
class Linearised:
    """Data about a law.

    Attributes:
        J: derivatives of the predictions, `(n, m)`.
        target: $y-F(c_0)+Jc_0$, `(n,)`.
        noise: standard deviation of each value, or a first guess of it, `(n,)`.
        groups: for each observation whose noise is unknown, the mask of its values.
        priors: one a law, in the order of the coefficients.
    """

    J: Float[np.ndarray, "n m"]
    target: Float[np.ndarray, " n"]
    noise: Float[np.ndarray, " n"]
    groups: tuple[np.ndarray, ...]
    priors: tuple[Prior, ...]


@final
@dataclass(frozen=True, eq=False)
class Posterior:
    """The linearised posterior with one choice of roughness.

    Attributes:
        mean: of the coefficients.
        root: R with covariance R Rᵀ.
        precision: Q.
        roughness: τ of each law.
        noise: standard deviation of each value.
        evidence: log p(y).
        determined: how many numbers the data determine, $m-\\operatorname{tr}A^{-1}Q$.
    """

    mean: Float[np.ndarray, " m"]
    root: Float[np.ndarray, "m m"]
    precision: Float[np.ndarray, "m m"]
    roughness: tuple[float, ...]
    noise: Float[np.ndarray, " n"]
    evidence: float
    determined: float


def most_likely(data: Linearised) -> Posterior:
    """The posterior with the roughness, and the unknown noise, of largest evidence."""
    chosen = [float(ROUGHNESSES[len(ROUGHNESSES) // 2])] * len(data.priors)
    best: Posterior | None = None
    for _ in range(1 if len(chosen) == 1 else _SWEEPS):
        for k in range(len(chosen)):
            tried = [posterior(data, (*chosen[:k], float(tau), *chosen[k + 1 :])) for tau in ROUGHNESSES]
            best = max(tried, key=lambda p: p.evidence)
            chosen = list(best.roughness)
    assert best is not None
    return best


def averaged(data: Linearised) -> Posterior:
    """The posterior averaged over the roughness of every law, each weighted by its evidence.

    The band is wider than that of the likeliest roughness, and honest where few data bear the choice.
    """
    tried = [posterior(data, tau) for tau in itertools.product(map(float, ROUGHNESSES[::2]), repeat=len(data.priors))]
    evidence = np.array([p.evidence for p in tried])
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    best = tried[int(np.argmax(evidence))]
    mean = sum(w * p.mean for w, p in zip(weights, tried, strict=True))
    covariance = sum(
        w * (p.root @ p.root.T + np.outer(p.mean - mean, p.mean - mean)) for w, p in zip(weights, tried, strict=True)
    )
    level = float(evidence.max() + np.log(np.mean(np.exp(evidence - evidence.max()))))
    logs = sum(w * np.log(p.roughness) for w, p in zip(weights, tried, strict=True))
    return Posterior(
        mean=np.asarray(mean),
        root=np.linalg.cholesky(covariance),
        precision=best.precision,
        roughness=tuple(float(v) for v in np.exp(logs)),
        noise=best.noise,
        evidence=level,
        determined=float(sum(w * p.determined for w, p in zip(weights, tried, strict=True))),
    )


def posterior(data: Linearised, roughness: Sequence[float]) -> Posterior:
    """The posterior for one choice of roughness; unknown noise by MacKay's fixed point."""
    Q = _diagonal([p.precision(tau) for p, tau in zip(data.priors, roughness, strict=True)])
    noise = data.noise.copy()
    found = _given(data, Q, noise)
    for _ in range(_NOISE_STEPS if data.groups else 0):
        left = data.target - data.J @ found.mean
        before = noise.copy()
        for own in data.groups:
            free = np.sum(own) - float(np.sum((data.J[own] @ found.root) ** 2)) / noise[own][0] ** 2
            noise[own] = np.sqrt(np.sum(left[own] ** 2) / max(free, 1.0))
        found = _given(data, Q, noise)
        if np.allclose(noise, before, rtol=1e-3):
            break
    size = len(data.target)
    rss = float(np.sum(((data.target - data.J @ found.mean) / noise) ** 2)) + float(found.mean @ Q @ found.mean)
    minus_two = rss + 2 * np.sum(np.log(noise)) + size * np.log(2 * np.pi)
    minus_two += -2 * _log_determinant(found.root) - np.linalg.slogdet(Q)[1]
    determined = Q.shape[0] - float(np.sum(found.root * (Q @ found.root)))
    return Posterior(found.mean, found.root, Q, tuple(roughness), noise, -0.5 * float(minus_two), determined)


@final
@dataclass(frozen=True, eq=False)
class _Mode:
    mean: np.ndarray
    root: np.ndarray


def _given(data: Linearised, Q: np.ndarray, noise: np.ndarray) -> _Mode:
    W = data.J / noise[:, None]
    factor = np.linalg.cholesky(W.T @ W + Q)
    root = np.linalg.solve(factor, np.eye(len(Q))).T
    return _Mode(root @ (root.T @ (W.T @ (data.target / noise))), root)


def _log_determinant(root: np.ndarray) -> float:
    """Logarithm of the determinant of a triangular matrix with a positive diagonal."""
    return float(np.sum(np.log(np.diag(root))))


def _diagonal(blocks: Sequence[np.ndarray]) -> np.ndarray:
    size = sum(len(b) for b in blocks)
    whole, start = np.zeros((size, size)), 0
    for b in blocks:
        whole[start : start + len(b), start : start + len(b)] = b
        start += len(b)
    return whole
