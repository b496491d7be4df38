"""Evolution problems by Fourier series and exponential steps: periodic axes, and axes continued by parity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.box import Box
from sciml.errors import UnsupportedProblemError
from sciml.expr.classify import orders
from sciml.expr.evolution import Evolution, evolution, first_order
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.traverse import atoms, coordinates_of, multi_index, scalar_leaf
from sciml.known import Arguments
from sciml.problem import Problem
from sciml.results import RESULTS
from solvers.classical import fourier
from solvers.classical.given import start_value
from solvers.classical.marching import Semilinear, Trajectory, march
from solvers.classical.spectral.faces import Faces, face_conditions
from solvers.classical.spectral.parity import parity
from solvers.classical.spectral.periodic import ConstantPart, Period, constant_part, semilinear

Complex = NDArray[np.complex128]

_FIRST_POINTS = {1: 128, 2: 32, 3: 16}
_MOST_POINTS = {1: 16384, 2: 512, 3: 128}
_INITIAL_POINTS = {1: 2**17, 2: 2048, 3: 256}


@final
@dataclass(frozen=True)
class Series:
    """A problem whose solution is a Fourier series in space.

    Args:
        part: its evolution form, the constant-coefficient part apart.
        periods: one for each spatial axis.
        initial: the condition that sets each unknown at the first time.
        time: the time coordinate.
        box: the domain.
        given: the problem's numbers.
    """

    part: ConstantPart
    periods: tuple[Period, ...]
    initial: tuple[PlacedCondition, ...]
    time: Coordinate
    box: Box
    given: Arguments

    @property
    def lengths(self) -> tuple[float, ...]:
        """The periods."""
        return tuple(period.length for period in self.periods)


def series_form(problem: Problem) -> Series | str:
    """The problem as a Fourier series in space, or the sentence that says why it is none."""
    box, time = problem.box, problem.time
    if time is None:
        return "the problem is steady"
    form = _evolution(problem, time)
    if isinstance(form, str):
        return form
    faces = face_conditions(problem.placed_conditions)
    periods: list[Period] = []
    for axis in problem.space:
        period = _period(axis, box, form, faces, problem)
        if isinstance(period, str):
            return period
        periods.append(period)
    initial = _initial_conditions(form[1], faces)
    if isinstance(initial, str):
        return initial
    part = constant_part(form[0], problem.space, box.bounds, problem.arguments)
    if (stiff := _stiff_term(form[0], part)) is not None:
        return f"the nonlinear term with `{stiff!r}` is as stiff as the linear part"
    return Series(part, tuple(periods), initial, time, box, problem.arguments)


def _evolution(problem: Problem, time: Coordinate) -> tuple[Evolution, tuple[tuple[Scalar, ConditionKind], ...]] | str:
    """The evolution form, and for each of its unknowns the field and kind of condition that start it."""
    equations, owners = list(problem.equations), {}
    try:
        if any(along.get(time, 0) > 1 for along in orders(*problem.residuals).values()):
            equations, velocities = first_order(equations, time)
            owners = {velocity.digest: leaf for leaf, velocity in velocities.items()}
        form = evolution(equations, time)
    except UnsupportedProblemError as refusal:
        return str(refusal)
    starts = tuple(
        (owners[u.digest], ConditionKind.INITIAL_RATE) if u.digest in owners else (u, ConditionKind.INITIAL)
        for u in form.unknowns
    )
    return form, starts


def _period(
    axis: Coordinate,
    box: Box,
    form: tuple[Evolution, tuple[tuple[Scalar, ConditionKind], ...]],
    faces: Faces,
    problem: Problem,
) -> Period | str:
    lower, length = box.bounds[axis.name][0], box.length(axis.name)
    if axis.name in box.periodic:
        return Period(axis, lower, length)
    signs: dict[Scalar, int] = {}
    for unknown, (owner, _) in zip(form[0].unknowns, form[1], strict=True):
        sign = faces.parity(owner, axis)
        if sign is None:
            return f"the conditions on {owner!r} along {axis.name} are not those of a sine or cosine series"
        signs[unknown] = sign
    numbers: dict[Scalar, float] = {p: float(p.value) for p in problem.parameters.values() if p.value is not None}
    for unknown, rate in zip(form[0].unknowns, form[0].right_hand_sides(), strict=True):
        if parity(rate, axis, signs, box.bounds, numbers) != signs[unknown]:
            return f"the equation of {unknown!r} does not preserve parity along {axis.name}"
    return Period(axis, lower, 2 * length, tuple(signs[u] for u in form[0].unknowns))


def _initial_conditions(
    starts: Sequence[tuple[Scalar, ConditionKind]], faces: Faces
) -> tuple[PlacedCondition, ...] | str:
    found = [faces.initial(owner, kind) for owner, kind in starts]
    for (owner, kind), condition in zip(starts, found, strict=True):
        if condition is None:
            return f"there is no condition of kind '{kind.value}' on {owner!r}"
    return tuple(condition for condition in found if condition is not None)


def _stiff_term(form: Evolution, part: ConstantPart) -> Scalar | None:
    """A derivative in the nonlinear terms that is as high as those of L: explicit, it would make every step short."""
    for atom in atoms(*form.nonlinear):
        order = len(multi_index(atom))
        if scalar_leaf(atom) is not None and order >= 2 and order >= part.order:
            return atom
    return None


def solve_series(
    series: Series,
    *,
    rtol: float,
    resolution: int | None,
    most_points: int | None,
    dealias: bool,
    proceed: Callable[[float, int], RESULTS | None],
) -> tuple[Trajectory, Series, tuple[int, ...]]:
    """March the series to the final time, refining in space until its tail is below the tolerance.

    Args:
        series: from `series_form`.
        rtol: relative l2 accuracy asked of every part of the computation.
        resolution: grid points along each axis of the box; None refines from a coarse grid.
        most_points: bound on the grid points per axis when refining.
        dealias: whether products are formed by the 2/3 rule.
        proceed: asked before every panel with the time reached and the steps taken; an outcome ends the run.

    Returns:
        The trajectory, the series with the periods that were used, and the grid points per axis of its last panel.
    """
    dimensions = len(series.periods)
    most = most_points or _MOST_POINTS.get(dimensions, _MOST_POINTS[3])
    points = [resolution or _FIRST_POINTS.get(dimensions, _FIRST_POINTS[3])] * dimensions
    continued = [2 * n if period.parities else n for n, period in zip(points, series.periods, strict=True)]
    source = _initial_spectrum(series, continued if resolution else _initial_points(series, continued, rtol))
    series, source = _folded(series, source)
    for axis, period in enumerate(series.periods):
        points[axis] = round(points[axis] * period.length / series.box.length(period.axis.name))
    refinement = _Refinement(series, points, source, most if resolution is None else 0, rtol, dealias)
    trajectory = march(
        refinement.system(),
        refinement.initial,
        series.box.bounds[series.time.name],
        rtol=rtol,
        refine=refinement.refine,
        tail=lambda states: float(fourier.tail_fraction(states, dimensions).max()),
        project=refinement.project,
        proceed=proceed,
    )
    return trajectory, series, tuple(points)


@final
class _Refinement:
    """The grid of a march, raised axis by axis where the series does not decay."""

    def __init__(
        self, series: Series, points: list[int], source: Complex, most: int, rtol: float, dealias: bool
    ) -> None:
        self.series, self.points, self.source = series, points, source
        self.most, self.rtol, self.dealias = most, rtol, dealias
        self.initial = self.resized(source)

    def resized(self, spectrum: Complex) -> Complex:
        return fourier.resize(spectrum, [fourier.cutoff(n, dealias=self.dealias) for n in self.points])

    def system(self) -> Semilinear:
        s = self.series
        return semilinear(s.part, s.periods, s.time, self.points, s.given, dealias=self.dealias)

    def refine(self, state: Complex, states: Complex) -> tuple[Semilinear, Complex] | None:
        unresolved = fourier.tail_fraction(states, len(self.points)) > self.rtol
        raised = [max(n, min(2 * n, self.most)) if high else n for n, high in zip(self.points, unresolved, strict=True)]
        if raised == self.points:
            return None
        at_start = state is self.initial
        self.points[:] = raised
        if at_start:  # the modes that the coarser grid had cut are known
            state = self.initial = self.resized(self.source)
            return self.system(), state
        return self.system(), self.resized(state)

    def project(self, state: Complex) -> Complex:
        dimensions = len(self.points)
        for axis, period in enumerate(self.series.periods):
            if period.parities is not None:
                sign = np.reshape(period.parities, [-1, *[1] * dimensions])
                state = fourier.symmetrise(state, axis, dimensions, sign)
        return state


def _folded(series: Series, source: Complex) -> tuple[Series, Complex]:
    """The series on half the continued period wherever data and equations repeat after the length of the box."""
    periods, dimensions = list(series.periods), len(series.periods)
    for axis, period in enumerate(periods):
        explicit = any(
            x.digest == period.axis.digest for e in series.part.rates for x in coordinates_of(*_without_fields(e))
        )
        if period.parities is None or explicit:
            continue
        half = fourier.even_modes(source, axis, dimensions)
        if half is not None:
            source = half
            periods[axis] = replace(period, length=period.length / 2)
    return replace(series, periods=tuple(periods)), source


def _without_fields(e: Scalar) -> tuple[Scalar, ...]:
    return tuple(atom for atom in atoms(e) if scalar_leaf(atom) is None)


def _initial_points(series: Series, points: Sequence[int], rtol: float) -> list[int]:
    """A grid on which the initial data are resolved, or the finest that is affordable.

    Data that are not smooth are truncated from a grid much finer than the solver's, so that the modes that decay at
    once do not fold back on those that stay.
    """
    dimensions, finer = len(points), [4 * n for n in points]
    while max(finer) < _INITIAL_POINTS.get(dimensions, _INITIAL_POINTS[3]):
        if fourier.tail_fraction(_initial_spectrum(series, finer), dimensions).max() < rtol / 100:
            break
        finer = [2 * n for n in finer]
    return finer


def _initial_spectrum(series: Series, points: Sequence[int]) -> Complex:
    """Modes of the initial data, shape (fields, modes...)."""
    dimensions = len(points)
    mesh: dict[str, Any] = {series.time.name: series.box.bounds[series.time.name][0]}
    shape = []
    for axis, (period, count) in enumerate(zip(series.periods, points, strict=True)):
        half = period.parities is not None
        places = np.arange(count // 2 + 1 if half else count) / count * period.length + period.origin
        mesh[period.axis.name] = places.reshape([-1 if other == axis else 1 for other in range(dimensions)])
        shape.append(places.size)
    values = np.stack([np.broadcast_to(start_value(c, mesh, series.given), shape) for c in series.initial])
    for axis, period in enumerate(series.periods):
        if period.parities is not None:
            values = np.stack(
                [fourier.extend(part, sign, axis) for part, sign in zip(values, period.parities, strict=True)]
            )
    return fourier.from_grid(values, [fourier.cutoff(n, dealias=False) for n in points])
