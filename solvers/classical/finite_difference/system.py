"""A problem read into what a grid needs: scalar equations, fluxes, rates and the conditions at each face.

Nothing here holds numbers: a `System` is compared by the digest of its problem's structure and by its grid, so a new
number of a parameter, or an equal problem built again, finds the compiled code of the first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import final

import numpy as np
import scipy.optimize

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.regions import Side
from sciml.errors import UnsupportedProblemError
from sciml.expr.calculus import D
from sciml.expr.equation import scalar_residuals
from sciml.expr.linear import partial, split
from sciml.expr.nodes import Coordinate, Expr, Scalar
from sciml.expr.traverse import atoms, is_unknown, multi_index, scalar_fields, scalar_leaf
from sciml.problem import Problem
from solvers.classical.finite_difference.fluxes import Flux, Separation
from solvers.classical.finite_difference.grid import Grid

_HOPELESS = -1e6


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Face:
    """The conditions of one kind at one end of one axis.

    Attributes:
        axis: number of the grid axis.
        upper: which end.
        residuals: lowered residuals of the conditions.
        owners: for each condition the unknown whose node it determines.
        layers: for each condition how far from the end that node lies: 0 is the end.
        level: highest time derivative in the conditions: 0 determines u, 1 determines u_t.
        is_affine: the conditions are affine in the unknowns.
    """

    axis: int
    upper: bool
    residuals: tuple[Scalar, ...]
    owners: tuple[int, ...]
    layers: tuple[int, ...]
    level: int
    is_affine: bool


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Gauge:
    """A condition on an integral over all space, or on the value at one point.

    Attributes:
        residual: its lowered residual.
        place: the point, by coordinate name; empty for an integral.
        unknown: the unknown that it fixes.
    """

    residual: Scalar
    place: dict[str, float]
    unknown: int


@final
@dataclasses.dataclass(frozen=True, eq=False)
class System:
    """Equations on a grid, equation i matched to unknown i.

    Attributes:
        structure: digest of the problem's structure.
        grid: the grid in space.
        order: order of accuracy of central differences.
        time: the time coordinate; None for a steady problem.
        space: the space coordinates, in the order of the grid's axes.
        unknowns: scalar unknowns.
        depths: order in time of each unknown, at least 1 with time and 0 without.
        residuals: residual of each equation, fluxes replaced by placeholders.
        fluxes: the fluxes by placeholder.
        faces: conditions at the faces, axis by axis.
        gauges: residuals of conditions on integrals, steady problems only.
    """

    structure: bytes
    grid: Grid
    order: int
    time: Coordinate | None
    space: tuple[Coordinate, ...]
    unknowns: tuple[Scalar, ...]
    depths: tuple[int, ...]
    residuals: tuple[Scalar, ...]
    fluxes: dict[Expr, Flux]
    faces: tuple[Face, ...]
    gauges: tuple[Gauge, ...]

    def _key(self) -> tuple[object, ...]:
        return (self.structure, self.grid, self.order)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, System) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    @property
    def rates(self) -> tuple[Scalar, ...]:
        """The time derivative of each unknown that its equation determines."""
        assert self.time is not None
        return tuple(D(u, *[self.time] * m) for u, m in zip(self.unknowns, self.depths, strict=True))

    @property
    def masses(self) -> tuple[tuple[Scalar, ...], ...]:
        """Coefficient of rate j in equation i."""
        return tuple(tuple(partial(e, rate) for rate in self.rates) for e in self.residuals)

    @property
    def rows(self) -> tuple[tuple[int, int], ...]:
        """What each row of a state holds: unknown and time derivative, unknown by unknown."""
        return tuple((i, k) for i, depth in enumerate(self.depths) for k in range(max(depth, 1)))

    def position(self, atom: Scalar) -> tuple[int, int, tuple[int, ...]]:
        """Unknown, time derivative and space derivatives of a field atom."""
        index = [x.name for x in multi_index(atom)]
        orders = tuple(index.count(axis.name) for axis in self.grid.axes)
        return self.unknowns.index(scalar_leaf(atom)), len(index) - sum(orders), orders  # type: ignore[arg-type]

    def determined(self, level: int) -> np.ndarray:
        """Which nodes of which unknown conditions of a level determine, shape `(unknowns, *grid)`."""
        mask = np.zeros((len(self.unknowns), *self.grid.shape), dtype=bool)
        for face in self.faces:
            if face.level == level:
                for owner, layer in zip(face.owners, face.layers, strict=True):
                    mask[(owner, *self.layer(face, layer))] = True
        return mask

    def layer(self, face: Face, depth: int) -> tuple[slice | int, ...]:
        """Index of the nodes at a distance from a face."""
        where = [slice(None)] * len(self.grid.axes)
        where[face.axis] = -1 - depth if face.upper else depth  # type: ignore[call-overload]
        return tuple(where)


def read_system(problem: Problem, grid: Grid, order: int) -> System:
    """Read a problem that passed the solver's check.

    Raises:
        LoweringError: a rough coefficient is differentiated outside a flux.
        UnsupportedProblemError: an unknown without a time derivative or without an equation of its own, or conditions
            at a face that no assignment to nodes can satisfy.
    """
    taken = frozenset(f.name for f in problem.fields) | frozenset(problem.coefficients) | frozenset(problem.parameters)
    separation = Separation(problem.coordinates, taken)
    residuals = tuple(separation.lower(part) for e in problem.equations for part in scalar_residuals(e))
    unknowns = problem.unknowns
    orders = [field_orders(e, separation.fluxes) for e in residuals]
    depths = tuple(max((o.get((u, problem.time), 0) for o in orders), default=0) for u in unknowns)
    if problem.time is not None and min(depths) == 0:
        raise UnsupportedProblemError(
            f"{unknowns[depths.index(0)]!r} without one",
            "a time derivative of every unknown",
            "eliminate the field, or use a solver for constrained systems",
        )
    matched = match_equations(orders, unknowns, problem.time)
    normal = {(u, x): max((o.get((u, x), 0) for o in orders), default=0) for u in unknowns for x in problem.space}
    return System(
        structure=problem.structure,
        grid=grid,
        order=order,
        time=problem.time,
        space=problem.space,
        unknowns=unknowns,
        depths=depths,
        residuals=tuple(residuals[i] for i in matched),
        fluxes=separation.fluxes,
        faces=read_faces(problem, normal),
        gauges=tuple(_read_gauge(problem, c) for c in problem.placed_conditions if c.kind is ConditionKind.GAUGE),
    )


Orders = dict[tuple[Expr, Coordinate | None], int]


def field_orders(e: Scalar, fluxes: dict[Expr, Flux]) -> Orders:
    """Highest derivative of every unknown along every coordinate in a separated residual, fluxes opened."""
    found: Orders = {}
    for atom in atoms(e):
        if atom in fluxes:
            flux = fluxes[atom]
            inner = [field_orders(part, fluxes) for part in (flux.advective, flux.diffusive)]
            for u, x in dict.fromkeys(key for orders in inner for key in orders):
                more = x is not None and x.digest == flux.along.digest
                _raise(found, (u, x), max(orders.get((u, x), 0) for orders in inner) + more)
        elif is_unknown(atom):
            leaf, index = scalar_leaf(atom), multi_index(atom)
            if leaf is None or leaf.frame is None:
                continue
            for name in leaf.frame.names:
                count = sum(y.name == name for y in index)
                _raise(found, (leaf, Coordinate(name, leaf.frame)), count)
    return found


def _raise(found: Orders, key: tuple[Expr, Coordinate | None], order: int) -> None:
    found[key] = max(found.get(key, 0), order)


def match_equations(orders: list[Orders], unknowns: Iterable[Scalar], time: Coordinate | None) -> list[int]:
    """For each unknown the equation that determines it: the one with its time derivative, or its highest derivative.

    Raises:
        UnsupportedProblemError: some unknown is left without an equation, such as the pressure of a flow.
    """
    gain = np.array([_claims(orders, u, time) for u in unknowns])
    rows, columns = scipy.optimize.linear_sum_assignment(gain, maximize=True)
    if (gain[rows, columns] < 0).any():
        raise UnsupportedProblemError(
            "an unknown without its own",
            "for each unknown one equation that holds its highest derivative",
            "use a solver for constrained systems",
        )
    return [int(j) for j in columns]


def _claims(orders: list[Orders], u: Scalar, time: Coordinate | None) -> list[float]:
    """How well each equation determines an unknown; hopeless where its highest derivative is absent."""
    held = [{x: m for (leaf, x), m in own.items() if leaf.digest == u.digest} for own in orders]
    if time is not None:
        return [1.0 if own.get(time, 0) else _HOPELESS for own in held]
    highest = max((max(own.values()) for own in held if own), default=0)
    return [float(sum(own.values())) if own and max(own.values()) == highest else _HOPELESS for own in held]


def read_faces(problem: Problem, normal_orders: dict[tuple[Scalar, Coordinate], int]) -> tuple[Face, ...]:
    """Group the face conditions by face and level, and give each a node to determine."""
    groups: dict[tuple[int, bool, int], list[PlacedCondition]] = {}
    for condition in problem.placed_conditions:
        place = condition.place
        if not place.is_face or place.axis is None or condition.kind is ConditionKind.PERIODIC:
            continue
        axis = [x.name for x in problem.space].index(place.axis.name)
        level = max((_time_order(a, problem.time) for a in atoms(condition.residual) if is_unknown(a)), default=0)
        groups.setdefault((axis, place.side is Side.UPPER, level), []).append(condition)
    faces = []
    used: dict[tuple[int, bool, int], int] = {}
    for (axis, upper, level), conditions in sorted(
        groups.items(), key=lambda item: (item[0][0], item[0][2], item[0][1])
    ):
        x = problem.space[axis]
        room = [(normal_orders[u, x] + 1) // 2 - used.get((axis, upper, i), 0) for i, u in enumerate(problem.unknowns)]
        owners = assign_conditions(conditions, problem.unknowns, room)
        layers = []
        for owner in owners:
            layers.append(used.get((axis, upper, owner), 0))
            used[axis, upper, owner] = layers[-1] + 1
        affine = all(split(c.residual).is_linear for c in conditions)
        residuals = tuple(c.residual for c in conditions)
        faces.append(Face(axis, upper, residuals, tuple(owners), tuple(layers), level, affine))
    return tuple(faces)


def _read_gauge(problem: Problem, condition: PlacedCondition) -> Gauge:
    held = next(leaf for leaf in scalar_fields(condition.residual))
    return Gauge(condition.residual, problem.box.place_values(condition.place), problem.unknowns.index(held))


def _time_order(atom: Scalar, time: Coordinate | None) -> int:
    return sum(x.is_time for x in multi_index(atom)) if time is not None else 0


def assign_conditions(conditions: list[PlacedCondition], unknowns: tuple[Scalar, ...], room: list[int]) -> list[int]:
    """For each condition an unknown in it whose nodes near the face it determines.

    Args:
        conditions: conditions at one face.
        unknowns: the scalar unknowns.
        room: how many conditions each unknown can take there: half its order along the normal, rounded up.

    Raises:
        UnsupportedProblemError: more conditions than the orders of the unknowns allow.
    """
    slots = [i for i, count in enumerate(room) for _ in range(count)]
    held = [{leaf.digest for a in atoms(c.residual) if (leaf := scalar_leaf(a)) is not None} for c in conditions]
    gain = np.array([[1.0 if unknowns[i].digest in leaves else _HOPELESS for i in slots] for leaves in held])
    if len(slots) >= len(conditions):
        rows, columns = scipy.optimize.linear_sum_assignment(gain, maximize=True)
        if (gain[rows, columns] > 0).all():
            return [slots[j] for j in columns]
    place = conditions[0].place
    raise UnsupportedProblemError(
        f"{len(conditions)} conditions at the face {place}",
        "at most half the order along its normal, rounded up, for each unknown that is differentiated there",
        "remove the surplus condition",
    )
