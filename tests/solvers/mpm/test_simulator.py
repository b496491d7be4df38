"""The particle method: parity with the published simulator, conservation, exact motions, gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pde_zoo.bodies import jelly_drop
from pde_zoo.materials import Corotated, Newtonian
from sciml.domains.container import AbstractWall, Frictional, NoSlip, Separating, Slip
from sciml.material import Material
from solvers.mpm import step as simulator
from solvers.mpm.grid import Grid, at_walls
from solvers.mpm.scene import make_model, start
from solvers.mpm.step import Model, State, roll_out, transport
from solvers.mpm.transfer import from_grid, stencil, to_grid
from tests.solvers.mpm.scenes import MATERIALS, ready, scene_of

march = eqx.filter_jit(simulator.march)
GOLDEN = np.load(Path(__file__).parent / "golden.npz", allow_pickle=False)
FLOOR = 8e-7
"""The published simulator adds 1e-7 kg to each node's mass; its particles weigh 0.125 kg."""

still = {"velocity": (0.0, 0.0, 0.0), "spin": (0.0, 0.0, 0.0), "particles": 6}


def followed(name: str, steps: int) -> np.ndarray:
    state, material, model = ready(MATERIALS[name], floor=FLOOR, dtype=jnp.float32)
    return np.asarray(march(state, material, model, steps).x).T[GOLDEN["particles"]]


@pytest.mark.parametrize("name", MATERIALS)
def test_first_steps_follow_the_published_simulator(name: str) -> None:
    assert np.abs(followed(name, 100) - GOLDEN[name][1]).max() <= 1e-5


@pytest.mark.accuracy
@pytest.mark.parametrize("name", MATERIALS)
def test_a_thousand_steps_follow_the_published_simulator(name: str) -> None:
    assert np.abs(followed(name, 1000) - GOLDEN[name][2]).max() <= 1e-4


def test_transfers_conserve_mass_momentum_and_angular_momentum() -> None:
    state, _material, model = ready(MATERIALS["jelly"], particles=7)
    rng = np.random.default_rng(0)
    C = jnp.asarray(rng.normal(size=state.C.shape))
    nodes = stencil(state.x, model.grid)
    nodal = to_grid(nodes, model.grid, model.mass, model.mass * state.v, model.mass * C)
    np.testing.assert_allclose(nodal[3].sum(), model.mass.sum(), rtol=1e-13)
    np.testing.assert_allclose(nodal[:3].sum(1), (model.mass * state.v).sum(1), rtol=1e-12)
    occupied = nodal[3] > 0
    v, affine = from_grid(nodes, model.grid, jnp.where(occupied, nodal[:3] / jnp.where(occupied, nodal[3], 1), 0))
    np.testing.assert_allclose((model.mass * v).sum(1), (model.mass * state.v).sum(1), rtol=1e-11)
    before, after = (_angular(model.mass, state.x, *pair, model.grid) for pair in ((state.v, C), (v, affine)))
    np.testing.assert_allclose(after, before, rtol=1e-10)


def _angular(mass: jax.Array, x: jax.Array, v: jax.Array, C: jax.Array, grid: Grid) -> np.ndarray:
    """Angular momentum of particles and of their affine fields, whose inertia is m h²/4."""
    spin = jnp.stack([C[2, 1] - C[1, 2], C[0, 2] - C[2, 0], C[1, 0] - C[0, 1]])
    return np.asarray((mass * (jnp.cross(x, v, axis=0) + grid.spacing**2 / 4 * spin)).sum(1))


def test_affine_velocity_fields_survive_a_transfer_to_and_fro() -> None:
    state, _, model = ready(MATERIALS["jelly"], particles=7)
    C = jnp.broadcast_to(jnp.asarray(np.random.default_rng(0).normal(size=(3, 3, 1))), state.C.shape)
    v = jnp.einsum("ijn,jn->in", C, state.x)
    nodes = stencil(state.x, model.grid)
    nodal = to_grid(nodes, model.grid, model.mass, model.mass * v, model.mass * C)
    back, affine = from_grid(nodes, model.grid, nodal[:3] / jnp.where(nodal[3] > 0, nodal[3], 1.0))
    np.testing.assert_allclose(back, v, atol=1e-12)
    np.testing.assert_allclose(affine, C, atol=1e-10)


