r"""What a relative L2 error does not say: other norms, spectral bands, errors over time, violations, coverage.

All are taken on a case's test grid with its quadrature, but the violations of equations and conditions, which are taken
at random points that no solver has seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.fft import dctn

from sciml.domains.bodies import Bodies
from sciml.domains.grids import AbstractGrid, Grid
from sciml.errors import SciMLError
from sciml.metrics import l2_norm
from sciml.problem import Problem
from sciml.reference import AbstractReference, Values
from sciml.solution import AbstractRepresentation, Solution
from sciml.statement import statement_residuals

BANDS = {"low": (0, 4), "middle": (4, 16), "high": (16, math.inf)}
"""Half waves along a side, from (exclusive, but for 0) to (inclusive)."""
VIOLATION_POINTS = 128
"""Points at which each equation and condition is looked at."""
INSTANTS = 21
"""Most times at which the error over time is kept."""

Numbers = dict[str, Any]


def norms(value: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> Numbers:
    r"""$\|e\|_1/\|u_*\|_1$, $\|e\|_2/\|u_*\|_2$, $\max|e|$ and $\max|e|/\max|u_*|$ with $e=u-u_*$.

    A relative norm is the absolute one where the truth vanishes.
    """
    error = value - truth
    largest, highest = float(np.max(np.abs(error))), float(np.max(np.abs(truth)))
    return {
        "relative_l1": _ratio(float(np.sum(weights * np.abs(error))), float(np.sum(weights * np.abs(truth)))),
        "relative_l2": _ratio(l2_norm(error, weights), l2_norm(truth, weights)),
        "max": largest,
        "relative_max": _ratio(largest, highest),
    }


def h1_seminorm(value: np.ndarray, truth: np.ndarray, grid: Grid) -> float | None:
    r"""$\|\nabla e\|_2/\|\nabla u_*\|_2$ over all coordinates, by second-order differences between the grid's nodes.

    None where an axis has fewer than three nodes to differentiate along, or the truth is constant.
    """
    axes = [k for k, nodes in enumerate(grid.nodes.values()) if nodes.size > 1]
    nodes = list(grid.nodes.values())
    if not axes or any(nodes[k].size < 3 for k in axes) or np.ptp(truth) == 0:
        return None
    weights = np.asarray(grid.quadrature())
    squares = [
        sum(float(np.sum(weights * np.gradient(field, nodes[k], axis=k, edge_order=2) ** 2)) for k in axes)
        for field in (value - truth, truth)
    ]
    return math.sqrt(squares[0] / squares[1])


def spectral_bands(value: np.ndarray, truth: np.ndarray, grid: Grid) -> Numbers | None:
    """Relative L2 error in bands of half waves along the sides, by the cosine transform of equally spaced nodes.

    A mode belongs to the band of its largest wave number; the squares of the bands add up to the square of the relative
    error with equal weights. None on a grid that is not equally spaced.
    """
    for nodes in grid.nodes.values():
        steps = np.diff(nodes)
        if nodes.size > 2 and float(np.ptp(steps)) > 1e-6 * float(np.max(np.abs(steps))):
            return None
    energy = np.square(np.asarray(dctn(value - truth, norm="ortho")))
    whole = float(np.sum(np.square(truth)))
    waves = np.zeros(truth.shape)
    for k, size in enumerate(truth.shape):
        waves = np.maximum(waves, np.arange(size).reshape([-1 if j == k else 1 for j in range(truth.ndim)]))
    found = {}
    for name, (above, up_to) in BANDS.items():
        inside = (waves <= up_to) & ((waves > above) | (above == 0))
        found[name] = math.sqrt(_ratio(float(np.sum(energy[inside])), whole))
    return found


def over_time(value: np.ndarray, truth: np.ndarray, grid: Grid, time: str | None) -> Numbers | None:
    r"""Relative L2 error and defect of the integral, $|\int e|/\int|u_*|$, at some of the grid's times."""
    if time is None or grid.nodes[time].size < 2:
        return None
    axis, instants = list(grid.nodes).index(time), grid.nodes[time]
    chosen = np.unique(np.linspace(0, instants.size - 1, min(INSTANTS, instants.size)).astype(int))
    weights = np.ones(())
    for name, own in grid.weights.items():
        weights = np.multiply.outer(weights, np.ones(1) if name == time else own)
    weights = np.squeeze(weights, axis=axis)
    rows = []
    for i in chosen:
        error, true = (np.take(field, i, axis=axis) for field in (value - truth, truth))
        mass = float(np.sum(weights * np.abs(true)))
        defect = _ratio(abs(float(np.sum(weights * error))), mass)
        rows.append((float(instants[i]), _ratio(l2_norm(error, weights), l2_norm(true, weights)), defect))
    times, errors, defects = (list(column) for column in zip(*rows, strict=True))
    return {"time": times, "relative_l2": errors, "integral_defect": defects}


