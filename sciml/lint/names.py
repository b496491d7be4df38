"""What a problem speaks of: names, frames, fields, regions, data; every other rule relies on these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sciml.domains.box import Box
from sciml.domains.regions import Place, Side
from sciml.expr.coefficients import GriddedData
from sciml.expr.equation import Condition, Equation
from sciml.expr.leaves import Coefficient, common_frame
from sciml.expr.traverse import fields
from sciml.lint.findings import Finding, Weight
from sciml.problem import Problem


def check_names(problem: Problem) -> Iterator[Finding]:
    """Everything that is spoken of exists, once, in the coordinates of the domain."""
    yield from _frames(problem)
    yield from _equations(problem)
    yield from _repeated_names(problem)
    yield from _conditions(problem)
    yield from _observations(problem)
    yield from _leftovers(problem)
    yield from _grids(problem)


def _error(found: str, needed: str, todo: str) -> Finding:
    return Finding(Weight.ERROR, found, needed, todo)


def _frames(problem: Problem) -> Iterator[Finding]:
    own = problem.domain.frame
    statements: list[Equation] = [*problem.equations, *(c.equation for c in problem.conditions)]
    for statement in statements:
        frame = common_frame((statement.lhs, statement.rhs))
        if frame is not None and frame != own:
            yield _error(
                f"`{statement!r}` in the coordinates {frame}",
                f"the coordinates of the domain, {own}",
                "create the coordinates once and use them for fields and Box",
            )
    for o in problem.observations:
        if o.expression.frame is not None and o.expression.frame != own:
            yield _error(
                f"{o!r} in the coordinates {o.expression.frame}", f"those of the domain, {own}", "use its fields"
            )


def _equations(problem: Problem) -> Iterator[Finding]:
    seen: set[bytes] = set()
    for e in problem.equations:
        if not fields(e.lhs, e.rhs):
            yield _error(f"`{e!r}`, which contains no field", "an equation for an unknown", "write it with a Field")
        if e.digest in seen or e.rhs.digest + e.lhs.digest in seen:
            yield _error(f"`{e!r}` stated twice", "every equation once", "remove one")
        seen.add(e.digest)
    equations, unknowns = sum(_count(e.shape) for e in problem.equations), len(problem.unknowns)
    names = ", ".join(f.name for f in problem.fields)
    if equations < unknowns and not problem.observations:
        yield Finding(
            Weight.DOUBT,
            f"{equations} scalar equations for {unknowns} scalar unknowns ({names})",
            "one equation for each unknown, or measured values of what no equation determines",
            "add the missing equation; for an inverse problem, observe the fields",
        )
    if equations > unknowns:
        yield Finding(
            Weight.REDUNDANT,
            f"{equations} scalar equations for {unknowns} scalar unknowns ({names})",
            "one equation for each unknown",
            "remove an equation that follows from the others",
        )


def _count(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def _repeated_names(problem: Problem) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    named = [
        *((x.name, "coordinate") for x in problem.coordinates),
        *((f.name, "field") for f in problem.fields),
        *((name, "parameter") for name in problem.parameters),
        *((name, "coefficient") for name in problem.coefficients),
    ]
    for name, kind in named:
        if name in owners:
            yield _error(f"a {owners[name]} and a {kind} named {name!r}", "one thing a name", "rename one of them")
        owners[name] = kind


def _conditions(problem: Problem) -> Iterator[Finding]:
    own, known = set(problem.fields), ", ".join(f.name for f in problem.fields)
    for c in problem.conditions:
        inside = fields(c.equation.lhs, c.equation.rhs)
        if not inside:
            yield _error(f"the condition `{c!r}`, which contains no field", "a statement on a field", "check its names")
        for f in inside:
            if f not in own:
                yield _error(
                    f"field {f!r} of the condition `{c!r}`, which no equation contains",
                    f"fields of the equations: {known}",
                    "use the same Field in equations and conditions",
                )
        for place in c.region:
            yield from _place(problem, c, place)


def _place(problem: Problem, c: Condition, place: Place) -> Iterator[Finding]:
    domain = problem.domain
    for x, where in place.fixed:
        if x.of != domain.frame:
            yield _error(
                f"`{c!r}` on a region of a domain in {x.of}", f"a region in {domain.frame}", "use domain.at(…)"
            )
            return
        lower, upper = domain.bounds[x.name]
        if (
            x.name in domain.periodic
            and (isinstance(where, Side) or where in (lower, upper))
            and place.axis is not None
        ):
            if _is_gauge_point(problem):
                continue
            yield _error(
                f"the condition `{c!r}` at an end of {x.name}, which is periodic",
                "no condition there: the solution repeats",
                f"drop the condition, or take {x.name} out of periodic=",
            )
        elif not isinstance(where, Side) and not lower <= where <= upper:
            yield _error(
                f"`{c!r}` at {x.name}={where:g}", f"{x.name} in [{lower:g}, {upper:g}]", "use this domain's regions"
            )


def _is_gauge_point(problem: Problem) -> bool:
    """A steady problem along one periodic coordinate: its faces are points, which may fix a constant."""
    return len(problem.coordinates) == 1


def _observations(problem: Problem) -> Iterator[Finding]:
    own, known = set(problem.fields), ", ".join(f.name for f in problem.fields)
    for o in problem.observations:
        inside = fields(o.expression)
        unknown = [f.name for f in inside if f not in own]
        if unknown or not inside:
            what = f"field {', '.join(unknown)}, which no equation contains," if unknown else "no field"
            yield _error(f"{what} in {o!r}", f"an expression of the problem's fields: {known}", "observe one of them")


def _leftovers(problem: Problem) -> Iterator[Finding]:
    yield from _unowned(problem.numbers, problem.parameters, "parameter")
    yield from _unowned(problem.bindings, [symbol.name for symbol in problem.laws], "law")


def _unowned(given: Iterable[str], known: Iterable[str], kind: str) -> Iterator[Finding]:
    names = list(known)
    for name in given:
        if name not in names:
            has = ", ".join(names) or f"no {kind}"
            yield _error(f"a value for {kind} {name!r}, which appears nowhere", f"one of {has}", "check the spelling")


def _grids(problem: Problem) -> Iterator[Finding]:
    """Data must reach the domain's ends to within one spacing: cell centres do, another unit does not."""
    for c in problem.coefficients.values():
        if isinstance(c.payload, GriddedData) and isinstance(problem.domain, Box) and c.frame == problem.domain.frame:
            yield from _coverage(problem.domain, c, c.payload)


def _coverage(box: Box, c: Coefficient, data: GriddedData) -> Iterator[Finding]:
    for x, nodes in zip(c.on, data.points, strict=True):
        p = np.asarray(nodes)
        lower, upper = box.bounds[x.name]
        slack = 1e-9 * (upper - lower)
        if p[0] - (p[1] - p[0]) > lower + slack or p[-1] + (p[-1] - p[-2]) < upper - slack:
            yield _error(
                f"data of coefficient {c.name!r} for {x.name} in [{p[0]:g}, {p[-1]:g}]",
                f"data over the domain, {x.name} in [{lower:g}, {upper:g}]",
                "give data on the whole domain, or check their units",
            )
