"""Conditions at the ends of time: as many as time derivatives, on the fields that have them, at the right end."""

from __future__ import annotations

from collections.abc import Iterator

from sciml.conditions import PlacedCondition
from sciml.domains.regions import Side
from sciml.expr.build import derivative
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.traverse import atoms, is_unknown, multi_index, scalar_leaf
from sciml.lint.characteristics import Sign, time_direction
from sciml.lint.findings import Finding, Weight
from sciml.lint.subject import Subject


def check_initial(subject: Subject) -> Iterator[Finding]:
    """n conditions at one end of time for a field with n time derivatives, none for a field without."""
    t = subject.time
    if t is None:
        return
    yield from _inner_times(subject, t)
    for unknown in subject.unknowns:
        start, end = (subject.at_end(t, side, unknown) for side in Side)
        order = subject.order(unknown, t)
        if order == 0:
            yield from _without_rate(unknown, t, [*start, *end])
            continue
        between = len(subject.between_places(t, unknown))
        missing = order - between - len(start) - len(end)
        if missing > 0:
            yield _too_few(subject, unknown, t, order, start or end, at_end=bool(end and not start))
        elif missing < 0:
            yield _too_many(unknown, t, order, [*start, *end])
        elif start and end:
            yield Finding(
                Weight.DOUBT,
                f"conditions on `{unknown!r}` at both ends of {t.name}",
                f"all {order} at one end, as an evolution has them",
                "move them to one end, unless a boundary-value problem in time is meant",
            )
        elif not between:
            yield from _against_time(subject, unknown, t, is_terminal=bool(end))


def _without_rate(unknown: Scalar, t: Coordinate, conditions: list[PlacedCondition]) -> Iterator[Finding]:
    alone = [c for c in conditions if c.unknown is not None]  # with several fields, another one may have the rate
    if alone:
        yield Finding(
            Weight.ERROR,
            f"the condition `{alone[0].residual!r} == 0` on {alone[0].place} for `{unknown!r}`, whose derivative in "
            f"{t.name} no equation contains",
            f"conditions at an end of {t.name} only for fields with a derivative in {t.name}",
            f"drop it: the equations determine `{unknown!r}` at every {t.name}, the first included",
        )


def _too_few(
    subject: Subject, unknown: Scalar, t: Coordinate, order: int, given: list[PlacedCondition], *, at_end: bool
) -> Finding:
    lower, upper = subject.problem.domain.bounds[t.name]
    covered = {_time_order(c, unknown, t) for c in given}
    lacking = [n for n in range(order) if n not in covered] or list(range(len(given), order))
    missing = " and ".join(f"`{derivative(unknown, *[t] * n)!r}`" for n in lacking)
    place = f"{t.name}={upper if at_end else lower:g}"
    spelled = f"(… == …).on(domain.at({place}))"
    count = f"{len(given)} initial condition{'' if len(given) == 1 else 's'}"
    return Finding(
        _strictness(subject, unknown, t),
        f"{count} for `{unknown!r}`, whose order in {t.name} is {order}",
        f"{order}: {missing} at {place} is missing",
        f"add {spelled} for {missing}",
    )


def _strictness(subject: Subject, unknown: Scalar, t: Coordinate) -> Weight:
    """Certain where the rate stands alone in its equation, or the coupled system takes every field's conditions."""
    total = subject.total_order(t)
    if total is not None and total == sum(subject.order(u, t) for u in subject.unknowns):
        return Weight.MISSING
    top = subject.order(unknown, t)
    for i in range(len(subject.residuals)):
        others = [u for u in subject.unknowns if u.digest != unknown.digest]
        if subject.order_in(i, unknown, t) == top and all(subject.order_in(i, u, t) <= 0 for u in others):
            return Weight.MISSING
    return Weight.DOUBT


def _time_order(condition: PlacedCondition, unknown: Scalar, t: Coordinate) -> int:
    """How many time derivatives of an unknown a condition fixes."""
    orders = [
        sum(x.name == t.name for x in multi_index(atom))
        for atom in atoms(condition.residual)
        if is_unknown(atom) and scalar_leaf(atom) is not None and scalar_leaf(atom) == unknown
    ]
    return max(orders, default=0)


def _too_many(unknown: Scalar, t: Coordinate, order: int, given: list[PlacedCondition]) -> Finding:
    spelled = ", ".join(f"`{c.residual!r} == 0`" for c in given)
    return Finding(
        Weight.REDUNDANT,
        f"{len(given)} conditions in {t.name} for `{unknown!r}`, whose order in {t.name} is {order}: {spelled}",
        f"{order}",
        "drop those that the equations already imply",
    )


def _inner_times(subject: Subject, t: Coordinate) -> Iterator[Finding]:
    inner = {
        c.place.digest: c
        for c in subject.conditions
        for x, where in c.place.fixed
        if x.name == t.name and not isinstance(where, Side)
    }
    for c in inner.values():
        yield Finding(
            Weight.DOUBT,
            f"a condition on {c.place}, inside the time interval",
            f"conditions at an end of {t.name}",
            "start the domain there, or state it as data with problem.observe(…)",
        )


def _against_time(subject: Subject, unknown: Scalar, t: Coordinate, *, is_terminal: bool) -> Iterator[Finding]:
    for x in subject.axes:
        sign = time_direction(subject, unknown, x)
        if sign is Sign.UNKNOWN or sign is Sign.ZERO:
            continue
        if sign is (Sign.NEGATIVE if is_terminal and subject.order(unknown, t) == 1 else Sign.POSITIVE):
            continue
        where = "terminal" if is_terminal else "initial"
        wrong = "changes the sign of its diffusion along" if sign is Sign.MIXED else "runs against time along"
        yield Finding(
            Weight.DOUBT,
            f"{where} data for `{unknown!r}`, whose equation {wrong} {x.name}: short waves grow without bound",
            "an evolution that does not depend on the finest details of its data",
            f"check the sign of the highest derivative in {x.name}, or give the data at the other end of {t.name}",
        )
