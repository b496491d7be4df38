"""Boundary conditions counted by face: m on each for order 2m, one more where characteristics enter for 2m + 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from sciml.conditions import PlacedCondition
from sciml.domains.regions import Side
from sciml.expr.classify import Kind, kind
from sciml.expr.nodes import Coordinate, Scalar
from sciml.lint.characteristics import Sign, end, speed
from sciml.lint.coupled import certainty, check_coupled
from sciml.lint.findings import Finding, Weight
from sciml.lint.subject import Subject


@final
@dataclass(frozen=True)
class Ends:
    """Conditions on one unknown at the two ends of an axis.

    Attributes:
        unknown: the scalar field.
        x: the axis.
        order: how often it is differentiated along the axis.
        lower: conditions on the lower face.
        upper: conditions on the upper face.
        between: conditions on values at places along the axis, such as periodic pairs.
    """

    unknown: Scalar
    x: Coordinate
    order: int
    lower: Sequence[PlacedCondition]
    upper: Sequence[PlacedCondition]
    between: Sequence[PlacedCondition]

    @property
    def total(self) -> int:
        """Conditions along the axis."""
        return len(self.lower) + len(self.upper) + len(self.between)

    def on(self, side: Side) -> int:
        """Conditions on one face."""
        return len(self.lower if side is Side.LOWER else self.upper)


def check_faces(subject: Subject) -> Iterator[Finding]:
    """As many conditions as the orders take, on the faces that take them, none where the domain is periodic."""
    if subject.box is None:
        return
    coupled = []
    first_order: list[Ends] = []
    for x in subject.problem.space:
        if x.name in subject.box.periodic:
            continue
        for unknown in subject.unknowns:
            ends = _ends(subject, unknown, x)
            if ends.order == 0:
                yield from _idle(subject, ends)
            elif subject.own_equation(unknown, x) is None or (ends.order % 2 and not _moves(subject, unknown, x)):
                coupled.append((unknown, x))
            elif ends.order % 2 == 0:
                yield from _even(subject, ends)
            elif ends.order == 1 and _is_steady(subject):
                first_order.append(ends)
            else:
                yield from _odd(subject, ends)
    yield from _characteristics(subject, first_order)
    yield from check_coupled(subject, coupled)


def _ends(subject: Subject, unknown: Scalar, x: Coordinate) -> Ends:
    lower, upper = (subject.at_end(x, side, unknown) for side in Side)
    between = subject.between_places(x, unknown)
    return Ends(unknown, x, subject.order(unknown, x), lower, upper, between)


def _is_steady(subject: Subject) -> bool:
    return subject.time is None or all(subject.order(u, subject.time) <= 0 for u in subject.unknowns)


def _moves(subject: Subject, unknown: Scalar, x: Coordinate) -> bool:
    """Whether the equation that differentiates an unknown along x is also the one for its rate, if there are rates."""
    equation, t = subject.own_equation(unknown, x), subject.time
    if equation is None or t is None or _is_steady(subject):
        return True
    rates = [u for u in subject.unknowns if subject.order_in(equation, u, t) > 0]
    return len(rates) == 1 and rates[0].digest == unknown.digest


def _face(x: Coordinate, side: Side) -> str:
    return f"{x.name} {side.value}"


def _missing(ends: Ends, faces: str, needed: str, weight: Weight = Weight.MISSING) -> Finding:
    x = ends.x.name
    counts = f"{len(ends.lower)} on {_face(ends.x, Side.LOWER)}, {len(ends.upper)} on {_face(ends.x, Side.UPPER)}"
    return Finding(
        weight,
        f"{_count(ends.total)} along {x} for `{ends.unknown!r}` ({counts}), whose order in {x} is {ends.order}",
        needed,
        f"add a condition on {faces} with .on(domain.boundary({x})), or make {x} periodic in the Box",
    )


def _count(n: int) -> str:
    return f"{n} boundary condition{'' if n == 1 else 's'}"


def _redundant(ends: Ends, side: Side, needed: str) -> Finding:
    given = f"{_count(ends.on(side))} for `{ends.unknown!r}` on {_face(ends.x, side)}"
    return Finding(
        Weight.REDUNDANT,
        f"{given}, whose order in {ends.x.name} is {ends.order}",
        needed,
        "drop what the equation already determines",
    )


def _idle(subject: Subject, ends: Ends) -> Iterator[Finding]:
    """A field that is not differentiated along an axis takes no condition on its faces."""
    for side in Side:
        alone = [c for c in (ends.lower if side is Side.LOWER else ends.upper) if c.unknown is not None]
        if alone and subject.is_square:
            yield _redundant(ends, side, f"none: no equation differentiates `{ends.unknown!r}` along {ends.x.name}")


def _even(subject: Subject, ends: Ends) -> Iterator[Finding]:
    half = ends.order // 2
    short = [side for side in Side if ends.on(side) < half]
    if ends.total < ends.order:
        lacking = [side for side in short if not _vanishes(subject, ends, side)]
        if lacking and not ends.between:
            faces = " and ".join(_face(ends.x, side) for side in lacking)
            weight = certainty(subject, [ends.unknown], ends.x, lacking)
            yield _missing(ends, faces, f"{half} on each face of {ends.x.name}", weight)
        elif ends.between:
            yield _missing(ends, f"the pair of faces of {ends.x.name}", f"{ends.order} that tie the two faces together")
        return
    if ends.between:
        return
    if short and not _is_initial_value_problem(subject):
        yield Finding(
            Weight.DOUBT,
            f"{len(ends.lower)} conditions for `{ends.unknown!r}` on {_face(ends.x, Side.LOWER)} and {len(ends.upper)} "
            f"on {_face(ends.x, Side.UPPER)}, whose order in {ends.x.name} is {ends.order}",
            f"{half} on each face: with all on one side the solution does not depend continuously on them",
            "move conditions to the other face, unless data are to be completed",
        )
    for side in Side:
        if ends.on(side) > half and not short:
            yield _redundant(ends, side, f"{half} on each face")


def _vanishes(subject: Subject, ends: Ends, side: Side) -> bool:
    """Whether the leading coefficient is zero on the face: a degenerate equation takes no condition there."""
    return speed(subject, ends.unknown, ends.x, end(ends.x, side)) is Sign.ZERO


def _is_initial_value_problem(subject: Subject) -> bool:
    """Along its only axis an ordinary differential equation may start at one end; a hyperbolic one along any."""
    if len(subject.problem.coordinates) == 1:
        return True
    return len(subject.residuals) == 1 and kind(subject.residuals[0]) is Kind.HYPERBOLIC


def _odd(subject: Subject, ends: Ends) -> Iterator[Finding]:
    r"""m on each face and one more where the sign of $(-1)^m c$ says: then $\int u^2$ cannot grow through the faces."""
    half = ends.order // 2
    if ends.between:
        if ends.total < ends.order:
            yield _missing(ends, f"the pair of faces of {ends.x.name}", f"{ends.order} along {ends.x.name}")
        return
    if ends.order > 1 and ends.total < ends.order:
        faces = " and ".join(_face(ends.x, side) for side in Side)
        yield _missing(ends, faces, f"{ends.order} over both faces of {ends.x.name}")
        return
    if not _is_steady(subject):
        for side in Side:
            yield from _odd_face(ends, side, half, _entering(subject, ends, side))
    if ends.order > 1 and ends.total > ends.order:
        yield _redundant(ends, Side.LOWER if len(ends.lower) > half else Side.UPPER, f"{ends.order} over both faces")


def _entering(subject: Subject, ends: Ends, side: Side) -> Sign:
    """Positive where characteristics enter through the face."""
    sign = speed(subject, ends.unknown, ends.x, end(ends.x, side))
    if side is Side.UPPER:
        sign = sign.reversed
    return sign.reversed if ends.order // 2 % 2 else sign


def _odd_face(ends: Ends, side: Side, half: int, entering: Sign) -> Iterator[Finding]:
    face, given = _face(ends.x, side), ends.on(side)
    match entering:
        case Sign.POSITIVE if given <= half:
            yield _missing(ends, face, f"{half + 1} on {face}, where characteristics enter the domain")
        case Sign.NEGATIVE if given > half:
            yield _redundant(ends, side, f"{half} on {face}, where characteristics leave the domain")
        case Sign.NEGATIVE if given < half:
            yield _missing(ends, face, f"{half} on {face}")
        case Sign.MIXED:
            yield _uncertain(ends, face, given, "changes sign on the face", Weight.REDUNDANT if given else Weight.DOUBT)
        case Sign.UNKNOWN if given <= half and ends.order == 1:
            yield _uncertain(ends, face, given, "depends on the solution", Weight.DOUBT)


def _uncertain(ends: Ends, face: str, given: int, why: str, weight: Weight) -> Finding:
    return Finding(
        weight,
        f"{_count(given)} for `{ends.unknown!r}` on {face}, where the characteristic speed {why}",
        "a condition exactly where characteristics enter the domain",
        "check the direction of flow there" if given else "add a condition if the flow enters through this face",
    )


def _characteristics(subject: Subject, axes: Sequence[Ends]) -> Iterator[Finding]:
    """A steady equation of first order: data where its characteristics enter, or, told backwards, where they leave."""
    if not axes:
        return
    for unknown in dict.fromkeys(ends.unknown for ends in axes):
        mine = [ends for ends in axes if ends.unknown.digest == unknown.digest]
        entering = {(i, side): _entering(subject, ends, side) for i, ends in enumerate(mine) for side in Side}
        given = {key for key in entering if mine[key[0]].on(key[1])}
        if any(ends.between for ends in mine):
            continue
        if any(sign in (Sign.UNKNOWN, Sign.MIXED) for sign in entering.values()):
            yield from _any_data(subject, mine)
            continue
        inflow = {key for key, sign in entering.items() if sign is Sign.POSITIVE}
        outflow = {key for key, sign in entering.items() if sign is Sign.NEGATIVE}
        if not (inflow <= given or outflow <= given):
            key = min(inflow - given, key=lambda k: (k[0], k[1].value))
            face = _face(mine[key[0]].x, key[1])
            yield _missing(mine[key[0]], face, f"1 on {face}, where characteristics enter the domain")
        elif given & inflow and given & outflow:
            i, side = min(given & outflow, key=lambda k: (k[0], k[1].value))
            yield _redundant(mine[i], side, "none where characteristics leave the domain")


def _any_data(subject: Subject, axes: Sequence[Ends]) -> Iterator[Finding]:
    """Where the direction cannot be told, at least one condition must fix the unknown somewhere."""
    unknown = axes[0].unknown
    if not any(c.unknown is None or c.unknown.digest == unknown.digest for c in subject.conditions):
        faces = ", ".join(_face(ends.x, side) for ends in axes for side in Side)
        yield _missing(axes[0], f"some of {faces}", f"data for `{unknown!r}` where characteristics enter the domain")
