"""Numbers that a problem leaves open, as weights of order one, and the systems that differ in nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.galerkin.systems import System
from sciml.parameters import UnknownParameters
from sciml.problem import Problem
from sciml.solution import Estimate

_STEP = 1e-4

FARTHEST = 0.7
"""Weights move by no more in one step: numbers by less than a factor of two."""

FLAT = 10.0
"""Standard deviation of weights before anything is observed: that of a number known to within a factor of $e^{10}$."""

Readings = Callable[[np.ndarray], tuple[np.ndarray, ...]]
"""Arrays that depend on the weights."""


def first_guesses(problem: Problem) -> np.ndarray:
    """Weights of the first guesses of a problem's unknown parameters, `(p,)`."""
    return np.zeros(len(problem.unknown_parameters))


def stated(problem: Problem, raw: np.ndarray) -> Problem:
    """The problem with numbers for its unknown parameters.

    A declared exact solution goes: it holds for the true numbers only.
    """
    return problem.replace(exact=None, **_numbers(problem, raw)) if raw.size else problem


def estimates(problem: Problem, raw: np.ndarray, spread: np.ndarray) -> dict[str, Estimate]:
    """Numbers for a problem's unknown parameters, from weights and the standard errors of these."""
    numbers = _numbers(problem, raw)
    starts = UnknownParameters.of(problem.unknown_parameters).starts
    slopes = [numbers[n] if positive else abs(start) or 1.0 for n, start, positive in starts]
    return {n: Estimate(v, abs(float(s * e))) for (n, v), s, e in zip(numbers.items(), slopes, spread, strict=True)}


def _numbers(problem: Problem, raw: np.ndarray) -> dict[str, float]:
    unknown = UnknownParameters.of(problem.unknown_parameters)
    weights = {name: w for (name, _, _), w in zip(unknown.starts, raw, strict=True)}
    return {n: float(v) for n, v in unknown.physical(weights).items()}


@final
@dataclass(frozen=True, eq=False)
class Candidates:
    """The systems of a problem for any values of its unknown parameters.

    Attributes:
        problem: with or without unknown parameters.
        build: the system of a problem whose parameters all have numbers.
    """

    problem: Problem
    build: Callable[[Problem], System]

    def at(self, raw: np.ndarray) -> System:
        """The system with given weights."""
        return self.build(stated(self.problem, raw))


def central_differences(readings: Readings, raw: np.ndarray) -> list[np.ndarray]:
    """Derivatives of readings with respect to weights: one more axis of length p at the end of each."""
    columns = []
    for step in _STEP * np.eye(raw.size):
        above, below = readings(raw + step), readings(raw - step)
        columns.append([(a - b) / (2 * _STEP) for a, b in zip(above, below, strict=True)])
    return [np.stack(each, axis=-1) for each in zip(*columns, strict=True)]
