"""NeuralConstitutiveLaw: stress and flow learned from an observed motion."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, final

import jax
import numpy as np

from sciml.errors import OptionError
from sciml.material import Material
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Solution
from sciml.solver import AbstractSolver, Run
from sciml.trajectory import Trajectory
from solvers.mpm.forms import AbstractForm, InvariantNetworks
from solvers.mpm.learning import Stage, learn, weighing_of, window_loss
from solvers.mpm.momentum import MomentumBalance, momentum_balance
from solvers.mpm.motion import Motion, motion_of, observed_motion, sizes_of
from solvers.mpm.solver import MPM, follow, unreadable


@final
@dataclass(frozen=True)
class NeuralConstitutiveLaw(AbstractSolver):
    r"""Networks for stress and flow inside the particle method learn what law an observed motion obeys.

    The equation stays; only the law in it is unknown. First windows of one step: momentum after a step is linear in the
    stress at its start, so no derivative goes through time. Then longer windows from observed states, back-propagated
    through the simulator. Last the learned law runs freely from the start, and its distance from the observed motion
    decides about success.

    Solves problems of motion (see `MPM`) with one observed motion (`problem.observe_motion`). Where none is observed
    but a law is bound, the motion of that law is computed and learned from, and the law is not looked at otherwise: a
    twin experiment. The learned law is bound to the law of `solution.problem`, to be used on other bodies. Cost: a step
    of a window costs about ten of the simulator's.

    Reference: P. Ma et al. (2023), arXiv:2304.14369.

    Args:
        simulator: the particle method; its `dt` and `spacing` are those of the observed motion.
        stages: curriculum of windows.
        form: what the law may look like: the paper's networks of invariants, a learned energy, or a plainer baseline.
        tolerance: mean square distance in m² between free and observed motion that counts as success.
    """

    resumable: ClassVar[bool] = True

    simulator: MPM = field(default_factory=lambda: MPM(spacing=0.05, dt=5e-4, single=True, mass_floor=8e-7, frames=200))
    stages: tuple[Stage, ...] = (Stage(1, 8, 3000, 3e-3), Stage(10, 4, 400, 1e-3), Stage(50, 2, 100, 3e-4))
    form: AbstractForm = field(default_factory=InvariantNetworks)
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        if not self.stages or not self.tolerance > 0:
            raise OptionError(f"{self!r}", "at least one stage and a positive tolerance", "correct it")

    def check(self, problem: Problem) -> list[str]:
        """Reasons why no law can be learned here."""
        return not_learnable(problem, self.simulator)

    def run(self, problem: Problem, run: Run) -> Solution:
        """Learn, then follow the learned law freely."""
        motion = motion_of(problem, self.simulator)
        sizes = sizes_of(motion)
        law = self.form.draw(motion, sizes, run.key)
        learned = learn(law, motion, window_loss, weighing_of(motion, sizes), self.stages, run)
        return replay(problem, repr(self), motion, learned.law, learned.result, self.tolerance, run, learned.history)


def not_learnable(problem: Problem, simulator: MPM) -> list[str]:
    """Why the law of a problem cannot be learned with this simulator."""
    reasons = unreadable(problem)
    if reasons:
        return reasons
    if simulator.dt is None or simulator.spacing is None or simulator.refine != 1:
        return ["a simulator without its step or spacing; it needs MPM(spacing=…, dt=…) of the observed motion"]
    observed, bound = observed_motion(problem), not problem.unbound_laws
    if observed is None:
        missing = "no observed motion and no bound law; it needs problem.observe_motion(track)"
        return simulator.check(problem) if bound else [missing]
    gap = float(observed.track.t[1] - observed.track.t[0])
    if abs(gap - simulator.dt) > 1e-6 * gap:
        return [f"states every {gap:g} s and a simulator with dt={simulator.dt:g}; it needs a state for every step"]
    return []


def replay(
    problem: Problem,
    name: str,
    motion: Motion,
    law: Material,
    result: RESULTS,
    tolerance: float,
    run: Run,
    history: Any,
) -> Solution:
    """The learned law from the start, without a budget, and how far it stays from the observed motion."""
    began = time.perf_counter()
    balance = momentum_balance(problem)
    assert isinstance(balance, MomentumBalance)  # the solver's check refuses others
    free = follow(problem, name, motion.plan, law, Run(run.key))
    distance = float("nan")
    if free.result.has_solution:
        track = free.representation
        assert isinstance(track, Trajectory)
        observed = np.moveaxis(np.asarray(motion.states.x[:: motion.plan.every]), 1, -1)
        distance = float(np.mean((np.asarray(track.x) - observed) ** 2))
        if not free.result.is_success:
            result = free.result
        elif result.is_success and distance > tolerance:
            result = RESULTS.max_steps_reached
        elif distance <= tolerance:
            result = RESULTS.successful
    else:
        result = free.result
    training = began - run.started
    extra = {**free.stats.extra, "reconstruction": distance, "training_seconds": training}
    weights = sum(a.size for a in jax.tree.leaves(law) if hasattr(a, "size"))
    stats = replace(free.stats, extra=extra, solve=free.stats.solve + training, unknowns=weights,
                    iterations=len(history["step"]))  # fmt: skip
    learned = problem.bind(balance.law.name, law)
    return replace(free, problem=learned, result=result, stats=stats, history=history)
