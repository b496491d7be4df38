"""LabelledLaw: a law fitted to the stresses and flows of a known one, without a simulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, final

import jax.numpy as jnp
from jax import Array

from sciml.errors import OptionError
from sciml.material import Material
from sciml.problem import Problem
from sciml.solution import Solution
from sciml.solver import AbstractSolver, Run
from sciml.tensors import add_spherical, product
from solvers.mpm.forms import NO_FLOW, AbstractForm, InvariantNetworks
from solvers.mpm.learning import Stage, learn, squared_strain
from solvers.mpm.motion import motion_of, sizes_of
from solvers.mpm.neural_law import not_learnable, replay
from solvers.mpm.scene import in_precision
from solvers.mpm.solver import MPM, bound_material
from solvers.mpm.step import Model, State


@final
class Labels(NamedTuple):
    """Who labels, and in which units: a material, stress in Pa, change of F by flow in a step."""

    material: Material
    stress: Array
    flow: Array


def label_loss(law: Material, model: Model, labels: Labels, first: State, after: State) -> Array:
    """Squared errors of stress at the starts of windows of one step, and of strain after flow from its trial state."""
    F, L, rates = (jnp.moveaxis(a, 0, -2) for a in (first.F, first.C, after.C[:, 0]))
    stress = law.elastic.kirchhoff(F, L) - labels.material.elastic.kirchhoff(F, L)
    trial = product(add_spherical(model.dt * rates, jnp.ones_like(F[0, 0])), F)
    flow = squared_strain(law.plastic.project(trial), labels.material.plastic.project(trial))
    return jnp.mean(stress**2) / labels.stress**2 + flow / labels.flow**2


@final
@dataclass(frozen=True)
class LabelledLaw(AbstractSolver):
    r"""A law of some form fitted to labels: pairs of deformation and stress, and of trial deformation and its flow.

    $$\min\ \overline{|\tau(F)-\hat\tau(F)|^2}/s^2+\overline{|b(F^{trial})-\hat b(F^{trial})|^2}/\alpha^2$$

    over the deformations of a motion, where $b=FF^\top$ after flow. The labels are those of the law that is bound to
    the problem: a baseline that needs more than any observer of a motion has. Then the law runs freely from the start,
    and its distance from the motion decides about success, as for `NeuralConstitutiveLaw`.

    Solves problems of motion (see `MPM`) with a bound `Material`. Cost: that of the law at the states of each update;
    no step of the simulator.

    Args:
        simulator: the particle method; its `dt` and `spacing` are those of the motion.
        updates: states (`windows` of length 1) in each update, how many, largest step of Adam.
        form: what the law may look like.
        tolerance: mean square distance in m² between free motion and that of the bound law that counts as success.

    Reference: P. Ma et al. (2023), arXiv:2304.14369, whose baseline of this kind it is.
    """

    resumable: ClassVar[bool] = True

    simulator: MPM = field(default_factory=lambda: MPM(spacing=0.05, dt=5e-4, single=True, mass_floor=8e-7, frames=200))
    updates: Stage = field(default_factory=lambda: Stage(1, 8, 3000, 3e-3))
    form: AbstractForm = field(default_factory=InvariantNetworks)
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        if self.updates.length != 1 or not self.tolerance > 0:
            raise OptionError(f"{self!r}", "a stage of windows of one step and a positive tolerance", "correct it")

    def check(self, problem: Problem) -> list[str]:
        """Reasons why there are no labels here."""
        reasons = not_learnable(problem, self.simulator)
        if not reasons and not isinstance(bound_material(problem), Material):
            reasons = ["no Material bound to the law of stress, which labels would come from; it needs problem.bind"]
        return reasons

    def run(self, problem: Problem, run: Run) -> Solution:
        """Fit, then follow the fitted law freely."""
        motion = motion_of(problem, self.simulator)
        sizes, dtype = sizes_of(motion), motion.model.dt.dtype
        known: Any = in_precision(bound_material(problem), dtype)
        flow = max(sizes.flow, NO_FLOW * sizes.stretch, 1e-12)
        labels = Labels(known, *(jnp.asarray(a, dtype) for a in (sizes.modulus * sizes.strain, flow)))
        learned = learn(self.form.draw(motion, sizes, run.key), motion, label_loss, labels, (self.updates,), run)
        return replay(problem, repr(self), motion, learned.law, learned.result, self.tolerance, run, learned.history)
