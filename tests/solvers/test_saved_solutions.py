"""Every representation of every solver can be saved and loaded: the fields are the same to the last bit."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import jax
import numpy as np
import pytest

import solvers
from sciml import AbstractRepresentation, AbstractSolver, Box, Field, Problem, coordinates, load, pi, sin, solve
from sciml.optimise import LevenbergMarquardt
from sciml.storable import PLUGINS, is_storable
from solvers.classical import FiniteDifference, Spectral
from solvers.gaussians import PIG
from solvers.gp.solver import KroneckerGP
from solvers.pinn import MLP, PINN

t, x = coordinates("t x")
u = Field("u", t, x)


def walls() -> Problem:
    box = Box({t: (0, 0.1), x: (0, 1)})
    return Problem(u.dt == 0.1 * u.dxx, box, [(u == sin(pi * x)).on(box.at(t=0)), (u == 0).on(box.boundary(x))])


def periodic() -> Problem:
    box = Box({t: (0, 0.1), x: (0, 1)}, periodic=x)
    return Problem(u.dt == 0.1 * u.dxx - u**3, box, [(u == sin(2 * pi * x)).on(box.at(t=0))])


def poisson() -> Problem:
    a, b = coordinates("x y")
    f = Field("f", a, b)
    box = Box({a: (0, 1), b: (0, 1)})
    source = -2 * pi**2 * sin(pi * a) * sin(pi * b)
    return Problem(f.dxx + f.dyy == source, box, [(f == 0).on(box.boundary())])


PINN_ = PINN(network=MLP(width=4, depth=1), optimiser=LevenbergMarquardt(max_steps=3), num_points=20)
CASES = [
    (walls, Spectral()),
    (periodic, Spectral()),
    (poisson, Spectral()),
    (walls, FiniteDifference()),
    (poisson, KroneckerGP()),
    (walls, PIG()),
    (walls, PIG(trained=True, num_gaussians=36, max_steps=2)),
    (walls, PINN_),
    (periodic, PINN_),
]


@pytest.mark.parametrize(("make", "solver"), CASES, ids=lambda value: getattr(value, "__name__", type(value).__name__))
def test_what_is_loaded_is_what_was_solved(make, solver: AbstractSolver, tmp_path: Path) -> None:
    solution = solve(make(), solver, key=1)
    back = load(solution.save(tmp_path))
    assert type(back.representation) is type(solution.representation)
    assert back.solver == solution.solver
    assert back.problem.content == solution.problem.content
    assert back.stats == solution.stats
    random = np.random.default_rng(0)
    names = solution.problem.domain.frame.names
    points = {name: random.uniform(*solution.problem.domain.bounds[name], 20) for name in names}
    np.testing.assert_array_equal(back(**points), solution(**points))
    if solution.deviation is not None:
        np.testing.assert_array_equal(back.std(**points), solution.std(**points))
    assert jax.tree.structure(back.representation) == jax.tree.structure(solution.representation)


def representations() -> list[type]:
    """Every class of representation that sciml and the solvers define."""
    for module in pkgutil.walk_packages(solvers.__path__, "solvers."):
        importlib.import_module(module.name)

    def below(cls: type) -> list[type]:
        return [cls, *(deeper for sub in cls.__subclasses__() for deeper in below(sub))]

    ours = [cls for cls in below(AbstractRepresentation) if cls.__module__.startswith(("solvers.", "sciml."))]
    return [cls for cls in ours if not cls.__name__.startswith("Abstract")]


def test_every_representation_is_storable() -> None:
    found = representations()
    assert len(found) >= 5
    assert [cls.__qualname__ for cls in found if not is_storable(cls)] == []


def test_a_fresh_process_loads_a_solution_without_importing_its_solver(tmp_path: Path) -> None:
    solution = solve(walls(), Spectral(resolution=16))
    solution.save(tmp_path)
    script = f"import sciml, sys; assert 'solvers' not in sys.modules; print(sciml.load({str(tmp_path)!r}).result.name)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.stdout.strip(), ended.returncode) == (solution.result.name, 0), ended.stderr


def test_every_package_with_storable_classes_announces_them() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    announced = set(project["project"]["entry-points"][PLUGINS].values())
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(solvers.__path__, "solvers.")]
    classes = [c for m in modules for c in vars(m).values() if isinstance(c, type) and c.__module__ == m.__name__]
    assert {".".join(c.__module__.split(".")[:2]) for c in classes if is_storable(c)} == announced
