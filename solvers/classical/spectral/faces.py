"""What the conditions of a problem say on each face, sorted by field, axis and side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.regions import Side
from sciml.expr.linear import split
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.reduce import is_number
from sciml.expr.traverse import multi_index
from solvers.classical.spectral.parity import EVEN, ODD


@final
@dataclass(frozen=True)
class Faces:
    """Conditions on whole faces and at the start of time.

    Args:
        conditions: every condition of the problem on one face or at the initial time.
    """

    conditions: tuple[PlacedCondition, ...]

    def on(self, unknown: Scalar, axis: Coordinate, side: Side) -> tuple[PlacedCondition, ...]:
        """Conditions on one field at one end of an axis, time included, in the order of the problem."""
        return tuple(
            c
            for c in self.conditions
            if c.unknown is not None
            and c.unknown.digest == unknown.digest
            and c.place.axis is not None
            and c.place.axis.digest == axis.digest
            and c.place.side is side
        )

    def initial(self, unknown: Scalar, kind: ConditionKind) -> PlacedCondition | None:
        """The initial condition of this kind on a field, or None."""
        found = [
            c
            for c in self.conditions
            if c.kind is kind and c.unknown is not None and c.unknown.digest == unknown.digest
        ]
        return found[0] if found else None

    def parity(self, unknown: Scalar, axis: Coordinate) -> int | None:
        """Parity that a field's homogeneous conditions on both ends of an axis give it, or None.

        u = 0 (and u_xx = 0, ...) on both ends makes it odd, u_x = 0 (and u_xxx = 0, ...) even.
        """
        found: set[int | None] = set()
        for side in Side:
            conditions = self.on(unknown, axis, side)
            found |= {_parity(c, axis) for c in conditions} or {None}
        return found.pop() if len(found) == 1 else None


def face_conditions(placed: Iterable[PlacedCondition]) -> Faces:
    """The conditions that hold on one whole face or at the initial time."""
    return Faces(tuple(c for c in placed if c.place.is_face or c.place.is_initial))


def _parity(condition: PlacedCondition, axis: Coordinate) -> int | None:
    parts = split(condition.residual)
    if not parts.is_linear or not is_number(parts.source, 0) or len(parts.linear) != 1:
        return None
    (atom,) = parts.linear
    along = multi_index(atom)
    if any(x.digest != axis.digest for x in along):
        return None
    return EVEN if len(along) % 2 else ODD
