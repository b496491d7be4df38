"""PROSE: observations and a guess of the equation in, the solution ahead and the equation out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.errors import OptionError
from sciml.family import ProblemFamily
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.prose.batches import Window
from solvers.prose.candidates import Candidate
from solvers.prose.encoders import Features
from solvers.prose.estimates import answered
from solvers.prose.inference import proposals, read
from solvers.prose.learning import Learning
from solvers.prose.model import count
from solvers.prose.pretraining import Recipe, pretrain
from solvers.prose.reading import guess, observed, reasons_against
from solvers.prose.representation import Prediction
from solvers.prose.storage import Pretrained, load

UNLIMITED = 1_000_000_000
"""Updates of a run whose length is given in seconds."""


@final
@dataclass(frozen=True)
class PROSE(AbstractSolver):
    r"""A transformer that was trained on families of problems reads observations and a guess, and writes both answers.

    Observations at any times of a first window, noisy and with gaps, and the skeleton of the equations (numbers left
    out, perhaps a term wrong) are encoded and fused; one decoder answers with the solution at any time of the horizon,
    another writes the equations word by word, held to their grammar so that they always parse, with the mean and the
    width of every number. Nothing is iterated: a prediction takes milliseconds once compiled.

    Solves systems of ordinary differential equations of the kind that its weights were trained on; what they were
    trained for is on their card, and anything else is refused. Errors are those of a trained network: a few to some
    tens of percent, growing with time; `solution.stats.extra` has the misfit to the observations. A run is successful
    if that misfit is below the tolerance, which says nothing about the future.

    Reference: Y. Liu, Z. Zhang, H. Schaeffer, "PROSE: Predicting Operators and Symbolic Expressions using Multimodal
    Transformers" (2024), doi:10.1016/j.neunet.2024.106707, arXiv:2309.16816.

    Args:
        weights: name of a model that comes with the library, or the folder of a run of `sciml pretrain`.
        beam: branches of the search for equations; 1 takes the most probable word each time.
        tolerance: root mean square misfit to the observations, relative to their size, that counts as success.
        refine: a solver with an option `candidates`, such as `SystemIdentification`: it fits the forms that the model
            proposes, with the model's opinion of their numbers as prior, chooses among them and the problem's own, and
            its solution is the answer.
    """

    weights: str = "ode_small"
    beam: int = 4
    tolerance: float = 0.2
    refine: AbstractSolver | None = None

    def __post_init__(self) -> None:
        if self.refine is not None and "candidates" not in {f.name for f in fields(self.refine)}:  # type: ignore[arg-type]
            raise OptionError(
                f"refine={self.refine!r}", "a solver that chooses among candidates", "pass SystemIdentification()"
            )
        if self.beam < 1 or not self.tolerance > 0:
            raise OptionError(f"{self!r}", "beam ≥ 1 and tolerance > 0", "change that option")

    @staticmethod
    def pretrained(name: str | Path = "ode_small") -> PROSE:
        """The solver with the weights of this name or folder.

        Raises:
            FileError: there are none, or they are damaged.
        """
        load(name)
        return PROSE(str(name))

    @staticmethod
    def pretrain(
        families: Sequence[ProblemFamily],
        out: Path,
        *,
        budget: float | None = None,
        resume: bool = False,
        command: str = "",
        size: str = "small",
        trajectories: int = 5600,
        steps: int = 0,
        batch: int = 64,
        rate: float = 2e-3,
        noise: float = 0.02,
        half: bool = False,
        seed: int = 0,
    ) -> dict[str, Any]:
        """Train a model on families and write it to a folder; see `solvers.prose.pretraining` for more choices.

        Args:
            families: systems of ordinary differential equations over the same times.
            out: the folder.
            budget: wall seconds.
            resume: go on from the state in the folder.
            command: what the user typed, for the card.
            size: `small`, `medium` or `paper`.
            trajectories: of each family.
            steps: updates; 0 takes 2000, or what the budget allows.
            batch: examples in an update.
            rate: largest learning rate.
            noise: of the observations, relative.
            half: compute in bfloat16.
            seed: of everything random.

        Returns:
            Updates, seconds, last losses and the folder.
        """
        updates = steps or (2000 if budget is None else UNLIMITED)
        learning = Learning(steps=updates, batch=batch, rate=rate, half=half)
        recipe = Recipe(size, trajectories, window=Window(noise=noise), learning=learning, seed=seed)
        made, trained = pretrain(families, out, recipe, budget=budget, resume=resume, command=command)
        last = {f"loss/{name}": float(v[-1]) for name, v in trained.history.items() if name not in ("step", "seconds")}
        weights = {"weights": count(made.model), "steps": trained.steps, "seconds": trained.seconds}
        return {**weights, **last, "written": str(out)}

    def check(self, problem: Problem) -> list[str]:
        """Reasons why the model cannot read this problem; each says what it was trained for."""
        reasons = reasons_against(problem, load(self.weights).card)
        if reasons or self.refine is None:
            return reasons
        choice: Any = self.refine
        return replace(choice, candidates=(*choice.candidates, problem)).check(problem)

    def candidates(self, problem: Problem) -> list[Candidate]:
        """The systems that the model proposes for a problem, the most probable first.

        Raises:
            UnsupportedProblemError: the model cannot read the problem.
        """
        ready = load(self.weights)
        _, words = guess(problem, ready.card)
        features = read(ready.model, observed(problem, ready.card), jnp.asarray(words))
        return proposals(ready.model, ready.card, features, len(problem.unknowns), self.beam)

    def run(self, problem: Problem, run: Run) -> Solution:
        """Predict, and measure the misfit to what was observed."""
        begun = time.perf_counter()
        ready = load(self.weights)
        skeleton, words = guess(problem, ready.card)
        seen = observed(problem, ready.card)
        features = read(ready.model, seen, jnp.asarray(words))
        found = proposals(ready.model, ready.card, features, len(problem.unknowns), self.beam)
        if self.refine is not None and found:
            return _refined(self.refine, found, problem, run)
        representation = _prediction(problem, ready, features.data, jnp.asarray(seen.scale))
        misfit = _misfit(problem, representation)
        extra = {"misfit": misfit, "candidates": float(len(found))}
        if found:
            extra["log_probability"] = found[0].log_probability
        answer, parameters = answered(problem, skeleton, found)
        return Solution(
            answer,
            solver=repr(self),
            representation=representation,
            result=self._result(misfit),
            parameters=parameters,
            stats=Stats(solve=time.perf_counter() - begun, unknowns=count(ready.model), extra=extra),
        )

    def _result(self, misfit: float) -> RESULTS:
        if not np.isfinite(misfit):
            return RESULTS.nonfinite
        return RESULTS.successful if misfit <= self.tolerance else RESULTS.stagnated


def _refined(refine: Any, found: Sequence[Candidate], problem: Problem, run: Run) -> Solution:
    """The answer of another solver that chooses among the model's forms."""
    forms = tuple(candidate.open_equations(problem) for candidate in found)
    return replace(refine, candidates=(*refine.candidates, *forms)).run(problem, run)


def _prediction(problem: Problem, ready: Pretrained, data: Features, scale: jax.Array) -> Prediction:
    assert problem.time is not None
    start = float(problem.box.bounds[problem.time.name][0])
    names = tuple(repr(u) for u in problem.unknowns)
    time_, horizon = problem.time.name, ready.card.horizon
    return Prediction(ready.model.solution, data.values, data.visible, scale, start, horizon, time_, names)


def _misfit(problem: Problem, representation: Prediction) -> float:
    """Root mean square of prediction minus observation, relative to that of the observations."""
    seen = problem.observations
    points = {name: jnp.concatenate([jnp.asarray(o.points[name]) for o in seen]) for name in seen[0].points}
    found = {name: np.asarray(values) for name, values in _values(representation, points).items()}
    square, size, at = 0.0, 0.0, 0
    for o in seen:
        square += float(np.sum((found[repr(o.expression)][at : at + o.values.size] - o.values) ** 2))
        size += float(np.sum(o.values**2))
        at += o.values.size
    return float(np.sqrt(square / max(size, np.finfo(float).tiny)))


@eqx.filter_jit
def _values(representation: Prediction, points: dict[str, jax.Array]) -> dict[str, jax.Array]:
    return representation(points)
