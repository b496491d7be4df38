"""Learned laws: what holds whatever the weights, and that they are learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pde_zoo.bodies import jelly_drop, thrown_cube
from pde_zoo.materials import Corotated, Fluid, Hencky, Volume, VonMises
from sciml import Problem, solve
from sciml.checkpoints import Checkpoint
from sciml.errors import OptionError
from sciml.material import Material, NoFlow
from sciml.tensors import (
    determinant,
    exponential,
    logarithm,
    product,
    product_left_transposed,
    product_right_transposed,
    rotation,
)
from solvers.mpm import (
    MPM,
    EnergyNetwork,
    InvariantNetworks,
    LabelledLaw,
    MaterialIdentification,
    NeuralConstitutiveLaw,
    PlainNetworks,
    Splines,
    Stage,
)
from solvers.mpm.forms import AbstractForm
from solvers.mpm.learning import squared_strain
from solvers.mpm.motion import Motion, motion_of, sizes_of
from solvers.mpm.neural import Increasing, Isochoric, LearnedEnergy, NeuralElastic, NeuralPlastic, PlainElastic
from solvers.mpm.splines import Spline, SplineElastic, SplinePlastic

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


def polyconvex(*numbers: object) -> LearnedEnergy:
    return LearnedEnergy.draw(*numbers, Increasing)  # type: ignore[arg-type]


def wavy(size: float) -> Spline:
    """A spline with random weights."""
    return Spline(
        jax.random.normal(jax.random.key(1), Spline.constant(0, size, float).weights.shape), jnp.asarray(size)
    )


def spline(d: int, size: float, unit: float, *_: object) -> SplineElastic:
    return SplineElastic(wavy(size), wavy(size), jnp.asarray(unit))


ELASTIC = {"network": NeuralElastic.draw, "energy": LearnedEnergy.draw, "polyconvex": polyconvex, "spline": spline}


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


def test_a_plain_network_depends_on_the_observer_and_has_stress_at_rest() -> None:
    law = neural(PlainElastic.draw)
    F, Q = deformations()
    tau, turned = law.kirchhoff(F, 0 * F), law.kirchhoff(product(Q, F), 0 * F)
    apart = turned - product(product(Q, tau), jnp.swapaxes(Q, 0, 1))
    assert float(jnp.abs(apart).max()) > 0.1 * float(jnp.abs(tau).max())
    rest = jnp.eye(3)[..., None]
    assert float(jnp.abs(law.kirchhoff(rest, 0 * rest)).max()) > 1.0


def test_flow_at_constant_volume_keeps_it_and_turns_with_the_body() -> None:
    law = Isochoric(NeuralPlastic.draw(3, 0.1, 1e-1, jax.random.key(0), jnp.float64))
    F, Q = deformations()
    assert float(jnp.abs(determinant(law.flow.project(F)) / determinant(F) - 1).max()) > 1e-3
    np.testing.assert_allclose(determinant(law.project(F)), determinant(F), rtol=1e-12)
    np.testing.assert_allclose(law.project(product(Q, F)), product(Q, law.project(F)), atol=1e-12)


def test_splines_hold_the_laws_that_they_are_said_to_hold() -> None:
    F, Q = deformations()
    half, none = Spline.constant(0.5, 0.1, float), Spline.constant(0.0, 0.1, float)
    stiff = Hencky(2.0, 0.0)  # λ = 0, 2μ = 2
    law = SplineElastic(Spline.constant(2 / 3, 0.1, float), Spline.constant(1.0, 0.1, float), jnp.asarray(1.0))
    np.testing.assert_allclose(law.kirchhoff(F, F), stiff.kirchhoff(F, F), atol=1e-12)
    moved = SplinePlastic(half, none).project(F)
    np.testing.assert_allclose(determinant(moved), determinant(F), rtol=1e-10)
    strain = [0.5 * logarithm(product_right_transposed(G, G)) for G in (F, moved)]
    apart = [h - jnp.trace(h) / 3 * jnp.eye(3)[..., None] for h in strain]
    np.testing.assert_allclose(apart[1], 0.5 * apart[0], atol=1e-9)
    wave = SplinePlastic(wavy(0.1), wavy(0.1))
    np.testing.assert_allclose(wave.project(product(Q, F)), product(Q, wave.project(F)), atol=1e-9)
    slope = jax.grad(lambda w: jnp.sum(SplinePlastic(Spline(w, half.size), half).project(jnp.eye(3)[..., None])))
    assert np.isfinite(slope(half.weights)).all()  # at rest, where the size of the strain has a corner


def test_a_polyconvex_energy_is_convex_along_rank_one_and_another_is_not() -> None:
    rng = np.random.default_rng(3)
    F, _ = deformations()
    a, b = rng.normal(size=(3, N)), rng.normal(size=(3, N))
    line = jnp.asarray(a[:, None] * b[None])

    def bending(law: LearnedEnergy) -> np.ndarray:
        along = lambda s: law.energy(F + s * line)  # noqa: E731
        return np.asarray(jax.jvp(lambda s: jax.jvp(along, (s,), (1.0,))[1], (0.0,), (1.0,))[1])

    assert bending(neural(polyconvex)).min() >= -1e-9  # type: ignore[arg-type]
    assert bending(neural(LearnedEnergy.draw)).min() < 0  # type: ignore[arg-type]


def test_strains_are_compared_whatever_the_rotation_of_the_relaxed_body() -> None:
    F, Q = deformations()
    assert float(squared_strain(product_right_transposed(F, Q), F)) < 1e-28
    size = 1e-4
    stretched = product(exponential(size * jnp.eye(3)[..., None] + 0 * F), F)
    b = product_right_transposed(F, F)
    np.testing.assert_allclose(squared_strain(stretched, F), size**2 * jnp.mean(b**2), rtol=1e-3)


@pytest.mark.parametrize("draw", [LearnedEnergy.draw, polyconvex, spline], ids=["energy", "polyconvex", "spline"])
def test_a_learned_energy_gives_symmetric_and_isotropic_stress(draw: object) -> None:
    law = neural(draw)
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


PLANE = MPM(spacing=0.05, dt=2e-3, single=True, frames=1000)


def in_the_plane(material: Material) -> Problem:
    """A disc that falls: compiled much faster than what moves in space."""
    return jelly_drop(t_end=0.2, particles=8).bind("stress", material)


@pytest.fixture(scope="module")
def fluid() -> Motion:
    return motion_of(in_the_plane(Material(Volume(2e4, 0.3), Fluid())), PLANE)


def test_what_flows_and_whether_that_keeps_volume_is_read_from_the_motion(fluid: Motion) -> None:
    sizes = sizes_of(fluid)
    assert sizes.flow > 0.1 * sizes.stretch and sizes.swelling < 1e-4 * sizes.flow
    key = jax.random.key(0)
    swelling, rigid = replace(sizes, swelling=sizes.flow), replace(sizes, flow=0.0)
    kinds: dict[AbstractForm, type] = {
        InvariantNetworks(): NeuralPlastic, EnergyNetwork(polyconvex=True): NeuralPlastic, Splines(): SplinePlastic,
        Splines(flows=False): NoFlow, PlainNetworks(flows=False): NoFlow,
    }  # fmt: skip
    for form, kind in kinds.items():
        assert type(form.draw(fluid, swelling, key).plastic) is kind
        assert type(form.draw(fluid, rigid, key).plastic) is NoFlow
    assert isinstance(InvariantNetworks().draw(fluid, sizes, key).plastic, Isochoric)


def test_a_law_is_learned_from_windows_of_one_step() -> None:
    solver = NeuralConstitutiveLaw(PLANE, stages=(Stage(1, WINDOWS, 500, 5e-3),), tolerance=1e-3)
    solution = solve(in_the_plane(FLOWING), solver, key=1)
    loss = solution.history["loss"]
    assert loss[-20:].mean() < 0.1 * loss[0]
    assert solution.stats.extra["reconstruction"] < 1e-3
    assert solution.result.is_success


def test_a_killed_training_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    solver = NeuralConstitutiveLaw(PLANE, stages=(Stage(1, WINDOWS, 6, 1e-3),))
    problem = in_the_plane(FLOWING)
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


def test_labels_teach_a_known_stress() -> None:
    problem = in_the_plane(FLOWING)
    found = solve(problem, LabelledLaw(PLANE, Stage(1, WINDOWS, 1500, 1e-2), tolerance=1e-3), key=1)
    assert found.history["loss"][-30:].mean() < 1e-2 * found.history["loss"][0]
    assert found.result.is_success
    F = motion_of(problem, PLANE).states.F[-20]
    known = FLOWING.elastic.kirchhoff(F, 0 * F)
    gap = found.problem.bindings["stress"].elastic.kirchhoff(F, 0 * F) - known
    assert float(jnp.linalg.norm(gap)) < 0.2 * float(jnp.linalg.norm(known))
    with pytest.raises(OptionError, match="windows of one step"):
        LabelledLaw(updates=Stage(2, 1, 1, 1e-3))