def test_free_fall_is_exact_and_leaves_no_strain() -> None:
    state, material, model = ready(MATERIALS["jelly"], **still, dt=1e-3)
    steps = 50
    after = march(state, material, model, steps)
    fallen = -9.8 * 1e-3**2 * steps * (steps + 1) / 2  # symplectic Euler
    np.testing.assert_allclose(after.x - state.x, np.array([[0.0], [fallen], [0.0]]) + 0 * state.x, atol=1e-12)
    np.testing.assert_allclose(after.F, state.F, atol=1e-11)


def test_a_rotating_body_keeps_its_angular_momentum_and_is_not_strained() -> None:
    values = {**still, "spin": (0.0, 0.0, 3.0), "gravity": (0.0, 0.0, 0.0), "particles": 8}
    state, material, model = ready(MATERIALS["jelly"], **values)
    C = jnp.broadcast_to(jnp.asarray([[0, -3.0, 0], [3.0, 0, 0], [0, 0, 0]])[..., None], state.C.shape)
    state = state._replace(C=C)
    before = _angular(model.mass, state.x, state.v, state.C, model.grid)
    after = march(state, material, model, 200)
    np.testing.assert_allclose(
        _angular(model.mass, after.x, after.v, after.C, model.grid), before, rtol=1e-9, atol=1e-9
    )
    stretch = np.linalg.svd(np.moveaxis(np.asarray(after.F), -1, 0), compute_uv=False)
    assert np.abs(stretch - 1).max() < 0.05  # centrifugal
    angle = 3.0 * 200 * 5e-4
    x, y = np.asarray(state.x[:2] - 0.5)
    turned = np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y]) + 0.5
    assert np.abs(np.asarray(after.x[:2]) - turned).max() < 5e-3


def test_elastic_energy_is_not_made() -> None:
    state, material, model = ready(MATERIALS["jelly"], particles=7, gravity=(0.0, 0.0, 0.0))
    states = roll_out(state, material, model, 20, 10)
    kinetic = np.asarray((model.mass * jnp.sum(states.v**2, axis=1)).sum(1)) / 2
    assert (kinetic <= kinetic[0] * 1.001).all()
    assert np.isfinite(np.asarray(states.x)).all()


def test_viscosity_slows_shear_and_conserves_momentum() -> None:
    def spread(viscosity: float) -> tuple[float, np.ndarray]:
        state, material, model = ready(Material(Newtonian(1e4, viscosity)), **{**still, "gravity": (0.0, 0.0, 0.0)})
        v = jnp.stack([jnp.sin(10 * state.x[1]), 0 * state.x[0], 0 * state.x[0]])
        state = state._replace(v=v)
        after = march(state, material, model, 20)
        return float(jnp.std(after.v[0])), np.asarray((model.mass * (after.v - state.v)).sum(1))

    thin, thick = spread(0.0), spread(200.0)
    np.testing.assert_allclose(thick[0] / thin[0], np.exp(-0.2 * 10**2 * 0.01), rtol=0.05)  # exp(-ν k² t)
    np.testing.assert_allclose(thick[1], 0, atol=1e-10)


WALLS: dict[AbstractWall, tuple[float, ...]] = {
    Separating(): (0.0, 2.0, 3.0),
    Slip(): (0.0, 2.0, 3.0),
    NoSlip(): (0.0, 0.0, 0.0),
    Frictional(0.5): (0.0, 2.0 - 0.5 * 1.0 * 2 / 13**0.5, 3.0 - 0.5 * 1.0 * 3 / 13**0.5),
    Frictional(10.0): (0.0, 0.0, 0.0),
}


@pytest.mark.parametrize("wall", WALLS, ids=repr)
def test_walls_do_what_they_say(wall: AbstractWall) -> None:
    from sciml import coordinates
    from sciml.domains.container import Container
    from solvers.mpm.grid import MARGIN, make_grid

    _, X, Y, Z = coordinates("t X Y Z")
    container = Container({X: (0, 1), Y: (0, 1), Z: (0, 1)}, Separating(), {"X-": wall})
    grid = make_grid(container, ("X", "Y", "Z"), 0.25, jnp.float64)  # type: ignore[arg-type]
    entering = at_walls([jnp.full(grid.shape, c) for c in (-1.0, 2.0, 3.0)], grid)
    node, inside = (MARGIN, 5, 5), (MARGIN + 1, 5, 5)
    np.testing.assert_allclose([float(c[node]) for c in entering], WALLS[wall], atol=1e-12)
    assert [float(c[inside]) for c in entering] == [-1.0, 2.0, 3.0]
    leaving = at_walls([jnp.full(grid.shape, c) for c in (1.0, 2.0, 3.0)], grid)
    expected = {Slip(): (0.0, 2.0, 3.0), NoSlip(): (0.0, 0.0, 0.0)}.get(wall, (1.0, 2.0, 3.0))
    np.testing.assert_allclose([float(c[node]) for c in leaving], expected, atol=1e-12)


