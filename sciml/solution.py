"""Solution: fields as functions of named coordinates, with how they were obtained."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.domains.domain import Points
from sciml.domains.grids import AbstractGrid, Grid
from sciml.errors import DomainError, SolveError
from sciml.expr.build import components
from sciml.expr.equation import Equation
from sciml.expr.evaluation import evaluate
from sciml.expr.nodes import Constant
from sciml.expr.traverse import atoms, substitute
from sciml.known import BoundLaws, known_values
from sciml.results import RESULTS

if TYPE_CHECKING:
    import xarray

    from sciml.problem import Problem
    from sciml.reference import AbstractReference
    from sciml.spectrum import SpectralLines


class AbstractRepresentation(eqx.Module):
    """How a solver stores fields: a function of points that JAX can differentiate."""

    @abstractmethod
    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        """Values `(n,)` of every scalar unknown, by its name (`u`, `v[0]`), at points `(n,)` by coordinate name."""

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array] | None:
        """Values `(n_1, …, n_d)` on the tensor grid of `nodes`, if there is a cheaper way than point by point."""
        return None

    def spectrum(self) -> dict[str, SpectralLines] | None:
        """Spectral lines by coordinate, if the fields are made of such."""
        return None


@final
@dataclass(frozen=True)
class Estimate:
    """An inferred number: value and standard error (None where the solver gives none)."""

    value: float
    standard_error: float | None = None

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.6g}" + ("" if self.standard_error is None else f" ± {self.standard_error:.2g}")


@final
@dataclass(frozen=True)
class Stats:
    """What a solve cost.

    Attributes:
        compile: seconds of tracing and compilation (as far as the solver can tell them apart).
        solve: seconds of computation.
        evaluate: seconds of evaluating the solution, summed over calls of `errors` and `to_xarray`.
        total: wall seconds of `solve`, everything included.
        peak_memory_mb: largest resident memory of the process so far, in MiB.
        iterations: steps, Newton iterations or training iterations.
        unknowns: numbers that were solved for.
        extra: what else the solver measured, such as its own error estimate.
    """

    compile: float = 0.0
    solve: float = 0.0
    evaluate: float = 0.0
    total: float = 0.0
    peak_memory_mb: float = 0.0
    iterations: int = 0
    unknowns: int = 0
    extra: dict[str, float] = field(default_factory=dict)


@final
@dataclass(frozen=True, eq=False)
class Solution:
    """Fields that satisfy a problem, as far as `result` and `stats` say.

    Call it with named coordinates: `solution(t=0.5, x=xs)` broadcasts its arguments and returns an array for a problem
    of one scalar field, else a dictionary of arrays by field name, vectors with their components first, `(n, *batch)`.

    Attributes:
        problem: what was solved.
        solver: name and hyperparameters of the solver, as text.
        representation: the fields.
        result: how the computation ended.
        parameters: estimates of unknown parameters, and the numbers of known ones.
        stats: cost.
        history: arrays of equal length by name, such as `step`, `loss`.
        deviation: representation of the standard deviation, for solvers with uncertainty.
    """

    problem: Problem
    solver: str
    representation: AbstractRepresentation
    result: RESULTS = RESULTS.successful
    parameters: dict[str, Estimate] = field(default_factory=dict)
    stats: Stats = field(default_factory=Stats)
    history: dict[str, np.ndarray] = field(default_factory=dict)
    deviation: AbstractRepresentation | None = None

    def __call__(self, **coordinates: Any) -> Any:
        return self._gather(self.values(coordinates, self.representation))

    def std(self, **coordinates: Any) -> Any:
        """Standard deviation of the fields, shaped like the fields.

        Raises:
            SolveError: the solver gives no uncertainty.
        """
        if self.deviation is None:
            raise SolveError(f"no uncertainty from {self.solver}", "a solver that has one", "use a Gaussian process")
        return self._gather(self.values(coordinates, self.deviation))

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The problem's equations with estimates in place of its parameters: what any other solver takes."""
        numbers: dict[Any, Any] = {
            p: Constant(self.parameters[name].value)
            for name, p in self.problem.parameters.items()
            if name in self.parameters
        }
        return tuple(Equation(substitute(e.lhs, numbers), substitute(e.rhs, numbers)) for e in self.problem.equations)

    def spectrum(self) -> dict[str, SpectralLines]:
        """The spectral lines that the solver learned, by coordinate; `sciml.plotting.plot_spectrum` draws them.

        Raises:
            SolveError: the solver has no spectrum.
        """
        lines = self.representation.spectrum()
        if lines is None:
            raise SolveError(f"no spectrum from {self.solver}", "a solver that learns one", "use a Gaussian process")
        return lines

    def values(
        self, coordinates: Mapping[str, Any], representation: AbstractRepresentation | None = None
    ) -> dict[str, Any]:
        """Values of every scalar unknown, by name, at coordinates that broadcast.

        Raises:
            DomainError: a coordinate is missing, unknown, not finite, or outside the domain.
        """
        points, shape = self._points(coordinates)
        values = _evaluate_in_chunks(representation or self.representation, points)
        return {name: value.reshape(shape) for name, value in values.items()}

    def on_grid(
        self, grid: AbstractGrid, representation: AbstractRepresentation | None = None
    ) -> dict[str, np.ndarray]:
        """Values of every scalar unknown, by name, of the grid's shape; axis by axis where the representation can.

        Raises:
            DomainError: the grid has other coordinates, or reaches outside the domain.
        """
        representation = representation or self.representation
        if isinstance(grid, Grid):
            self._points({name: np.array([x.min(), x.max()]) for name, x in grid.nodes.items()})
            made = _on_axes(representation, {name: jnp.asarray(x) for name, x in grid.nodes.items()})
            if made is not None:
                return {name: np.asarray(v) for name, v in made.items()}
        return self.values({name: np.asarray(p) for name, p in grid.points().items()}, representation)

    def _points(self, coordinates: Mapping[str, Any]) -> tuple[Points, tuple[int, ...]]:
        names = self.problem.domain.frame.names
        if set(coordinates) != set(names):
            raise DomainError(
                f"coordinates {sorted(coordinates)}", f"a value for each of {names}", "call solution(t=…, x=…)"
            )
        try:
            arrays = {name: np.asarray(coordinates[name], dtype=float) for name in names}
        except (TypeError, ValueError):
            raise DomainError(f"coordinates {dict(coordinates)!r}", "arrays of numbers", "convert them") from None
        try:
            shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
        except ValueError:
            shapes = {name: a.shape for name, a in arrays.items()}
            raise DomainError(f"coordinates of shapes {shapes}", "shapes that broadcast", "fix the shapes") from None
        flat = {name: jnp.asarray(np.broadcast_to(a, shape).reshape(-1)) for name, a in arrays.items()}
        if not all(bool(jnp.isfinite(a).all()) for a in flat.values()):
            raise DomainError("coordinates that are not finite", "finite numbers", "drop them")
        if not bool(jnp.all(self.problem.domain.contains(flat))):
            raise DomainError("points outside the domain", f"points inside {self.problem.domain!r}", "stay inside it")
        return flat, shape

    def _gather(self, values: dict[str, Any]) -> Any:
        fields = {}
        for f in self.problem.fields:
            parts = [values[repr(part)] for part in components(f)]
            fields[f.name] = np.stack(parts).reshape(*f.shape, *parts[0].shape) if f.shape else parts[0]
        return next(iter(fields.values())) if len(fields) == 1 and not self.problem.fields[0].shape else fields

    def residual(self, points: Mapping[str, Any]) -> list[np.ndarray]:
        """Residual `lhs - rhs` of every scalar equation at points, one array for each.

        Derivatives are those of the representation, by automatic differentiation.
        """
        from sciml.jets import jets

        flat, shape = self._points(points)
        needed = atoms(*self.problem.residuals)
        estimates = {name: e.value for name, e in self.parameters.items()}
        arguments = self.problem.arguments.with_parameters(estimates)

        def at(one: dict[str, jax.Array]) -> tuple[jax.Array, ...]:
            known = known_values(needed, one, arguments)
            jet = jets(lambda p: _point_values(self.representation, p), needed, one)
            values = evaluate(self.problem.residuals, {**known, **jet}, BoundLaws(arguments.laws))
            return tuple(jnp.asarray(v, float) for v in values)

        rows = jax.lax.map(at, flat, batch_size=1024)
        return [np.asarray(row).reshape(shape) for row in rows]

    def errors(self, reference: AbstractReference, grid: AbstractGrid) -> dict[str, dict[str, float]]:
        r"""Relative L2 error (by the grid's quadrature) and largest absolute error of every scalar unknown.

        $\|u-u_*\|_2/\|u_*\|_2$; where the truth vanishes the absolute L2 norm is given.
        """
        from sciml.metrics import field_errors

        points = {name: np.asarray(p) for name, p in grid.points().items()}
        return field_errors(self.on_grid(grid), reference(points), np.asarray(grid.quadrature()))

    def to_xarray(self, n: int | Mapping[str, int] = 101) -> xarray.Dataset:
        """The fields on a uniform grid, with coordinates, units of the problem and provenance in `attrs`."""
        from sciml.interop.to_xarray import solution_dataset

        return solution_dataset(self, n)

    def plot(self, **options: Any) -> Any:
        """A Matplotlib figure: curves in 1-D, a map in 2-D and space–time, slices beyond; see `sciml.plotting`."""
        from sciml.plotting import plot_solution

        return plot_solution(self, **options)

    def animate(self, **options: Any) -> Any:
        """A Matplotlib animation over time; see `sciml.plotting`."""
        from sciml.plotting import animate_solution

        return animate_solution(self, **options)

    def save(self, path: str | Path) -> Path:
        """Write the solution to a folder: JSON and arrays, nothing executable."""
        from sciml.io import save_solution

        return save_solution(self, Path(path))

    def to_vtk(self, path: str | Path) -> Path:
        """Write the motion of bodies for ParaView: a folder with a file for each kept time (extra `geometry`)."""
        from sciml.interop.to_vtk import write_particles

        return write_particles(self, Path(path))

    def with_stats(self, **changes: Any) -> Solution:
        """The same solution with other statistics."""
        return replace(self, stats=replace(self.stats, **changes))

    def __repr__(self) -> str:
        inferred = [f"{n} = {e}" for n, e in self.parameters.items() if e.standard_error is not None]
        parts = [f"Solution of {self.problem.name or 'a problem'} by {self.solver}", f"result: {self.result.name}"]
        cost = f"{self.stats.total:.2f} s, {self.stats.unknowns} unknowns, {self.stats.iterations} iterations"
        return "\n  ".join([*parts, *inferred, cost])

    def _repr_html_(self) -> str:
        from sciml.problem_text import solution_html

        return solution_html(self)


