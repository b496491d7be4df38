"""Data of conditions, sampled: finite, free of contradiction on one place, and in agreement where two places meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.box import Box
from sciml.domains.regions import Place
from sciml.errors import SciMLError
from sciml.expr.linear import split
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.traverse import atoms, is_unknown
from sciml.lint.findings import Finding, Weight
from sciml.lint.host import Points, place_points, points_of
from sciml.lint.subject import Subject

TOLERANCE = 1e-6
"""Relative difference of two data that are meant to be equal: far above rounding, far below any intended jump."""


def check_data(subject: Subject) -> Iterator[Finding]:
    """Finite data; no two statements of the same on one place; equal values at corners and edges."""
    if subject.box is None:
        return
    yield from _finite(subject, subject.box)
    yield from _repeated(subject, subject.box)
    yield from _corners(subject, subject.box)


def _known(subject: Subject, e: Scalar, points: Points) -> np.ndarray | None:
    try:
        return subject.numbers.value(e, points)
    except SciMLError:  # a law without a function, or a point value of the unknown: nothing to sample
        return None


def _finite(subject: Subject, box: Box) -> Iterator[Finding]:
    places: dict[Scalar, list[Place]] = {}
    for c in subject.conditions:
        places.setdefault(c.data, []).append(c.place)
    for data, where in places.items():
        values = _known(subject, data, points_of(box, where))
        if values is not None and not np.isfinite(values).all():
            bad = int((~np.isfinite(values)).sum())
            yield Finding(
                Weight.ERROR,
                f"data `{data!r}` on {' and '.join(map(str, where))} that are not finite at {bad} of {values.size} "
                "sampled points",
                "finite data",
                "check divisions, logarithms and roots in it",
            )


def _repeated(subject: Subject, box: Box) -> Iterator[Finding]:
    """Two linear conditions on one place with proportional left sides: one too many if equal, else a contradiction."""
    by_place: dict[bytes, list[PlacedCondition]] = {}
    for c in subject.conditions:
        by_place.setdefault(c.place.digest, []).append(c)
    for group in by_place.values():
        for a, b in combinations(group, 2):
            difference = _contradiction(subject, a, b, box)
            if difference is None:
                continue
            both = f"`{a.residual!r} == 0` and `{b.residual!r} == 0` on {a.place}"
            if difference > TOLERANCE:
                found = f"{both}, which contradict each other (relative difference {difference:.1e})"
                yield Finding(Weight.ERROR, found, "one of them", "remove the wrong condition")
            else:
                yield Finding(
                    Weight.REDUNDANT, f"{both}, which say the same", "every condition once", "remove one of them"
                )


def _contradiction(subject: Subject, a: PlacedCondition, b: PlacedCondition, box: Box) -> float | None:
    """Relative difference of the data of two conditions with proportional left sides; None if they say other things."""
    if ConditionKind.NONLINEAR in (a.kind, b.kind) or _field_atoms(a) != _field_atoms(b):
        return None
    first, second = split(a.residual).linear, split(b.residual).linear
    if first.keys() != second.keys() or not first:
        return None
    points = place_points(box, a.place)
    sampled = [_known(subject, e, points) for e in (*first.values(), *(second[atom] for atom in first), a.data, b.data)]
    values = [v for v in sampled if v is not None]
    if len(values) < len(sampled):
        return None
    left, right = np.array(values[: len(first)]), np.array(values[len(first) : -2])
    if not right[0].all() or not np.allclose(left * right[0], right * left[0], rtol=1e-9, atol=0.0):
        return None
    f, g = values[-2], left[0] / right[0] * values[-1]
    scale = float(np.max(np.abs([f, g])))
    return float(np.max(np.abs(f - g))) / scale if scale > 0 else 0.0


def _field_atoms(condition: PlacedCondition) -> set[Scalar]:
    return {atom for atom in atoms(condition.residual) if is_unknown(atom)}


@final
@dataclass(frozen=True)
class _Mismatch:
    """Two conditions that give different values where their places meet."""

    size: float
    scale: float
    first: PlacedCondition
    second: PlacedCondition
    where: Place


def _corners(subject: Subject, box: Box) -> Iterator[Finding]:
    """One warning for each unknown, with the largest jump."""
    for unknown in subject.unknowns:
        values = [
            c
            for c in subject.conditions
            if c.kind in (ConditionKind.DIRICHLET, ConditionKind.INITIAL)
            and c.unknown is not None
            and c.unknown.digest == unknown.digest
        ]
        jumps = [jump for a, b in combinations(values, 2) if (jump := _jump(subject, a, b, box))]
        if jumps:
            worst = max(jumps, key=lambda jump: jump.size)
            more = f" (and at {len(jumps) - 1} more)" if len(jumps) > 1 else ""
            where = f"where {worst.first.place} meets {worst.second.place}{more}"
            yield Finding(
                Weight.DOUBT,
                f"a jump of {worst.size:.3g} in `{unknown!r}` {where}: `{worst.first.data!r}` against "
                f"`{worst.second.data!r}`",
                "equal values where faces meet each other or the initial time",
                "make the data agree, or accept that the solution is not smooth there",
            )


def _jump(subject: Subject, a: PlacedCondition, b: PlacedCondition, box: Box) -> _Mismatch | None:
    meeting = _meeting(a.place, b.place)
    if meeting is None or (a.data.digest == b.data.digest and a.alpha.digest == b.alpha.digest):
        return None
    try:
        points = place_points(box, meeting)
        f, g = subject.numbers.datum(a, points), subject.numbers.datum(b, points)
        size = float(np.max(np.abs(f - g)))
        if not np.isfinite(size) or size == 0:
            return None
        around = [subject.numbers.datum(c, place_points(box, c.place)) for c in (a, b)]
    except SciMLError:
        return None
    scale = float(np.nanmax(np.abs([*around, f, g])))
    return _Mismatch(size, scale, a, b, meeting) if size > TOLERANCE * scale else None


def _meeting(a: Place, b: Place) -> Place | None:
    """The edge or corner that two faces share; None for parallel ones."""
    fixed: dict[str, tuple[Coordinate, object]] = {x.name: (x, where) for x, where in a.fixed}
    for x, where in b.fixed:
        if x.name in fixed:
            return None
        fixed[x.name] = (x, where)
    return Place(tuple(fixed.values())) if len(fixed) > max(len(a.fixed), len(b.fixed)) else None  # type: ignore[arg-type]