def slopes_and_differences(state: State, material: Any, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Slopes along a direction of initial velocities and along stiffness, through fifty steps: exact, and by steps."""
    direction = jnp.asarray(np.random.default_rng(0).normal(size=state.v.shape))

    @jax.jit
    @jax.value_and_grad
    def loss(amount: jax.Array) -> jax.Array:
        own = eqx.tree_at(lambda m: m.elastic.E, material, material.elastic.E * (1 + amount[1]))
        moved = state._replace(v=state.v + amount[0] * direction)
        last = roll_out(moved, own, model, 1, 50, remember=10).x[-1]
        return jnp.sum(jnp.sin(7 * last))

    slopes, step = loss(jnp.zeros(2))[1], 1e-6
    differences = []
    for i in range(slopes.size):
        plus, minus = (loss(jnp.zeros(2).at[i].set(sign * step))[0] for sign in (1.0, -1.0))
        differences.append((plus - minus) / (2 * step))
    return np.asarray(slopes), np.asarray(differences)


SLOW = [pytest.param(name, marks=pytest.mark.accuracy) for name in ("sand", "water")]


@pytest.mark.parametrize("name", ["jelly", "plasticine", *SLOW])
def test_gradients_through_fifty_steps_agree_with_finite_differences(name: str) -> None:
    problem = jelly_drop(particles=8)
    scene = scene_of(problem)
    model = make_model(scene, 0.05, 5e-4, jnp.float64)
    state = start(scene, jnp.float64)
    state = state._replace(x=state.x + jnp.array([[-0.12], [-0.13]]), v=state.v + jnp.array([[-2.03], [-1.07]]))
    state = state._replace(F=0.99 * state.F)  # sand has a kink where it is not compressed
    slopes, differences = slopes_and_differences(state, MATERIALS[name], model)
    np.testing.assert_allclose(slopes, differences, rtol=1e-3)


@pytest.mark.accuracy
@pytest.mark.parametrize("name", MATERIALS)
def test_gradients_in_space_agree_with_finite_differences(name: str) -> None:
    state, material, model = ready(MATERIALS[name], particles=5, spacing=0.1, dt=1e-3, velocity=(2.03, -3.01, -2.07))
    state = state._replace(x=state.x - jnp.array([[0.1], [0.11], [0.12]]))  # the walls are met
    slopes, differences = slopes_and_differences(state, material, model)
    np.testing.assert_allclose(slopes, differences, rtol=1e-3)


def test_numbers_that_are_not_finite_do_not_reach_outside_the_grid() -> None:
    state, _material, model = ready(MATERIALS["jelly"], particles=5)
    broken = State(*(part.at[..., 3].set(jnp.nan) for part in state))
    after = transport(broken, jnp.zeros_like(state.F), model)
    assert after.x.shape == state.x.shape
    assert not np.isfinite(np.asarray(after.x)).all()


def test_the_plane_is_served_by_the_same_code() -> None:
    problem = jelly_drop(particles=10)
    scene = scene_of(problem)
    material: Any = problem.bindings["stress"]
    model = make_model(scene, 0.06, 1e-3, jnp.float64)
    after = march(start(scene, jnp.float64), material, model, 20)
    fallen = -20e-3 - 9.8 * 1e-6 * 210
    np.testing.assert_allclose(np.asarray(after.x[1]) - scene.x[1], fallen, atol=1e-12)


def test_corotated_stress_is_that_of_its_energy() -> None:
    law = Corotated(1e5, 0.3)
    F = jnp.asarray(np.eye(3) + 0.2 * np.random.default_rng(0).normal(size=(3, 3)))

    def energy(F: jax.Array) -> jax.Array:
        from sciml.tensors import determinant, rotation, squared_norm

        return law.shear * squared_norm(F - rotation(F)) + law.lame / 2 * (determinant(F) - 1) ** 2

    np.testing.assert_allclose(Material(law)(F), jax.grad(energy)(F), rtol=1e-9, atol=1e-6)
