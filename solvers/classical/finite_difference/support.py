"""What FiniteDifference cannot solve, as sentences, found before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.box import Box
from sciml.errors import LoweringError, UnsupportedProblemError
from sciml.expr.linear import partial
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_unknown, multi_index, scalar_leaf
from sciml.problem import Problem
from solvers.classical.finite_difference.evolution import initial_target
from solvers.classical.finite_difference.faces import slab_depth
from solvers.classical.finite_difference.grid import Grid
from solvers.classical.finite_difference.stencils import HIGHEST_DERIVATIVE, fewest_nodes
from solvers.classical.finite_difference.system import System, read_system

MOST_AXES = 3
MOST_TIME_DERIVATIVES = 2


def reasons_of_kind(problem: Problem) -> Iterator[str]:
    """What rules a problem out whatever the grid."""
    if not isinstance(problem.domain, Box):
        yield f"it needs a Box, the domain is a {type(problem.domain).__name__}"
    if not 1 <= len(problem.space) <= MOST_AXES:
        yield f"it needs 1 to {MOST_AXES} space coordinates, the problem has {len(problem.space)}"
    for p in problem.unknown_parameters:
        yield f"it needs a number for the parameter {p.name}"
    for symbol in problem.unbound_laws:
        yield f"it needs a function bound to the law {symbol.name}"
    for f in problem.fields:
        lacking = [x.name for x in problem.coordinates if x not in f.on]
        if lacking:
            yield f"it needs fields that depend on every coordinate, {f.name} does not depend on {', '.join(lacking)}"
    count = sum(1 for e in problem.equations for _ in e)
    if count != len(problem.unknowns):
        yield f"it needs as many equations as unknowns, there are {count} and {len(problem.unknowns)}"


def reasons_of_system(problem: Problem, grid: Grid, order: int) -> Iterator[str]:
    """What rules a problem out once it is read on a grid; call only where `reasons_of_kind` finds nothing."""
    try:
        system = read_system(problem, grid, order)
    except (LoweringError, UnsupportedProblemError) as error:
        yield f"it needs {error.needed}, found {error.found}"
        return
    parts = [*system.residuals, *(part for f in system.fluxes.values() for part in (f.advective, f.diffusive))]
    reasons = [reason for atom in atoms(*parts) for reason in _atom_reasons(system, atom)]
    yield from reasons
    if reasons:
        return
    if system.time is not None:
        yield from _evolution_reasons(problem, system)
    for condition in problem.placed_conditions:
        yield from _condition_reasons(problem, system, condition)
    yield from _grid_reasons(system)


def _evolution_reasons(problem: Problem, system: System) -> Iterator[str]:
    if max(system.depths) > MOST_TIME_DERIVATIVES:
        yield f"it needs at most {MOST_TIME_DERIVATIVES} time derivatives"
    else:
        yield from _rate_reasons(system)
        yield from _initial_reasons(problem, system)


def _atom_reasons(system: System, atom: Scalar) -> Iterator[str]:
    if isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL):
        yield f"it needs local equations, `{atom!r}` is not"
    elif is_unknown(atom) and atom not in system.fluxes:
        _, level, orders = system.position(atom)
        if max(orders, default=0) > HIGHEST_DERIVATIVE:
            yield f"it needs derivatives of order {HIGHEST_DERIVATIVE} at most along each axis, not `{atom!r}`"
        depth = system.depths[system.unknowns.index(scalar_leaf(atom))]  # type: ignore[arg-type]
        if level and level >= depth and any(orders):
            yield f"it needs a highest time derivative that is not differentiated in space, not `{atom!r}`"


def _rate_reasons(system: System) -> Iterator[str]:
    rates = system.rates
    for e in system.residuals:
        for rate in rates:
            if any(atom in rates for atom in atoms(partial(e, rate))):
                yield f"it needs equations that are linear in the highest time derivative, not `{e!r} == 0`"
    for flux in system.fluxes.values():
        if any(atom in rates for atom in atoms(flux.advective, flux.diffusive)):
            yield "it needs the highest time derivative outside of fluxes"


def _initial_reasons(problem: Problem, system: System) -> Iterator[str]:
    found = set()
    for condition in problem.placed_conditions:
        if condition.place.is_initial:
            try:
                _, unknown, level = initial_target(system, condition.residual)
            except UnsupportedProblemError as error:
                yield f"it needs {error.needed}, found {error.found}"
            else:
                found.add((unknown, level))
    for i, k in system.rows:
        if (i, k) not in found:
            what = f"{system.unknowns[i]!r}" if k == 0 else f"the time derivative of {system.unknowns[i]!r}"
            yield f"it needs an initial condition that gives {what}"


def _condition_reasons(problem: Problem, system: System, condition: PlacedCondition) -> Iterator[str]:
    place, e = condition.place, condition.residual
    if place.is_initial:
        return
    if condition.kind is ConditionKind.PERIODIC:
        if place.axis is None or place.axis.name not in problem.domain.periodic:
            yield "it needs periodic axes declared in the domain: Box(..., periodic=x)"
    elif place.is_face and place.axis is not None:
        yield from _face_reasons(system, e, place.axis.name)
    elif condition.kind is not ConditionKind.GAUGE or system.time is not None:
        yield f"it needs conditions on whole faces, `{e!r} == 0` holds on {place}"
    else:
        yield from _gauge_reasons(problem, condition)


def _face_reasons(system: System, e: Scalar, normal: str) -> Iterator[str]:
    for atom in atoms(e):
        if isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL):
            yield f"it needs local conditions, `{atom!r}` is not"
        elif is_unknown(atom):
            unknown, level, orders = system.position(atom)
            if system.time is not None and level >= system.depths[unknown]:
                yield f"it needs face conditions with fewer time derivatives than the equation, not `{atom!r}`"
            if system.time is not None and sum(m > 0 for m in orders) > 1:
                yield f"it needs face conditions without mixed derivatives in an evolution, not `{atom!r}`"
    if system.time is not None:
        along = {x.name for a in atoms(e) if is_unknown(a) for x in multi_index(a) if not x.is_time}
        if along - {normal}:
            yield f"it needs face conditions without tangential derivatives in an evolution, not `{e!r} == 0`"


def _gauge_reasons(problem: Problem, condition: PlacedCondition) -> Iterator[str]:
    fixed = {x.name for x, _ in condition.place.fixed}
    space = {x.name for x in problem.space}
    for atom in atoms(condition.residual):
        if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
            if {x.name for x in atom.attr} != space or fixed:
                yield f"it needs gauges over all space, not `{atom!r}`"
        elif isinstance(atom, Apply) and atom.op is Op.AT:
            yield f"it needs point values as conditions on a point of the domain, not `{atom!r}`"
        elif is_unknown(atom) and fixed != space:
            yield f"it needs point conditions that fix every coordinate, not one on {condition.place}"


def _grid_reasons(system: System) -> Iterator[str]:
    deepest = [slab_depth(system, face) for face in system.faces]
    for k, axis in enumerate(system.grid.axes):
        highest = max((_highest(system, e, k) for e in system.residuals), default=0)
        faces = [depth for face, depth in zip(system.faces, deepest, strict=True) if face.axis == k]
        least = max(fewest_nodes(highest, system.order), *(2 * depth for depth in faces), 8)
        if axis.size < least:
            yield f"it needs at least {least} points along {axis.name} for order {system.order}, not {axis.size}"


def _highest(system: System, e: Scalar, k: int) -> int:
    found = 0
    for atom in atoms(e):
        if atom in system.fluxes:
            flux = system.fluxes[atom]
            inner = max(_highest(system, part, k) for part in (flux.advective, flux.diffusive))
            found = max(found, inner + (system.grid.index(flux.along.name) == k))
        elif is_unknown(atom):
            found = max(found, system.position(atom)[2][k])
    return found
