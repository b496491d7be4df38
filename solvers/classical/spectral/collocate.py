"""Problems on boxes by collocation: steady ones by refinement, those in time by slabs of space–time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sciml.results import RESULTS
from solvers.classical.given import start_value
from solvers.classical.krylov import NewtonOutcome
from solvers.classical.spectral.box_form import BoxForm
from solvers.classical.spectral.box_system import BoxSystem, Start
from solvers.classical.spectral.gauge import impose_gauges
from solvers.classical.spectral.node_solver import NodeSolver
from solvers.classical.spectral.tensor_grid import GridAxis, TensorGrid

Array = NDArray[np.float64]

TIME_NODES = 16
_FIRST_NODES = {1: 32, 2: 16, 3: 12}
_MOST_NODES = {1: 1024, 2: 512, 3: 96, 4: 40, 5: 20}
_MOST_HALVINGS = 12
_TRIALS = 5
_ALIASED = 1e-2
_TIME_FIRST = 100.0
_GROWTH = 2.0 ** (TIME_NODES - 2)


@final
class Slab(NamedTuple):
    """The solution on one interval of time (the only one, for a steady problem): values on a tensor grid."""

    grid: TensorGrid
    values: Array


@final
class Collocated(NamedTuple):
    """Slabs in order, how the computation ended, and its cost.

    Args:
        slabs: computed slabs.
        result: how it ended.
        tail: largest share of a solution's norm in its last coefficients.
        correction: largest last relative correction of Newton's method.
        iterations: Newton steps.
        products: directional derivatives.
    """

    slabs: tuple[Slab, ...]
    result: RESULTS
    tail: float
    correction: float
    iterations: int
    products: int


@final
@dataclass
class _Account:
    """What has been computed so far, and its worst estimates."""

    solver: NodeSolver
    correction: float = 0.0
    tail: float = 0.0
    slabs: list[Slab] = field(default_factory=list)

    def close(self, result: RESULTS) -> Collocated:
        count = self.solver
        return Collocated(tuple(self.slabs), result, self.tail, self.correction, count.iterations, count.products)


def solve_steady(
    form: BoxForm,
    *,
    rtol: float,
    resolution: int | None,
    most_points: int | None,
    proceed: Callable[[float, int], RESULTS | None],
) -> Collocated:
    """Solve on finer and finer grids until the coefficients of the solution decay to the tolerance.

    Args:
        form: from `box_form`.
        rtol: relative l2 size of the last coefficients, and of Newton's last correction.
        resolution: nodes per axis; None refines.
        most_points: bound on the nodes per axis when refining.
        proceed: asked before every refinement with the last tail and the Newton steps; an outcome ends the run.

    Returns:
        One slab.
    """
    account, dimensions = _Account(NodeSolver(rtol / 100)), len(form.axes)
    most = most_points or _MOST_NODES.get(dimensions, 12)
    grid = first_grid(form, [resolution or min(_FIRST_NODES.get(dimensions, 8), most)] * dimensions)
    system = BoxSystem(form, grid, {}) if resolution else _resolving_sources(form, grid, most)
    values = np.zeros(system.shape)
    while True:
        grid, outcome = system.grid, account.solver(system, values)
        converged = account.solver.converged(outcome)
        values, account.correction = impose_gauges(form, grid, outcome.values), outcome.error
        tails = grid.tails(values) if converged else np.full(dimensions, np.inf)
        account.slabs, account.tail = [Slab(grid, values)], float(tails.max())
        finer = None if resolution else raised(grid, tails, rtol, most)
        if finer is None:
            return account.close(_verdict(outcome, account.tail, rtol) if converged else outcome.result)
        if (ended := proceed(account.tail, account.solver.iterations)) is not None:
            return account.close(ended)
        system = BoxSystem(form, finer, {})
        values = grid.interpolate(values, finer) if converged else np.zeros(system.shape)


def _resolving_sources(form: BoxForm, grid: TensorGrid, most: int) -> BoxSystem:
    """The system on the first grid on which what is given in the equations is not mistaken for something else."""
    system = BoxSystem(form, grid, {})
    while True:
        sources = system.sources()
        finer = (
            raised(system.grid, system.grid.tails(sources), _ALIASED, most) if np.all(np.isfinite(sources)) else None
        )
        if finer is None:
            return system
        system = BoxSystem(form, finer, {})


def _verdict(outcome: NewtonOutcome, tail: float, rtol: float) -> RESULTS:
    if tail > rtol:
        return RESULTS.under_resolved
    return RESULTS.successful if outcome.error <= rtol else RESULTS.stagnated


def first_grid(form: BoxForm, counts: Sequence[int]) -> TensorGrid:
    """A grid on the box with this many nodes per axis; periodic axes get the next odd number."""
    axes = []
    for axis, count in zip(form.axes, counts, strict=True):
        periodic = axis.name in form.box.periodic
        axes.append(GridAxis(axis.name, form.box.bounds[axis.name], count | 1 if periodic else count, periodic))
    return TensorGrid(tuple(axes))


def raised(grid: TensorGrid, tails: Array, rtol: float, most: int) -> TensorGrid | None:
    """A grid with half as many nodes again, or twice as many, on the axes that are not resolved; None at the bound."""
    axes = []
    for axis, tail in zip(grid.axes, tails, strict=True):
        count = axis.count
        if tail > rtol:
            count = min(2 * count if tail > np.sqrt(rtol) else (3 * count + 1) // 2, most)
            count |= int(axis.periodic)
        axes.append(GridAxis(axis.name, axis.bounds, max(count, axis.count), axis.periodic))
    finer = TensorGrid(tuple(axes))
    return None if finer == grid else finer


def solve_slabs(
    form: BoxForm,
    *,
    rtol: float,
    resolution: int | None,
    most_points: int | None,
    proceed: Callable[[float, int], RESULTS | None],
) -> Collocated:
    """March in slabs of space–time, each solved whole by Newton's method: implicit, of spectral order in time.

    A slab is halved when Newton's method fails on it or its series in time does not decay; space is refined when its
    series in space does not.

    Args:
        form: from `box_form`, with time as first axis.
        rtol: relative l2 size of the last coefficients, and of Newton's last correction.
        resolution: nodes per spatial axis; None refines.
        most_points: bound on the nodes per spatial axis when refining.
        proceed: asked before every slab with the time reached and the Newton steps; an outcome ends the run.

    Returns:
        The slabs.
    """
    dimensions = len(form.axes) - 1
    most = most_points or _MOST_NODES.get(dimensions + 1, _MOST_NODES[5])
    first = resolution or min(_FIRST_NODES.get(dimensions + 1, _FIRST_NODES[3]), most)
    grid = first_grid(form, [TIME_NODES, *[first] * dimensions])
    while (finer := None if resolution else _resolving_start(form, grid, most)) is not None:
        grid = finer
    space = grid.axes[1:]
    march = _SlabMarch(form, rtol, 0 if resolution else most, space, _Account(NodeSolver(rtol / 100)))
    while march.index < 2**march.halvings:
        ended = proceed(march.interval[0], march.account.solver.iterations) or march.attempt()
        if ended is not None:
            return march.account.close(ended)
    accurate = max(march.account.tail, march.account.correction) <= rtol
    return march.account.close(RESULTS.successful if accurate else RESULTS.under_resolved)


def _resolving_start(form: BoxForm, grid: TensorGrid, most: int) -> TensorGrid | None:
    """A finer grid, if the initial data are not resolved on this one."""
    space = TensorGrid(grid.axes[1:])
    tails = [space.tails(value) for value in initial_data(form, grid).values()]
    return raised(grid, np.concatenate([[0.0], np.max(tails, axis=0)]), _ALIASED, most)


@final
@dataclass
class _SlabMarch:
    """Where a march in slabs stands: its place in the binary tree of slabs, the spatial grid, the last state."""

    form: BoxForm
    rtol: float
    most: int
    space: tuple[GridAxis, ...]
    account: _Account
    halvings: int = 0
    index: int = 0
    start: tuple[TensorGrid, Start] | None = None
    tried: list[float] = field(default_factory=list)

    @property
    def interval(self) -> tuple[float, float]:
        """The slab that is next."""
        first, last = self.form.box.bounds[self.form.axes[0].name]
        length = (last - first) / 2**self.halvings
        end = last if self.index + 1 == 2**self.halvings else first + (self.index + 1) * length
        return first + self.index * length, end

    def attempt(self) -> RESULTS | None:
        """Solve the next slab; accept it, or halve it, or refine space. An outcome ends the march."""
        form, rtol = self.form, self.rtol
        grid = TensorGrid((GridAxis(form.axes[0].name, self.interval, TIME_NODES), *self.space))
        data = initial_data(form, grid) if self.start is None else _moved(*self.start, TensorGrid(self.space))
        outcome = self.account.solver(BoxSystem(form, grid, data), _constant_guess(form, grid, data))
        converged = self.account.solver.converged(outcome)
        tails = grid.tails(outcome.values) if converged else np.full(len(grid.axes), np.inf)
        finer = raised(grid, np.concatenate([[0.0], tails[1:]]), rtol, self.most) if converged and self.most else None
        if self._too_long(tails, finer):
            self.halvings, self.index = self.halvings + 1, 2 * self.index
            self.tried.append(float(tails[0]))
            return None
        if finer is not None:
            self.space = finer.axes[1:]
            return None
        if not converged:
            return outcome.result
        self._accept(grid, outcome, tails)
        return None

    def _too_long(self, tails: Array, finer: TensorGrid | None) -> bool:
        """Whether to halve the slab: not where space is to be refined first, nor where halving has ceased to help."""
        if tails[0] <= self.rtol or self.halvings == _MOST_HALVINGS:
            return False
        if finer is not None and tails[0] <= _TIME_FIRST * tails[1:].max():
            return False
        hopeless = len(self.tried) > _TRIALS and tails[0] > self.tried[-_TRIALS] / 2
        return not (hopeless and np.isfinite(tails[0]))

    def _accept(self, grid: TensorGrid, outcome: NewtonOutcome, tails: Array) -> None:
        self.account.slabs.append(Slab(grid, outcome.values))
        self.account.tail = max(self.account.tail, float(tails.max()))
        self.account.correction = max(self.account.correction, outcome.error)
        self.start = TensorGrid(self.space), _end_data(self.form, grid, outcome.values)
        self.index += 1
        self.tried.clear()
        growth = tails[0] * _GROWTH
        while self.halvings and self.index % 2 == 0 and growth < self.rtol:
            self.halvings, self.index, growth = self.halvings - 1, self.index // 2, growth * _GROWTH


def initial_data(form: BoxForm, grid: TensorGrid) -> Start:
    """Values, and for second order rates, of every field at the first time, on the spatial grid."""
    points = grid.points()
    time = form.axes[0].name
    points[time] = np.full_like(points[time][:1], form.box.bounds[time][0])
    data = {}
    for j in range(len(form.unknowns)):
        for order, condition in enumerate(form.conditions[j, 0][0]):
            value = start_value(condition, points, form.given)
            data[j, order] = np.broadcast_to(value, (1, *grid.shape[1:]))[0]
    return data


def _moved(old: TensorGrid, data: Start, new: TensorGrid) -> Start:
    return {key: old.interpolate(value, new) for key, value in data.items()}


def _end_data(form: BoxForm, grid: TensorGrid, values: Array) -> Start:
    """Values and rates at the end of a slab."""
    still = [0] * (len(grid.axes) - 1)
    return {
        (j, order): grid.differentiate(values[j], (order, *still))[-1]
        for j in range(len(form.unknowns))
        for order in range(len(form.conditions[j, 0][0]))
    }


def _constant_guess(form: BoxForm, grid: TensorGrid, data: Start) -> Array:
    """The fields at the start, held for the whole slab; zero for a field without initial data."""
    zero = np.zeros(grid.shape[1:])
    return np.stack([np.broadcast_to(data.get((j, 0), zero), grid.shape) for j in range(len(form.unknowns))])
