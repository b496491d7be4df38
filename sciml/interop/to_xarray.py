"""A solution as an xarray dataset on a uniform grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray

from sciml.domains.bodies import Bodies, particle_grid
from sciml.domains.grids import uniform_grid
from sciml.expr.build import components

if TYPE_CHECKING:
    from sciml.solution import Solution

INDEX_NAMES = ("component", "column")


def solution_dataset(solution: Solution, n: int | Mapping[str, int] = 101) -> xarray.Dataset:
    """The fields of a solution on a uniform grid.

    Args:
        solution: what to tabulate.
        n: points along each coordinate, or one number for all; ends included, a periodic axis without its last point.

    Returns:
        One variable for each field. Its dimensions are the coordinates in frame order; a vector has the dimension
        `v_component` before them, a tensor `T_component` and `T_column`. Standard deviations, where the solver gives
        them, are `u_std`. Bodies in motion have the dimensions time and particle, with the places of the particles at
        rest and the names of their bodies as coordinates. `attrs` say what was solved, how, at what cost, and what
        was inferred.

    Raises:
        DomainError: fewer than two points along a coordinate.
    """
    if isinstance(solution.problem.domain, Bodies):
        return _particles(solution, solution.problem.domain, n)
    grid = uniform_grid(solution.problem.box, n)
    variables = _variables(solution, solution.on_grid(grid), "")
    if solution.deviation is not None:
        variables |= _variables(solution, solution.on_grid(grid, solution.deviation), "_std")
    return xarray.Dataset(variables, coords=dict(grid.nodes), attrs=provenance(solution))


def _particles(solution: Solution, domain: Bodies, n: int | Mapping[str, int]) -> xarray.Dataset:
    """Positions of all particles at evenly spaced times, with the dimensions `(component, time, particle)`."""
    grid = particle_grid(domain, n)
    values, t = solution.on_grid(grid), domain.coordinates[0].name
    variables = {}
    for f in solution.problem.fields:
        parts = np.stack([np.asarray(values[repr(part)]) for part in components(f)])
        variables[f.name] = ((f"{f.name}_component", t, "particle"), parts)
    names = np.concatenate([np.full(s.stop - s.start, name) for name, s in domain.sections.items()])
    rest = {x.name: ("particle", row) for x, row in zip(domain.space, domain.points, strict=True)}
    coords = {t: np.asarray(grid.nodes[t])[:, 0], "body": ("particle", names), **rest}
    return xarray.Dataset(variables, coords=coords, attrs=provenance(solution))


def _variables(solution: Solution, values: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    names = solution.problem.domain.frame.names
    variables = {}
    for f in solution.problem.fields:
        parts = np.stack([np.asarray(values[repr(part)]) for part in components(f)])
        index = tuple(f"{f.name}_{name}" for name in INDEX_NAMES[: len(f.shape)])
        variables[f.name + suffix] = ((*index, *names), parts.reshape(*f.shape, *parts.shape[1:]))
    return variables


def provenance(solution: Solution) -> dict[str, str | int | float]:
    """Plain attributes: problem and its content, solver, outcome, cost, parameters with their standard errors."""
    stats = solution.stats
    about: dict[str, str | int | float] = {
        "problem": solution.problem.name,
        "content": solution.problem.content.hex(),
        "equations": "\n".join(map(repr, solution.problem.equations)),
        "solver": solution.solver,
        "result": solution.result.name,
        "seconds": stats.total,
        "unknowns": stats.unknowns,
        "iterations": stats.iterations,
    }
    for name, estimate in solution.parameters.items():
        about[f"parameter_{name}"] = estimate.value
        if estimate.standard_error is not None:
            about[f"parameter_{name}_standard_error"] = estimate.standard_error
    return about
