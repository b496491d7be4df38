"""The solver: what it recognises, what it refuses and with which number, what it returns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import meshio
import numpy as np
import pytest

import pde_zoo as zoo
from pde_zoo.bodies import jelly_drop, thrown_cube
from pde_zoo.materials import Corotated, Hencky
from sciml import (
    RESULTS,
    Coefficient,
    Law,
    OptionError,
    Problem,
    ProblemError,
    UnsupportedProblemError,
    VectorField,
    coordinates,
    div,
    grad,
    load,
    solve,
    vector,
)
from sciml.domains.bodies import Bodies, Body, Lattice, Scattered, particle_grid
from sciml.domains.container import Container
from sciml.domains.shapes import Ball, Cuboid, Cylinder, Ellipsoid, SignedDistance, Torus
from sciml.material import Material, PerBody
from solvers.mpm import MPM
from solvers.mpm.momentum import MomentumBalance, momentum_balance
from solvers.trivial import Zero
from tests.solvers.mpm.scenes import scene_of

t, X, Y = coordinates("t X Y")
phi = VectorField("phi", 2, t, X, Y)
P = Law("stress", inputs=grad(phi), shape=(2, 2))
SOFT = Material(Corotated(1e4, 0.3))


def scene(equation: object, *, start: object = None, rate: object = None, container: tuple = (0.0, 1.0)) -> Problem:
    domain = Bodies(
        {t: (0, 0.02)}, {"disc": Body(Ball((0.5, 0.4), 0.15), Lattice(8))}, Container({X: container, Y: container})
    )
    conditions = [
        (phi == (vector(X, Y) if start is None else start)).on(domain.at(t=0)),
        (phi.dt == (vector(0, -1) if rate is None else rate)).on(domain.at(t=0)),
    ]
    return Problem([equation], domain, conditions)  # type: ignore[list-item]


BALANCES = {
    "as written": 2e3 * phi.dtt == div(P) + 2e3 * vector(0, -9.8),
    "other side": div(P) - 2e3 * phi.dtt == -2e3 * vector(0, -9.8),
    "divided": phi.dtt == div(P) / 2e3 + vector(0, -9.8),
}


@pytest.mark.parametrize("equation", BALANCES.values(), ids=BALANCES)
def test_momentum_balance_is_recognised_however_it_is_written(equation: object) -> None:
    problem = scene(equation)
    assert isinstance(momentum_balance(problem), MomentumBalance)
    read = scene_of(problem)
    np.testing.assert_allclose(read.density, 2e3)
    np.testing.assert_allclose(read.load, np.array([[0.0], [-9.8]]) + 0 * read.load)


REFUSED: dict[str, tuple[Callable[[], Problem], MPM, str]] = {
    "a box": (zoo.heat, MPM(), "Bodies"),
    "a damped body": (lambda: scene(phi.dtt == div(P) - phi.dt).bind(P, SOFT), MPM(), "term `D(phi, t)`"),
    "no law": (lambda: scene(phi.dtt == vector(0, -9.8)), MPM(), "no acceleration or no divergence"),
    "no material": (lambda: scene(BALANCES["as written"]), MPM(), "no material is bound"),
    "inverted": (
        lambda: scene(BALANCES["as written"], start=vector(1 - X, Y)).bind(P, SOFT), MPM(), "inverted elements"
    ),
    "outside": (
        lambda: scene(BALANCES["as written"], container=(0.3, 0.9)).bind(P, SOFT), MPM(), "positions in [0.3, 0.9]"
    ),
    "too stiff": (
        lambda: scene(BALANCES["as written"]).bind(P, Material(Hencky(1e8, 0.2))), MPM(dt=1e-3), "it needs dt ≤"
    ),
    "too large a step": (lambda: scene(BALANCES["as written"]).bind(P, SOFT), MPM(dt=0.5), "it needs dt ≤"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*no observations")
@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_would_work(name: str) -> None:
    make, solver, sentence = REFUSED[name]
    with pytest.raises(UnsupportedProblemError) as refusal:
        solve(make(), solver)
    assert sentence in str(refusal.value)


def test_the_step_that_a_refusal_names_works() -> None:
    problem = scene(BALANCES["as written"]).bind(P, Material(Hencky(1e8, 0.2)))
    (reason,) = MPM(dt=1e-3).check(problem)
    needed = float(reason.split("dt ≤ ")[1].split(",")[0])
    assert MPM(dt=0.99 * needed).check(problem) == []
    assert MPM(dt=1.05 * needed).check(problem) != []


def test_a_solution_is_the_deformation_map_and_is_written_and_read(tmp_path: Path) -> None:
    problem = jelly_drop(t_end=0.05, particles=12)
    solution = solve(problem, MPM(frames=10))
    assert solution.result is RESULTS.successful
    at = solution(t=0.03, X=np.array([0.5, 0.45]), Y=0.41)["phi"]
    fallen = 0.41 - 0.03 - 9.8 * 0.03 * (0.03 + solution.stats.extra["dt"]) / 2  # symplectic Euler
    np.testing.assert_allclose(at, [[0.5, 0.45], [fallen, fallen]], atol=2e-5)
    assert solution.to_xarray(5).phi.shape == (2, 5, problem.domain.points.shape[1])  # type: ignore[attr-defined]
    assert len(solution.plot().axes) == 6
    back = load(solution.save(tmp_path / "saved"))
    assert back.problem.content == problem.content and back.problem.domain.bounds == problem.domain.bounds
    np.testing.assert_array_equal(back(t=0.03, X=0.45, Y=0.41)["phi"], solution(t=0.03, X=0.45, Y=0.41)["phi"])
    seen = problem.forget("stress").observe_motion(solution)
    assert Problem.from_json(seen.to_json()).content == seen.content
    folder, track = solution.to_vtk(tmp_path / "vtk"), solution.representation
    assert (folder / "motion.pvd").read_text().count("<DataSet") == track.t.size  # type: ignore[attr-defined]
    last = meshio.read(sorted(folder.glob("*.vtu"))[-1])
    np.testing.assert_allclose(last.points[:, :2], track.x[-1])  # type: ignore[attr-defined]
    np.testing.assert_allclose(last.point_data["volume"], np.linalg.det(np.asarray(track.F[-1])))  # type: ignore[attr-defined]


def test_only_motions_are_written_for_paraview(tmp_path: Path) -> None:
    solution = solve(zoo.heat(), Zero())
    with pytest.raises(OptionError, match="a motion of particles"):
        solution.to_vtk(tmp_path)


def test_positions_converge_as_particles_are_refined() -> None:
    problem = jelly_drop(t_end=0.2, particles=12)
    grid = particle_grid(problem.domain, {"t": 5})  # type: ignore[arg-type]
    y = [solve(problem, MPM(refine=k, frames=20)).on_grid(grid)["phi[1]"] for k in (1, 2, 4)]
    assert np.abs(y[2] - y[1]).max() < 0.7 * np.abs(y[1] - y[0]).max()


def test_bodies_have_a_law_each() -> None:
    bodies = {
        "left": Body(Cuboid((0.25, 0.5), (0.2, 0.2)), Lattice(6)),
        "right": Body(Ball((0.7, 0.5), 0.1), Lattice(6)),
    }
    domain = Bodies({t: (0, 0.1)}, bodies, Container({X: (0, 1), Y: (0, 1)}))
    body = Coefficient("body", X, Y, function=domain.body_of)
    stress = Law("stress", (grad(phi), body), (2, 2))
    problem = Problem(
        [1e3 * phi.dtt == div(stress)],
        domain,
        [(phi == vector(X, Y)).on(domain.at(t=0)), (phi.dt == vector(2 - 4 * body, 0)).on(domain.at(t=0))],
    )
    law = PerBody({"left": SOFT, "right": Material(Corotated(1e6, 0.3))})
    solution = solve(problem.bind(stress, law), MPM())
    track = solution.representation
    velocity = np.asarray(track.v[-1])  # type: ignore[attr-defined]
    left, right = (velocity[s] for s in domain.sections.values())
    assert left[:, 0].mean() < 2 and right[:, 0].mean() > -2  # they have met
    mass = 1e3 * domain.volumes
    np.testing.assert_allclose(mass @ velocity, mass @ np.asarray(track.v[0]), atol=1e-8)  # type: ignore[attr-defined]
    with pytest.raises(UnsupportedProblemError, match="each of the bodies"):
        solve(problem.bind(stress, PerBody({"left": SOFT})), MPM())


SHAPES = {
    "ball": Ball((0.0, 0.0, 0.0), 0.5),
    "ellipsoid": Ellipsoid((0.0, 0.1, 0.0), (0.5, 0.3, 0.2)),
    "torus": Torus((0.0, 0.0, 0.0), 0.4, 0.15),
    "cylinder": Cylinder((0.0, 0.0, 0.0), 0.3, 0.8),
    "distance": SignedDistance(lambda p: np.abs(p).max(0) - 0.5, ((-0.5, 0.5),) * 3),
    "dumbbell": Ball((-0.3, 0.0, 0.0), 0.2) | Ball((0.3, 0.0, 0.0), 0.2),
}
VOLUMES = {"distance": 1.0, "dumbbell": 2 * 4 / 3 * np.pi * 0.2**3}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_filled_by_their_volume(name: str) -> None:
    body = Body(SHAPES[name], Lattice(40))
    np.testing.assert_allclose(body.volume, VOLUMES.get(name, SHAPES[name].volume), rtol=5e-3)
    spacing = max(b - a for a, b in SHAPES[name].bounds) / 40
    np.testing.assert_allclose(body.points.shape[1] * spacing**3, body.volume, rtol=0.06)
    scattered = Body(SHAPES[name], Scattered(100)).points
    assert scattered.shape == (3, 100) and (SHAPES[name].distance(scattered) <= 0).all()


def test_a_motion_of_other_particles_is_refused_as_an_observation() -> None:
    track = solve(jelly_drop(t_end=0.01, particles=6), MPM())
    with pytest.raises(ProblemError, match="the motion of the domain's particles"):
        thrown_cube(SOFT, particles=4).observe_motion(track)
    assert jnp.isfinite(track.representation.x).all()  # type: ignore[attr-defined]
