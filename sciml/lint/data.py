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
from sciml.lint.findings import Finding, Weight
from sciml.lint.host import Points, host_values, place_points, value_of
from sciml.lint.subject import Subject
from sciml.problem import Problem

TOLERANCE = 1e-6
"""Relative difference of two data that are meant to be equal: far above rounding, far below any intended jump."""


def check_data(subject: Subject) -> Iterator[Finding]:
    """Finite data; no two statements of the same on one place; equal values at corners and edges."""
    if subject.box is None:
        return
    yield from _finite(subject, subject.box)
    yield from _repeated(subject, subject.box)
    yield from _corners(subject, subject.box)


def _known(e: Scalar, points: Points, problem: Problem) -> np.ndarray | None:
    try:
        return value_of(e, points, problem)
    except SciMLError:  # a law without a function, or a point value of the unknown: nothing to sample
        return None


def _finite(subject: Subject, box: Box) -> Iterator[Finding]:
    seen: set[tuple[bytes, bytes]] = set()
    for c in subject.conditions:
        if (c.data.digest, c.place.digest) in seen or c.kind is ConditionKind.NONLINEAR:
            continue
        seen.add((c.data.digest, c.place.digest))
        values = _known(c.data, place_points(box, c.place), subject.problem)
        if values is not None and not np.isfinite(values).all():
            bad = int((~np.isfinite(values)).sum())
            yield Finding(
                Weight.ERROR,
                f"data `{c.data!r}` on {c.place} that are not finite at {bad} of {values.size} sampled points",
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
            difference = _contradiction(a, b, place_points(box, a.place), subject.problem)
            if difference is None:
                continue
            if difference > TOLERANCE:
                yield Finding(
                    Weight.ERROR,
                    f"`{a.residual!r} == 0` and `{b.residual!r} == 0` on {a.place}, which contradict each other "
                    f"(relative difference {difference:.1e})",
                    "one of them",
                    "remove the wrong condition",
                )
            else:
                yield Finding(
                    Weight.REDUNDANT,
                    f"`{a.residual!r} == 0` and `{b.residual!r} == 0` on {a.place}, which say the same",
                    "every condition once",
                    "remove one of them",
                )


def _contradiction(a: PlacedCondition, b: PlacedCondition, points: Points, problem: Problem) -> float | None:
    """Relative difference of the data of two conditions with proportional left sides; None if they say other things."""
    if ConditionKind.NONLINEAR in (a.kind, b.kind):
        return None
    first, second = split(a.residual), split(b.residual)
    if first.linear.keys() != second.linear.keys() or not first.linear:
        return None
    pairs = []
    for atom in first.linear:
        p, q = _known(first.linear[atom], points, problem), _known(second.linear[atom], points, problem)
        if p is None or q is None:
            return None
        pairs.append((p, q))
    p0, q0 = pairs[0]
    if not all(np.allclose(p * q0, q * p0, rtol=1e-9, atol=1e-12) for p, q in pairs[1:]) or not q0.all():
        return None
    f, g = _known(a.data, points, problem), _known(b.data, points, problem)
    if f is None or g is None:
        return None
    ratio = p0 / q0
    scale = float(np.max(np.abs([f, ratio * g])))
    return float(np.max(np.abs(f - ratio * g))) / scale if scale > 0 else 0.0


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
        jumps = [jump for a, b in combinations(values, 2) if (jump := _jump(a, b, box, subject.problem))]
        if jumps:
            worst = max(jumps, key=lambda jump: jump.size)
            more = f" (and at {len(jumps) - 1} more)" if len(jumps) > 1 else ""
            yield Finding(
                Weight.DOUBT,
                f"a jump of {worst.size:.3g} in `{unknown!r}` where {worst.first.place} meets {worst.second.place}{more}: "
                f"`{worst.first.data!r}` against `{worst.second.data!r}`",
                "equal values where faces meet each other or the initial time",
                "make the data agree, or accept that the solution is not smooth there",
            )


def _jump(a: PlacedCondition, b: PlacedCondition, box: Box, problem: Problem) -> _Mismatch | None:
    meeting = _meeting(a.place, b.place)
    if meeting is None or (a.data.digest == b.data.digest and a.alpha.digest == b.alpha.digest):
        return None
    try:
        points = place_points(box, meeting)
        f, g = host_values(a, points, problem), host_values(b, points, problem)
        size = float(np.max(np.abs(f - g)))
        if not np.isfinite(size) or size == 0:
            return None
        around = [host_values(c, place_points(box, c.place), problem) for c in (a, b)]
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
