"""Fields that the statement fixes only up to a constant: pressure without a gauge, pure Neumann data."""

from __future__ import annotations

from collections.abc import Iterator

from sciml.conditions import PlacedCondition
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_unknown, multi_index, scalar_leaf
from sciml.lint.findings import Finding, Weight
from sciml.lint.subject import Subject


def check_gauge(subject: Subject) -> Iterator[Finding]:
    """Every field's own value, not only its derivatives, occurs in an equation, a condition or an observation."""
    t = subject.time
    everywhere = [*subject.residuals, *_observed(subject)]
    for unknown in subject.unknowns:
        has_rate = t is not None and subject.order(unknown, t) > 0
        # What holds at one time alone says nothing later, unless the field's rate carries it on.
        holding = [c.residual for c in subject.conditions if has_rate or not _is_at_one_time(c)]
        if not any(_has_value(e, unknown) for e in (*everywhere, *holding)):
            space = ", ".join(x.name for x in subject.problem.space)
            yield Finding(
                Weight.MISSING,
                f"`{unknown!r}` only under derivatives: adding a constant to it changes nothing",
                f"a gauge that fixes the constant{' at every time' if t is not None else ''}",
                f"add (integral({unknown!r}, {space}) == 0).on(domain), or its value at a point or on a face",
            )


def _observed(subject: Subject) -> list[Scalar]:
    from sciml.expr.lowering import lower

    return [part for o in subject.problem.observations for part in lower(o.expression)]


def _is_at_one_time(condition: PlacedCondition) -> bool:
    return any(x.is_time for x, _ in condition.place.fixed)


def _has_value(e: Scalar, unknown: Scalar) -> bool:
    """Whether the undifferentiated unknown occurs in a lowered scalar."""
    for atom in atoms(e):
        if not is_unknown(atom):
            continue
        if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
            if any(_has_value(part, unknown) for part in atom.operands):  # type: ignore[arg-type]
                return True
            continue
        leaf = scalar_leaf(atom)
        if leaf is not None and leaf.digest == unknown.digest and not multi_index(atom):
            return True
    return False
