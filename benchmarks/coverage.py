"""`python -m benchmarks.coverage`: does the Gaussian process know how wrong it is, given noisy observations?

A linear equation without boundary conditions is solved from noisy observations alone, in one and two dimensions, at 1 %
and 10 % noise, known and unknown. Over the draws of noise: the fraction of the domain where the truth lies within two
standard deviations, and the error's root mean square over that of the standard deviation.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml import Box, Field, Problem, coordinates, cos, laplacian, sin, solve
from sciml.errors import ProblemWarning
from solvers.gp import KroneckerGP


@final
@dataclass(frozen=True)
class Coverage:
    """Means over draws.

    Attributes:
        covered: fraction of points within two standard deviations.
        ratio: rms(error) / rms(std).
        error: relative L2 error.
    """

    covered: float
    ratio: float
    error: float


def line() -> Problem:
    """u'' - u = f on [0, 2π] for the solution sin x + sin(20x) / 2."""
    (x,) = coordinates("x")
    u, w = Field("u", x), sin(x) + 0.5 * sin(20 * x)
    box = Box({x: (0, 2 * np.pi)})
    return Problem([u.dxx - u == w.dxx - w], box, [(u == w).on(box.boundary)], exact={u: w})


def plane() -> Problem:
    """Δu - u = f on [0, 1]² for the solution sin 3x cos 2y + x."""
    x, y = coordinates("x y")
    u, w = Field("u", x, y), sin(3 * x) * cos(2 * y) + x
    box = Box({x: (0, 1), y: (0, 1)})
    return Problem([laplacian(u) - u == laplacian(w) - w], box, [(u == w).on(box.boundary)], exact={u: w})


def coverage(problem: Problem, relative_noise: float, *, known: bool, values: int, draws: int) -> Coverage:
    """Solve from noisy observations at random points, without boundary conditions, once for each draw of both.

    Args:
        problem: linear, with an exact solution.
        relative_noise: standard deviation over the truth's root mean square.
        known: whether the solver is told.
        values: how many are observed.
        draws: how many times.
    """
    names, bounds = list(problem.box.bounds), problem.box.bounds
    inside = {n: np.random.default_rng(99).uniform(*bounds[n], 2000) for n in names}
    truth = _truth(problem, inside)
    sigma = relative_noise * float(np.sqrt(np.mean(truth**2)))
    errors, deviations = [], []
    for draw in range(draws):
        random = np.random.default_rng(draw)
        points = {n: random.uniform(*bounds[n], values) for n in names}
        noisy = _truth(problem, points) + sigma * random.standard_normal(values)
        with warnings.catch_warnings():  # of the missing conditions, in whose place the observations are
            warnings.simplefilter("ignore", ProblemWarning)
            observed = problem.observe("u", points, noisy, sigma if known else None).replace(conditions=())
        solution = solve(observed, KroneckerGP())
        errors.append(solution(**inside) - truth)
        deviations.append(solution.std(**inside))
    e, s = np.array(errors), np.array(deviations)
    size = float(np.sqrt(np.mean(truth**2)))
    return Coverage(
        float(np.mean(np.abs(e) <= 2 * s)),
        float(np.sqrt(np.mean(e**2) / np.mean(s**2))),
        float(np.sqrt(np.mean(e**2))) / size,
    )


def _truth(problem: Problem, points: dict[str, np.ndarray]) -> np.ndarray:
    reference: Any = problem.reference
    return np.asarray(reference(points)["u"], float)


def main(draws: int = 20) -> None:
    """Write the table."""
    lines = ["| problem | noise | told | covered by 2 std | rms(err)/rms(std) | rel. L2 error |", "|---" * 6 + "|"]
    for build, values in ((line, 60), (plane, 150)):
        for noise in (0.01, 0.1):
            for known in (True, False):
                c = coverage(build(), noise, known=known, values=values, draws=draws)
                told = "yes" if known else "no"
                lines.append(
                    f"| {build.__name__} | {noise:.0%} | {told} | {c.covered:.2f} | {c.ratio:.2f} | {c.error:.1e} |"
                )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
