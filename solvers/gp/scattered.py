"""Observations of a system at scattered points: values and derivatives of what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import final

import numpy as np

from sciml.expr.evaluation import evaluate
from sciml.expr.linear import linearise
from sciml.expr.lowering import lower
from sciml.expr.nodes import Scalar
from sciml.expr.traverse import atoms, is_unknown
from sciml.galerkin.separable import derivative_orders
from sciml.galerkin.systems import Coefficients, Directions, System
from sciml.known import BoundLaws, known_values
from sciml.observations import Observation
from sciml.problem import Problem


@final
@dataclass(frozen=True, eq=False)
class Measurements:
    """One observation of a system: $y_k = h(u, \\partial u, \\dots, x_k) + \\epsilon_k$.

    Attributes:
        system: the fields' spaces.
        observation: what was measured where.
    """

    system: System
    observation: Observation

    @cached_property
    def expression(self) -> Scalar:
        """The lowered h."""
        return lower(self.observation.expression)[0]

    @cached_property
    def slopes(self) -> dict[Scalar, Scalar]:
        """Derivative of h with respect to each unknown atom."""
        return linearise(self.expression)

    @cached_property
    def tables(self) -> dict[Scalar, tuple[int, np.ndarray]]:
        """Owner of each unknown atom, and its rows over the owner's coefficients."""
        found = {}
        for atom in (a for a in atoms(self.expression) if is_unknown(a)):
            k = self.system.owner(atom)
            f = self.system.fields[k]
            orders = derivative_orders(atom, f.statement.axes)
            each = [
                s.basis.at(np.asarray(self.observation.points[x.name], float), p)[p]
                for s, x, p in zip(f.spaces, f.statement.axes, orders, strict=True)
            ]
            found[atom] = (k, reduce(row_products, each))
        return found

    def _evaluate(self, es: tuple[Scalar, ...], C: Coefficients) -> list[np.ndarray]:
        points = {name: np.asarray(p, float) for name, p in self.observation.points.items()}
        arguments = self.system.fields[0].statement.problem.arguments
        known = known_values([a for a in atoms(*es) if not is_unknown(a)], points, arguments)
        values: Mapping[Scalar, np.ndarray] = {a: np.asarray(v, float) for a, v in known.items()} | {
            a: rows @ C[k].ravel() for a, (k, rows) in self.tables.items()
        }
        made = evaluate(es, values, BoundLaws(arguments.laws))
        return [np.broadcast_to(np.asarray(v, float), self.observation.values.shape) for v in made]

    def misfit(self, C: Coefficients) -> np.ndarray:
        """$h - y$ at every point."""
        return self._evaluate((self.expression,), C)[0] - self.observation.values

    def jacobian(self, C: Coefficients, directions: Directions) -> np.ndarray:
        """Derivative of h at every point with respect to the amounts of directions."""
        starts = np.cumsum([0, *(int(np.prod([m.shape[1] for m in own])) for own in directions)])
        J = np.zeros((self.observation.values.size, starts[-1]))
        for atom, slope in zip(self.slopes, self._evaluate(tuple(self.slopes.values()), C), strict=True):
            k, rows = self.tables[atom]
            if k >= len(directions):
                continue
            J[:, starts[k] : starts[k + 1]] += slope[:, None] * (rows @ reduce(np.kron, directions[k]))
        return J


def row_products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Every product of two functions, at the same points: $(n, p), (n, q) \\to (n, pq)$."""
    return (left[:, :, None] * right[:, None, :]).reshape(left.shape[0], -1)


def stated_noise(problem: Problem) -> np.ndarray:
    """Standard deviation of every observed value, one after the other; NaN where none is stated."""
    each = [(np.nan if o.noise is None else o.noise, o.values.shape) for o in problem.observations]
    return np.concatenate([np.broadcast_to(np.asarray(s, float), shape) for s, shape in each])
