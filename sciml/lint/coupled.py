"""Boundary conditions of systems whose equations share derivatives: only counts by axis, and mostly doubts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sciml.domains.regions import Side
from sciml.expr.nodes import Coordinate, Scalar
from sciml.lint.findings import Finding, Weight
from sciml.lint.subject import Subject


def check_coupled(subject: Subject, pairs: Sequence[tuple[Scalar, Coordinate]]) -> Iterator[Finding]:
    """Jacobi's number of conditions along each axis: half on each face where the fields are of even order.

    Args:
        subject: the problem.
        pairs: unknowns that have no equation of their own along an axis.
    """
    for x in dict.fromkeys(x for _, x in pairs):
        group = [u for u, y in pairs if y.name == x.name]
        total = subject.total_order(x)
        if total is None:
            continue
        rest = [u for u in subject.unknowns if not any(u.digest == v.digest for v in group)]
        total -= sum(subject.order(u, x) for u in rest)
        if any(subject.between_places(x, u) for u in group):
            continue
        if max(subject.order(u, x) for u in group) >= 2:
            yield from _second_order(subject, x, group, total)
        else:
            yield from _first_order(subject, x, group, total)


def certainty(subject: Subject, group: Sequence[Scalar], x: Coordinate, faces: Sequence[Side]) -> Weight:
    """How sure it is that conditions on these fields are missing.

    Pressure and other constraints tie fields together along some axis, and then an outlet may do with fewer conditions
    than the orders say; but a face without any condition is bare.
    """
    is_coupled = any(
        subject.order(u, y) > 0 and subject.own_equation(u, y) is None for u in group for y in subject.axes
    )
    is_bare = any(not _given(subject, x, side, subject.unknowns) for side in faces)
    return Weight.MISSING if is_bare or not is_coupled else Weight.DOUBT


def _given(subject: Subject, x: Coordinate, side: Side, group: Sequence[Scalar]) -> int:
    return len({c.residual.digest for u in group for c in subject.at_end(x, side, u)})


def _names(group: Sequence[Scalar]) -> str:
    return ", ".join(f"`{u!r}`" for u in group)


def _second_order(subject: Subject, x: Coordinate, group: Sequence[Scalar], total: int) -> Iterator[Finding]:
    each = total // 2
    is_certain = total == sum(subject.order(u, x) for u in group)  # elasticity is, incompressible flow is not
    short = [side for side in Side if _given(subject, x, side, group) < each]
    if short:
        counts = " and ".join(f"{_given(subject, x, side, group)} on {x.name} {side.value}" for side in short)
        yield Finding(
            Weight.MISSING if is_certain else certainty(subject, group, x, short),
            f"{counts} for the coupled fields {_names(group)}",
            f"{each} scalar boundary conditions on each face of {x.name}, by the orders of the equations",
            f"add what is missing with .on(domain.boundary({x.name})), or make {x.name} periodic in the Box",
        )
        return
    for side in Side:
        if _given(subject, x, side, group) > each:
            yield _redundant(subject, x, side, group, f"{each} scalar, by the orders of the equations")


def _first_order(subject: Subject, x: Coordinate, group: Sequence[Scalar], total: int) -> Iterator[Finding]:
    counts = {side: _given(subject, x, side, group) for side in Side}
    if total > 0 and not any(counts.values()):
        yield Finding(
            Weight.DOUBT,
            f"no boundary condition along {x.name} for the coupled fields {_names(group)}",
            f"up to {total} along {x.name}, one for every characteristic that enters through a face",
            f"add them, or make {x.name} periodic in the Box",
        )
    if sum(counts.values()) > total:
        side = max(Side, key=lambda s: counts[s])
        yield _redundant(subject, x, side, group, f"{total} along {x.name}, one for every characteristic that enters")


def _redundant(subject: Subject, x: Coordinate, side: Side, group: Sequence[Scalar], needed: str) -> Finding:
    return Finding(
        Weight.REDUNDANT,
        f"{_given(subject, x, side, group)} boundary conditions on {x.name} {side.value} for {_names(group)}",
        needed,
        "drop what the equations already determine",
    )
