r"""Unknown parameters of a linear equation by evidence of the observations, with standard errors.

For numbers θ the equation is conditioned on as if they were known; the evidence $p(y \mid \theta)$ of the observations
then says how well they fit. Its maximum is found by Nelder and Mead's simplex from the parameters' first guesses, in
their raw weights of order one; the inverse of the negative logarithm's Hessian there gives the standard errors
(Laplace's approximation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import minimize

from sciml.parameters import UnknownParameters
from sciml.problem import Problem
from sciml.solution import Estimate

_TOLERANCE = 1e-6
_MOST_EVALUATIONS = 200
_FIRST_STEP = 1e-3
_CLEAR = (0.1, 3.0)

Evidence = Callable[[Problem], float]
"""Logarithm of the evidence of a problem's observations."""


@final
@dataclass(frozen=True, eq=False)
class Inference:
    """The problem with its most plausible numbers.

    Attributes:
        problem: with these numbers.
        estimates: of the unknown parameters.
        converged: whether the search ended at a maximum around which the evidence falls.
        evaluations: of the evidence.
    """

    problem: Problem
    estimates: dict[str, Estimate]
    converged: bool
    evaluations: int


def infer(problem: Problem, evidence: Evidence) -> Inference:
    """Maximise the evidence over a problem's unknown parameters."""
    problem = problem.replace(exact=None)  # which holds for the true numbers only
    unknown = UnknownParameters.of(problem.unknown_parameters)
    names = [name for name, _, _ in unknown.starts]

    def numbers(raw: np.ndarray) -> dict[str, float]:
        return {n: float(v) for n, v in unknown.physical(dict(zip(names, raw, strict=True))).items()}

    def loss(raw: np.ndarray) -> float:
        value = -evidence(problem.replace(**numbers(raw)))
        return value if np.isfinite(value) else np.inf

    options = {"xatol": _TOLERANCE, "fatol": _TOLERANCE, "maxfev": _MOST_EVALUATIONS * len(names)}
    simplex = np.vstack([np.zeros(len(names)), 0.1 * np.eye(len(names))])
    found = minimize(loss, simplex[0], method="Nelder-Mead", options={**options, "initial_simplex": simplex})
    best = np.asarray(found.x)
    hessian = curvature(loss, best)
    falls = bool(np.all(np.isfinite(hessian)) and np.linalg.eigvalsh(hessian).min() > 0)
    spread = np.sqrt(np.diag(np.linalg.inv(hessian))) if falls else np.full(len(names), np.nan)
    chosen = numbers(best)
    slopes = [chosen[n] if positive else (abs(start) or 1.0) for n, start, positive in unknown.starts]
    estimates = {
        n: Estimate(chosen[n], abs(float(s * w)) if falls else None)
        for n, s, w in zip(names, slopes, spread, strict=True)
    }
    return Inference(problem.replace(**chosen), estimates, falls and bool(found.success), int(found.nfev))


def curvature(loss: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Hessian by central differences, with steps that change the loss by about one."""
    middle = loss(at)
    steps = np.diag([_clear_step(loss, at, middle, unit) for unit in np.eye(at.size)])
    sizes = np.diag(steps)
    hessian = np.zeros((at.size, at.size))
    for i in range(at.size):
        hessian[i, i] = (loss(at + steps[i]) - 2 * middle + loss(at - steps[i])) / sizes[i] ** 2
        for j in range(i):
            corners = [a * b * loss(at + a * steps[i] + b * steps[j]) for a in (1, -1) for b in (1, -1)]
            hessian[i, j] = hessian[j, i] = sum(corners) / (4 * sizes[i] * sizes[j])
    return hessian


def _clear_step(loss: Callable[[np.ndarray], float], at: np.ndarray, middle: float, unit: np.ndarray) -> float:
    step = _FIRST_STEP
    for _ in range(40):
        rise = (loss(at + step * unit) + loss(at - step * unit)) / 2 - middle
        if _CLEAR[0] <= rise <= _CLEAR[1]:
            break
        step *= 2 if rise < _CLEAR[0] else 0.6
    return step
