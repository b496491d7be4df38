"""Numbers without JAX: points of places, and values of what is known there, in NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, final

import numpy as np

from sciml.conditions import PlacedCondition
from sciml.domains.box import Box
from sciml.domains.regions import Place
from sciml.expr.evaluation import evaluate
from sciml.expr.nodes import Scalar
from sciml.expr.traverse import atoms
from sciml.known import BoundLaws, known_values
from sciml.problem import Problem

Points = dict[str, np.ndarray]
"""Points by coordinate name, all arrays of one shape `(n,)`."""

SAMPLES = 16
"""Points on a place: enough to see a sign, a jump or a gap, cheap enough to be taken whenever a problem is made."""

EVERYWHERE = Place(())

_PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37])


def place_points(box: Box, place: Place, n: int = SAMPLES) -> Points:
    """The same `n` points at every call, spread over a place by Kronecker's sequence (fractions of k√p, p prime).

    The ends of the intervals are not among them.
    """
    fixed = box.place_values(place)
    k = np.arange(1, n + 1)
    points: Points = {}
    for i, name in enumerate(box.frame.names):
        lower, upper = box.bounds[name]
        spread = np.sqrt(_PRIMES[i % _PRIMES.size]) * (1 + i // _PRIMES.size)
        points[name] = np.full(n, fixed[name]) if name in fixed else lower + (upper - lower) * (k * spread % 1.0)
    return points


def points_of(box: Box, places: Iterable[Place], n: int = SAMPLES) -> Points:
    """`n` points of each place, one place after the other."""
    parts = [place_points(box, place, n) for place in places]
    return {name: np.concatenate([part[name] for part in parts]) for name in box.frame.names}


@final
class Numbers:
    """A problem's numbers, data and functions, ready for NumPy."""

    def __init__(self, problem: Problem):
        arguments = problem.arguments
        self._arguments = arguments.with_parameters({name: float(v) for name, v in arguments.parameters.items()})

    def value(self, e: Scalar, points: Points, given: Mapping[Scalar, np.ndarray] | None = None) -> np.ndarray:
        """Values of a lowered scalar at points.

        Args:
            e: what to evaluate.
            points: where.
            given: values of the field atoms in it.

        Raises:
            ExpressionError: a field atom without a value, or a law without a function.
        """
        known: dict[Any, Any] = {**known_values(atoms(e), points, self._arguments), **(given or {})}
        with np.errstate(all="ignore"):
            value = np.asarray(evaluate(e, known, BoundLaws(self._arguments.laws)), float)
        return np.broadcast_to(value, next(iter(points.values())).shape)

    def datum(self, condition: PlacedCondition, points: Points) -> np.ndarray:
        """Values that a Dirichlet or initial condition gives to its unknown at points.

        Raises:
            ExpressionError: a law without a function.
        """
        with np.errstate(all="ignore"):
            return self.value(condition.data, points) / self.value(condition.alpha, points)
