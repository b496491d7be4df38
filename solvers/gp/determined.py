r"""One equation that its conditions determine, with numbers that observations have to tell.

For numbers θ the equation has one solution $u(\theta)$, which Newton–Krylov steps find without the dense matrices of
the joint posterior. Gauss–Newton steps on $y = h(u(\theta)) + \epsilon$, halved until the misfit falls, give the
numbers and, by the inverse of the normal equations, their standard errors (Laplace's approximation; θ is nearly flat
beforehand). The spectra are learned at the numbers so far, and again where they do less well at those found. The field
is in doubt about what the equation is in doubt about, and about the numbers: $\partial u/\partial\theta$ times their
errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from scipy.linalg import solve_triangular

from sciml.galerkin.statement import Statement
from sciml.galerkin.systems import System
from sciml.problem import Problem
from sciml.solver import Run
from solvers.gp.attempts import RESOLVED, Attempt, attempt, solve_best
from solvers.gp.candidates import FARTHEST, FLAT, central_differences, first_guesses, stated
from solvers.gp.deviation import Doubt, doubt
from solvers.gp.outcome import exact_deviation
from solvers.gp.representation import IndependentErrors
from solvers.gp.scattered import Measurements, stated_noise

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

_MOST_ROUNDS = 5
_MOST_STEPS = 20
_LEAST_DAMPING = 1 / 64
_WITHIN_ERROR = 1e-2


@final
@dataclass(frozen=True, eq=False)
class Determined:
    """A solution and the numbers of its equation.

    Attributes:
        best: the solution with these numbers.
        raw: weights of the numbers, `(p,)`.
        spread: their standard errors, `(p,)`.
        columns: change of the coefficients C with independent unit doubts of the numbers, `(*ranks, p)`.
        noise: root mean square of the observations' standard deviations, found or given.
        misfit: root mean square of $(y - h(u))/\\sigma$.
        settled: whether the steps ended at a minimum.
        iterations: steps, in all spaces.
    """

    best: Attempt
    raw: np.ndarray
    spread: np.ndarray
    columns: np.ndarray
    noise: float
    misfit: float
    settled: bool
    iterations: int

    @property
    def doubt(self) -> Doubt:
        """Of the equation and of the numbers."""
        own = doubt(self.best)
        if self.raw.size == 0 or own.deviation is None:
            return own
        numbers = exact_deviation(self.best.discrete, self.columns)
        return Doubt(IndependentErrors((own.deviation, numbers)), own.noise, own.relative)


def determine(problem: Problem, solver: KroneckerGP, run: Run) -> Determined | None:
    """Solve a determined equation and find its unknown numbers; None if it has no solution with the first guesses."""
    raw, found = first_guesses(problem), None
    for _ in range(_MOST_ROUNDS):
        best = solve_best(Statement(stated(problem, raw)), solver, run)
        if not best.result.has_solution:
            return found
        fresh = _fitted(_Model(problem, solver, run, best), raw)
        found = fresh if found is None else replace(fresh, iterations=found.iterations + fresh.iterations)
        raw = found.raw
        if run.is_over or found.best.certificate.worst <= max(best.certificate.worst, RESOLVED):
            break
    return found


@final
@dataclass(frozen=True, eq=False)
class _Model:
    """Observations as a function of the numbers, in the spaces of a solution."""

    problem: Problem
    solver: KroneckerGP
    run: Run
    first: Attempt

    def solution(self, raw: np.ndarray, near: Attempt) -> Attempt:
        """The solution with given numbers, close to another one."""
        statement, counts = Statement(stated(self.problem, raw)), self.first.discrete.shape
        return attempt(statement, self.first.spectra, self.solver, self.run, near, counts)

    def off(self, found: Attempt) -> np.ndarray:
        """$h(u) - y$."""
        discrete = found.discrete
        system = System((discrete,), tuple(s.basis.vectors for s in discrete.spaces))
        return np.concatenate([Measurements(system, o).misfit([found.coefficients]) for o in self.problem.observations])

    def slopes(self, near: Attempt, raw: np.ndarray) -> list[np.ndarray]:
        """Derivatives of `off` and of the coefficients with respect to the weights, at a solution."""

        def readings(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            found = self.solution(raw, near)
            return self.off(found), found.coefficients

        return central_differences(readings, raw)

    def noise(self, off: np.ndarray, numbers: int) -> np.ndarray:
        """Standard deviations as stated; where they are not, the size of the misfit for the degrees of freedom left."""
        stated = stated_noise(self.problem)
        unknown = np.isnan(stated)
        left = max(int(unknown.sum()) - numbers, 1)
        size = max(float(np.sqrt(np.sum(off[unknown] ** 2) / left)), np.finfo(float).tiny)
        return np.where(unknown, size, stated)


def _fitted(model: _Model, raw: np.ndarray) -> Determined:
    """The numbers of least misfit."""
    best = model.first
    off, settled, flat = model.off(best), raw.size == 0, np.eye(raw.size) / FLAT
    slopes, inverse, sigma = np.zeros((*best.coefficients.shape, 0)), flat, model.noise(off, 0)
    steps = 0
    while not settled and steps < _MOST_STEPS:
        steps += 1
        design, slopes = model.slopes(best, raw)
        if not np.isfinite(design).all():
            break
        sigma = model.noise(off, raw.size)
        rows = np.concatenate([design / sigma[:, None], flat])
        inverse = solve_triangular(np.linalg.qr(rows, mode="r"), np.eye(raw.size))
        step = -inverse @ (inverse.T @ (rows.T @ np.concatenate([off / sigma, raw / FLAT])))
        settled = bool(np.all(np.abs(step) <= _WITHIN_ERROR * np.linalg.norm(inverse, axis=1)))
        moved = None if settled or model.run.is_over else _lower(model, best, sigma, raw, step)
        if moved is None:
            break
        raw, best, off = moved
    misfit = float(np.sqrt(np.mean((off / sigma) ** 2)))
    spread, noise = np.linalg.norm(inverse, axis=1), float(np.sqrt(np.mean(sigma**2)))
    return Determined(best, raw, spread, slopes @ inverse, noise, misfit, settled, steps)


def _lower(
    model: _Model, best: Attempt, sigma: np.ndarray, raw: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, Attempt, np.ndarray] | None:
    """The longest of some fractions of a step that lowers the misfit, with its solution; None if none does."""

    def loss(raw: np.ndarray, off: np.ndarray) -> float:
        return float(np.sum((off / sigma) ** 2) + np.sum((raw / FLAT) ** 2))

    before = loss(raw, model.off(best))
    damping = min(1.0, FARTHEST / float(np.abs(step).max()))
    while damping >= _LEAST_DAMPING:
        fresh = model.solution(raw + damping * step, best)
        if fresh.result.has_solution:
            off = model.off(fresh)
            if loss(raw + damping * step, off) < before:
                return raw + damping * step, fresh, off
        damping /= 2
    return None
