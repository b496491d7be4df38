"""A user's own file, as the command line loads it: problems with exact answers, and solvers of many tempers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, final

import jax.numpy as jnp

from sciml import (
    RESULTS,
    AbstractRepresentation,
    AbstractSolver,
    Box,
    Estimate,
    Field,
    Parameter,
    Problem,
    Run,
    Solution,
    Stats,
    VectorField,
    coordinates,
    exp,
    pi,
    sin,
    vector,
)
from sciml.expr.calculus import laplacian


def decay(kappa: float = 0.1, unit: bool = True) -> Problem:
    """Heat in a bar whose ends are kept cold."""
    t, x = coordinates("t x")
    u = Field("u", t, x)
    k = Parameter("kappa", kappa)
    bar = Box({t: (0, 1), x: (0, 1)})
    return Problem(
        [u.dt == k * u.dxx],
        bar,
        [(u == sin(pi * x)).on(bar.at(t=0)), (u == 0).on(bar.boundary(x))],
        exact={u: exp(-k * pi**2 * t) * sin(pi * x)},
        name="decay",
    )


def swirl() -> Problem:
    """Two components on a periodic square."""
    t, x, y = coordinates("t x y")
    v = VectorField("v", 2, t, x, y)
    square = Box({t: (0, 1), x: (0, 1), y: (0, 1)}, periodic=(x, y))
    start = vector(sin(2 * pi * y), sin(2 * pi * x))
    return Problem(
        [v.dt == 0.01 * laplacian(v)],
        square,
        [(v == start).on(square.at(t=0))],
        exact={v: exp(-0.04 * pi**2 * t) * start},
        name="swirl",
    )


def four_axes() -> Problem:
    """A steady problem of four coordinates without a known truth."""
    axes = coordinates("x1 x2 x3 x4")
    w = Field("w", *axes)
    box = Box(dict.fromkeys(axes, (0, 1)))
    return Problem([laplacian(w) == -sin(pi * axes[0])], box, [(w == 0).on(box.boundary)], name="four axes")


def broken() -> Problem:
    """A function with a mistake."""
    return decay(kappa=1 / 0)


def no_problem() -> int:
    """A function that returns something else."""
    return 3


class Shape(Enum):
    """How the error of `Exact` looks."""

    RIPPLE = 1
    SHIFT = 2


@final
class Perturbed(AbstractRepresentation):
    """The exact solution, plus a known error."""

    truth: Callable[..., Any]
    error: float

    def __call__(self, points: Mapping[str, Any]) -> dict[str, Any]:
        truth = self.truth(points)
        wave = self.error * jnp.sin(7.0 * sum(points.values()))
        return {name: jnp.asarray(value) + wave for name, value in truth.items()}


@final
@dataclass(frozen=True)
class Exact(AbstractSolver):
    """Takes the answer from the problem and adds an error."""

    error: float = 1e-6
    rounds: int | None = None
    shape: Shape = Shape.RIPPLE
    sizes: tuple[int, ...] = ()

    def check(self, problem: Problem) -> list[str]:
        return [] if problem.reference is not None else ["it needs a problem with an exact solution"]

    def run(self, problem: Problem, run: Run) -> Solution:
        fields = Perturbed(problem.reference.__call__, self.error)
        stats = Stats(compile=0.25, solve=0.5, iterations=self.rounds or 1, unknowns=12)
        known = {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None}
        return Solution(problem, repr(self), fields, parameters=known, stats=stats)


@final
@dataclass(frozen=True)
class Lost(AbstractSolver):
    """Ends without finite fields, and says so."""

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        return Solution(
            problem, repr(self), Perturbed(problem.reference.__call__, float("nan")), result=RESULTS.nonfinite
        )


@final
@dataclass(frozen=True)
class Boastful(AbstractSolver):
    """Returns NaN and calls it success."""

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        return Solution(problem, repr(self), Perturbed(problem.reference.__call__, float("nan")))


@final
@dataclass(frozen=True)
class Defective(AbstractSolver):
    """Raises what no solver should raise."""

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        raise ZeroDivisionError("an accident")


@final
@dataclass(frozen=True)
class Abrupt(AbstractSolver):
    """Takes the whole process with it."""

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        os._exit(7)


@final
@dataclass(frozen=True)
class Endless(AbstractSolver):
    """Never returns; leaves its process number in a file."""

    mark: str = ""

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        if self.mark:
            with open(self.mark, "w", encoding="utf-8") as file:
                file.write(str(os.getpid()))
        while True:
            time.sleep(0.1)
