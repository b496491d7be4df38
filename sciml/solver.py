"""What a solver is: an immutable bag of hyperparameters that turns a problem into a solution."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import jax

from sciml.checkpoints import Checkpoint

if TYPE_CHECKING:
    from sciml.problem import Problem
    from sciml.solution import Solution


@final
@dataclass(frozen=True)
class Run:
    """What `solve` hands to a solver besides the problem.

    Attributes:
        key: PRNG key; the same key gives the same solution on the same machine.
        callback: called with a solver's state now and then; a true answer stops the run.
        budget: wall seconds, or None.
        checkpoint: where a resumable solver keeps its state, or None.
        started: when the run began, by `time.perf_counter`.
    """

    key: jax.Array
    callback: Callable[[Any], bool | None] | None = None
    budget: float | None = None
    checkpoint: Checkpoint | None = None
    started: float = field(default_factory=time.perf_counter)

    @property
    def elapsed(self) -> float:
        """Wall seconds since the start."""
        return time.perf_counter() - self.started

    @property
    def remaining(self) -> float | None:
        """Wall seconds left, at least 0; None without a budget."""
        return None if self.budget is None else max(self.budget - self.elapsed, 0.0)

    @property
    def is_over(self) -> bool:
        """Whether the budget is used up."""
        return self.budget is not None and self.elapsed >= self.budget


class AbstractSolver(ABC):
    """A method with its hyperparameters.

    Subclasses are final frozen dataclasses: their fields are the hyperparameters, their docstring states the idea, what
    can be solved, the cost and the reference. Numbers that belong to the physics never appear here.
    """

    resumable: ClassVar[bool] = False
    """Whether its runs keep their state in `Run.checkpoint` and go on from it."""

    @abstractmethod
    def check(self, problem: Problem) -> list[str]:
        """Reasons why this solver cannot solve the problem, each a sentence that says what it needs; empty if it can.

        Must be fast and compile nothing.
        """

    @abstractmethod
    def run(self, problem: Problem, run: Run) -> Solution:
        """Solve a problem that passed `check`. A failure is a `RESULTS` value of the solution, not an exception."""

    @property
    def name(self) -> str:
        """How reports call it."""
        return type(self).__name__