def coverage(value: np.ndarray, deviation: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> Numbers:
    """Shares of the domain within one and two standard deviations, and rms(error) over rms(std).

    An honest Gaussian has 0.68, 0.95 and 1.
    """
    error, volume = np.abs(value - truth), float(np.sum(weights))
    shares = [float(np.sum(weights * (error <= k * deviation))) / volume for k in (1, 2)]
    ratio = _ratio(l2_norm(error, weights), l2_norm(deviation, weights))
    return {"one_std": shares[0], "two_std": shares[1], "ratio": ratio}


def field_scores(grid: AbstractGrid, solution: Solution, truth: Values) -> dict[str, Numbers]:
    """Every score of every scalar unknown against the truth on a grid."""
    values = solution.on_grid(grid)
    deviations = None if solution.deviation is None else solution.on_grid(grid, solution.deviation)
    weights, time = np.asarray(grid.quadrature()), solution.problem.time
    found = {}
    for name, true in truth.items():
        v, t = np.asarray(values[name], float), np.asarray(true, float)
        own: Numbers = norms(v, t, weights)
        if isinstance(grid, Grid):
            own["h1"] = h1_seminorm(v, t, grid)
            own["bands"] = spectral_bands(v, t, grid)
            own["over_time"] = over_time(v, t, grid, None if time is None else time.name)
        if deviations is not None:
            own["coverage"] = coverage(v, np.asarray(deviations[name], float), t, weights)
        found[name] = own
    return found


def violations(solution: Solution, key: jax.Array) -> Numbers | None:
    """How far the solution violates its own statement: the worst relative residual of an equation, and of a condition.

    The same measure that a truth must pass (`sciml.statement`): the largest residual at random points over the largest
    term there. Derivatives are those of the representation: of an interpolant, for a method on a grid.

    Returns:
        `{equation, condition}`; None for bodies in motion, and where the statement cannot be evaluated at points.
    """
    problem = solution.problem
    if isinstance(problem.domain, Bodies):
        return None
    unknown = {p.name: solution.parameters[p.name].value for p in problem.unknown_parameters}
    try:
        stated = problem.replace(**unknown) if unknown else problem
        found = statement_residuals(stated, _Representation(solution.representation), key, VIOLATION_POINTS)
    except SciMLError:
        return None
    equations = [r.relative for name, r in found.items() if name.startswith("equation ")]
    conditions = [r.relative for name, r in found.items() if not name.startswith("equation ")]
    return {"equation": max(equations, default=None), "condition": max(conditions, default=None)}


class _Representation(AbstractReference):
    """A solution's fields in the place of a truth."""

    def __init__(self, fields: AbstractRepresentation):
        self._fields = fields

    @property
    def kind(self) -> str:
        return "solution"

    @property
    def error(self) -> float:
        return math.nan

    def __call__(self, points: Mapping[str, Any]) -> Values:
        shape = np.broadcast_shapes(*(np.shape(p) for p in points.values()))
        flat = {name: jnp.broadcast_to(p, shape).reshape(-1) for name, p in points.items()}
        return {name: value.reshape(shape) for name, value in self._fields(flat).items()}


def statement_of(problem: Problem, reference: AbstractReference, key: jax.Array) -> float | None:
    """The worst relative residual of a truth in its own statement; None where it cannot be differentiated."""
    try:
        found = statement_residuals(problem, reference, key)
    except SciMLError:
        return None
    return max((r.relative for r in found.values()), default=0.0)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else part
