"""Learned laws: what holds whatever the weights, and that they are learned."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pde_zoo.bodies import thrown_cube
from pde_zoo.materials import Corotated, Hencky, VonMises
from sciml import Problem, solve
from sciml.checkpoints import Checkpoint
from sciml.material import Material
from sciml.tensors import determinant, product, product_left_transposed, product_right_transposed, rotation
from solvers.mpm import MPM, MaterialIdentification, NeuralConstitutiveLaw, Stage
from solvers.mpm.neural import LearnedEnergy, NeuralElastic, NeuralPlastic

N = 200
TRUE = Material(Corotated(2e4, 0.3))


def deformations(dtype: type = np.float64) -> tuple[jax.Array, jax.Array]:
    """Random deformation gradients and rotations `(3, 3, N)`."""
    rng = np.random.default_rng(0)
    F = jnp.asarray(np.eye(3)[..., None] + 0.12 * rng.normal(size=(3, 3, N)), dtype)
    Q = rotation(jnp.asarray(rng.normal(size=(3, 3, N)), dtype))
    return F, Q * jnp.sign(determinant(Q))


def neural(draw: object) -> NeuralElastic:
    return draw(3, 0.1, 1e4, jax.random.key(0), jnp.float64)  # type: ignore[operator]


ELASTIC = {"network": NeuralElastic.draw, "energy": LearnedEnergy.draw}


@pytest.mark.parametrize("draw", ELASTIC.values(), ids=ELASTIC)
def test_stress_turns_with_the_body_and_vanishes_at_rest(draw: object) -> None:
    law = neural(draw)
    F, Q = deformations()
    still = jnp.zeros_like(F)
    tau = law.kirchhoff(F, still)
    turned = product(product(Q, tau), jnp.swapaxes(Q, 0, 1))
    scale = float(jnp.abs(tau).max())
    assert scale > 1.0
    np.testing.assert_allclose(law.kirchhoff(product(Q, F), still), turned, atol=1e-9 * scale)
    np.testing.assert_allclose(law.kirchhoff(Q, still), 0, atol=1e-9 * scale)


def test_the_paper_s_network_has_its_inputs_and_weights() -> None:
    law = neural(NeuralElastic.draw)
    assert [layer.shape for layer in law.network.layers] == [(64, 13), (64, 64), (9, 64)]
    assert sum(layer.size for layer in law.network.layers) == 5504


def test_flow_turns_with_the_body_and_vanishes_at_rest() -> None:
    law = NeuralPlastic.draw(3, 0.1, 1e-3, jax.random.key(0), jnp.float64)
    F, Q = deformations()
    np.testing.assert_allclose(law.project(product(Q, F)), product(Q, law.project(F)), atol=1e-12)
    np.testing.assert_allclose(law.project(Q), Q, atol=1e-12)
    assert float(jnp.abs(law.project(F) - F).max()) > 1e-5


def test_a_learned_energy_gives_symmetric_and_isotropic_stress() -> None:
    law = neural(LearnedEnergy.draw)
    F, Q = deformations()
    tau = law.kirchhoff(F, jnp.zeros_like(F))
    np.testing.assert_allclose(tau, jnp.swapaxes(tau, 0, 1), atol=1e-9 * float(jnp.abs(tau).max()))
    np.testing.assert_allclose(
        law.kirchhoff(product_right_transposed(F, Q), 0 * F), tau, atol=1e-9 * float(jnp.abs(tau).max())
    )
    np.testing.assert_allclose(product_left_transposed(Q, Q)[0, 0], 1.0, atol=1e-12)


FLOWING, WINDOWS = Material(Hencky(2e4, 0.3), VonMises(2e4, 0.3, 1e3)), 4  # both trainings run what was compiled once
SIMULATOR = MPM(spacing=0.15, dt=2e-3, single=True, frames=1000)


def small(material: Material) -> Problem:
    return thrown_cube(material, particles=5, t_end=0.2)


def test_a_law_is_learned_from_windows_of_one_step() -> None:
    solver = NeuralConstitutiveLaw(SIMULATOR, stages=(Stage(1, WINDOWS, 200, 5e-3),), tolerance=1e-3)
    solution = solve(small(FLOWING), solver, key=1)
    loss = solution.history["loss"]
    assert loss[-20:].mean() < 0.1 * loss[0]
    assert solution.stats.extra["reconstruction"] < 1e-3
    assert solution.result.is_success
    F, _ = deformations(np.float32)
    learned = solution.problem.bindings["stress"]
    assert learned(F[..., 0]).shape == (3, 3)


def test_a_killed_training_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    solver = NeuralConstitutiveLaw(SIMULATOR, stages=(Stage(1, WINDOWS, 6, 1e-3),))
    problem = small(FLOWING)
    whole = solve(problem, solver, throw=False)
    checkpoint = Checkpoint(tmp_path, every=0.0)
    solve(problem, solver, throw=False, checkpoint=checkpoint, callback=lambda state: state["update"] == 3)
    rest = solve(problem, solver, throw=False, checkpoint=checkpoint)
    np.testing.assert_array_equal(rest.history["loss"], whole.history["loss"])


def test_the_numbers_of_a_known_form_are_found_from_an_observed_motion_with_their_errors() -> None:
    problem = small(TRUE)
    track = solve(problem, SIMULATOR)
    unknown = problem.forget("stress").observe_motion(track)
    found = solve(unknown, MaterialIdentification(SIMULATOR, form=Material(Corotated(1e4, 0.2)), windows=10, length=5))
    E, nu = found.parameters["elastic.E"], found.parameters["elastic.nu"]
    np.testing.assert_allclose([E.value, nu.value], [2e4, 0.3], rtol=1e-3)
    assert E.standard_error is not None and 0 < E.standard_error < 20
    assert found.result.is_success
    bare = problem.forget("stress")
    assert "no observed motion" in NeuralConstitutiveLaw(SIMULATOR).check(bare)[0]
    assert "a state for every step" in NeuralConstitutiveLaw(MPM(spacing=0.15, dt=1e-3)).check(unknown)[0]