def _point_values(representation: AbstractRepresentation, point: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
    """Values at a single point, as scalars."""
    values = representation({name: jnp.reshape(p, (1,)) for name, p in point.items()})
    return {name: v[0] for name, v in values.items()}


@eqx.filter_jit
def _call(representation: AbstractRepresentation, points: Points) -> dict[str, jax.Array]:
    return representation(points)


@eqx.filter_jit
def _on_axes(representation: AbstractRepresentation, nodes: Points) -> dict[str, jax.Array] | None:
    return representation.on_axes(nodes)


CHUNK = 65_536
"""Points evaluated at once: bounds the memory of evaluation."""


def _evaluate_in_chunks(representation: AbstractRepresentation, points: Points) -> dict[str, np.ndarray]:
    """Values at any number of points; the last chunk is padded to a power of two so that few shapes compile."""
    n = next(iter(points.values())).size
    parts: list[dict[str, np.ndarray]] = []
    for start in range(0, n, CHUNK):
        size = min(CHUNK, n - start)
        padded = min(CHUNK, 1 << max(size - 1, 0).bit_length())
        chunk = {name: _pad(p[start : start + size], padded) for name, p in points.items()}
        parts.append({name: np.asarray(v)[:size] for name, v in _call(representation, chunk).items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else {})}


def _pad(p: jax.Array, size: int) -> jax.Array:
    return jnp.pad(p, (0, size - p.size), mode="edge")


def timed_call(representation: AbstractRepresentation, points: Points) -> tuple[dict[str, np.ndarray], float]:
    """Values and the wall seconds that they took."""
    start = time.perf_counter()
    values = _evaluate_in_chunks(representation, points)
    return values, time.perf_counter() - start
