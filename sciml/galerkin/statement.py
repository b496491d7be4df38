"""A problem as a projection method reads it: an equation and an unknown on a box, its conditions as rows on faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.regions import Side
from sciml.expr.evaluation import evaluate
from sciml.expr.linear import Split, linearise, split
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.traverse import atoms, coordinates_of, is_unknown, scalar_leaf
from sciml.galerkin.separable import derivative_orders
from sciml.galerkin.spaces import FaceRow
from sciml.known import BoundLaws, known_values
from sciml.problem import Problem

AxisPoints = Sequence[np.ndarray]
"""Points along each axis; together they span a tensor grid."""

ON_FACES = {
    ConditionKind.DIRICHLET,
    ConditionKind.NEUMANN,
    ConditionKind.ROBIN,
    ConditionKind.INITIAL,
    ConditionKind.INITIAL_RATE,
}
"""Kinds of conditions that are a row over the basis of one axis."""


@final
@dataclass(frozen=True)
class FaceCondition:
    """A condition on one face, with its data.

    Attributes:
        axis: number of the axis that the face is an end of.
        row: the condition along that axis.
        data: right-hand side, an expression of the other coordinates.
    """

    axis: int
    row: FaceRow
    data: Scalar


@final
@dataclass(frozen=True, eq=False)
class Statement:
    """One scalar equation $e(u, \\partial u, \\dots, x) = 0$ on a box; of a system, the part of one of its unknowns.

    Attributes:
        problem: what was stated.
        interval: the slab of the time axis that is looked at; None for all of it.
        before: derivative in time of a given order, at the start of the slab, of the solution before it, on a tensor
            grid: it takes the place of the initial data. None on the first slab.
        index: of the scalar unknown, whose conditions and derivatives these are, and of its equation.
    """

    problem: Problem
    interval: tuple[float, float] | None = None
    before: Callable[[int, AxisPoints], np.ndarray] | None = None
    index: int = 0

    @property
    def axes(self) -> tuple[Coordinate, ...]:
        """Coordinates, one an axis."""
        return self.problem.coordinates

    @property
    def unknown(self) -> Scalar:
        """The scalar unknown."""
        return self.problem.unknowns[self.index]

    @property
    def residual(self) -> Scalar:
        """The lowered residual e."""
        return self.problem.residuals[self.index]

    @cached_property
    def parts(self) -> Split:
        """Linear part, source and nonlinear rest."""
        return split(self.residual)

    @cached_property
    def slopes(self) -> dict[Scalar, Scalar]:
        """Derivative of the residual with respect to each unknown atom."""
        return linearise(self.residual)

    @cached_property
    def unknown_atoms(self) -> tuple[Scalar, ...]:
        """The unknown and its derivatives, as far as they occur in any equation."""
        return tuple(a for a in atoms(*self.problem.residuals) if scalar_leaf(a) == self.unknown)

    @cached_property
    def orders(self) -> tuple[int, ...]:
        """Highest derivative along each axis."""
        each = [derivative_orders(a, self.axes) for a in self.unknown_atoms]
        return tuple(max(o[k] for o in each) for k in range(len(self.axes)))

    def bounds(self, axis: int) -> tuple[float, float]:
        """Ends of an axis."""
        if self.interval is not None and self.axes[axis].is_time:
            return self.interval
        return self.problem.box.bounds[self.axes[axis].name]

    def is_periodic(self, axis: int) -> bool:
        """Whether an axis repeats."""
        return self.axes[axis].name in self.problem.box.periodic

    @cached_property
    def faces(self) -> tuple[FaceCondition, ...]:
        """Conditions on the unknown on faces, in the order of the axes; initial values before initial rates."""
        mine = [c for c in self.problem.placed_conditions if is_face_row(c) and c.unknown == self.unknown]
        kinds = sorted(mine, key=lambda c: c.kind is ConditionKind.INITIAL_RATE)
        return tuple(sorted((self._face(c) for c in kinds), key=lambda f: f.axis))

    def _face(self, condition: PlacedCondition) -> FaceCondition:
        place = condition.place
        assert place.axis is not None  # `check` has seen to it
        axis = next(k for k, x in enumerate(self.axes) if x.name == place.axis.name)
        alpha, gamma = self.number(condition.alpha), self.number(condition.gamma)
        is_rate = condition.kind is ConditionKind.INITIAL_RATE
        row = FaceRow(self.bounds(axis)[place.side is Side.UPPER], (0.0, alpha) if is_rate else (alpha, gamma))
        return FaceCondition(axis, row, condition.data)

    def rows(self, axis: int) -> tuple[FaceRow, ...]:
        """Condition rows of an axis."""
        return tuple(f.row for f in self.faces if f.axis == axis)

    def number(self, e: Scalar) -> float:
        """Value of an expression that depends on no coordinate."""
        return float(self.evaluate((e,), [np.zeros(1)] * len(self.axes))[0].reshape(()))

    def trace(self, face: FaceCondition, points: AxisPoints) -> np.ndarray:
        """Data of a condition on the tensor grid of the other axes; its own axis has length 1."""
        there = [np.array([face.row.position]) if k == face.axis else p for k, p in enumerate(points)]
        shape = [p.size for p in there]
        if self.before is not None and self.axes[face.axis].is_time:
            parts = [c * self.before(p, there) for p, c in enumerate(face.row.coefficients) if c]
            return np.broadcast_to(sum(parts, start=np.zeros(shape)), shape)
        return np.broadcast_to(self.evaluate((face.data,), there)[0], shape).astype(float)

    def evaluate(
        self, es: Sequence[Scalar], points: AxisPoints, unknown: Mapping[Any, np.ndarray] | None = None
    ) -> list[np.ndarray]:
        """Values of lowered expressions on a tensor grid; each broadcasts to the grid's shape.

        Args:
            es: expressions.
            points: points along each axis.
            unknown: values of the unknown atoms.
        """
        dimension = len(self.axes)
        mesh = {
            x.name: np.reshape(p, [-1 if j == k else 1 for j in range(dimension)])
            for k, (x, p) in enumerate(zip(self.axes, points, strict=True))
        }
        needed = [a for a in atoms(*es) if not is_unknown(a)]
        known = known_values(needed, mesh, self.problem.arguments)
        values = {atom: np.asarray(v, float) for atom, v in known.items()} | dict(unknown or {})
        laws = BoundLaws(self.problem.arguments.laws)
        return [np.asarray(v, float) for v in evaluate(tuple(es), values, laws)]


def is_face_row(condition: PlacedCondition) -> bool:
    """Whether a condition is a row over the basis of one axis: linear, on a whole face, with constant coefficients."""
    constant = is_constant(condition.alpha) and is_constant(condition.gamma)
    return condition.kind in ON_FACES and condition.place.side is not None and constant


def is_constant(e: Scalar) -> bool:
    """Whether an expression depends on no coordinate."""
    return not coordinates_of(e)
