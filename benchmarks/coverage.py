"""`python -m benchmarks.coverage`: does the Gaussian process know how wrong it is?

First a linear equation without boundary conditions is solved from noisy observations alone, in one and two dimensions,
at 1 % and 10 % noise, known and unknown. Over the draws of noise: the fraction of the domain where the truth lies
within two standard deviations, and the error's root mean square over that of the standard deviation.

Then the cases of the suite `gp` that have a closed-form truth are solved as they are, free of noise: the same fraction,
and the standard deviation's root mean square over that of the error, whose median should be near one and is at best
conservative.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from benchmarks.provenance import provenance
from benchmarks.suite import Row
from benchmarks.suites.gp import SUITE
from sciml import Box, Field, Problem, coordinates, cos, laplacian, sin, solve
from sciml.cli import cases
from sciml.errors import ProblemWarning
from sciml.reference import AbstractReference
from solvers.gp import KroneckerGP, StudentGP


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


def noise_free_rows() -> list[Row]:
    """Rows of the suite with a process that solve one scalar equation whose truth is a formula."""
    return [row for row in SUITE.rows if row.solver.startswith("gp") and _has_one_formula(row)]


def _has_one_formula(row: Row) -> bool:
    problem = cases()[row.case].problem(**row.values)
    return len(problem.unknowns) == 1 and isinstance(problem.reference, AbstractReference)


def noise_free(row: Row) -> tuple[str, float, float, float]:
    """How a row ended, the fraction covered, rms(std) / rms(error), and the relative L2 error, at random points."""
    problem = cases()[row.case].problem(**row.values)
    process = {"gp": KroneckerGP, "gp_student": StudentGP}[row.solver](**row.options)
    solution = solve(problem, process)
    random = np.random.default_rng(99)
    inside = {n: random.uniform(*bounds, 2000) for n, bounds in problem.box.bounds.items()}
    (name,) = map(repr, problem.unknowns)
    reference: Any = problem.reference
    truth = np.asarray(reference(inside)[name], float)
    error = solution(**inside) - truth
    size = float(np.linalg.norm(error) / np.linalg.norm(truth))
    if solution.deviation is None:
        return solution.result.name, np.nan, np.nan, size
    deviation = solution.std(**inside)
    ratio = float(np.linalg.norm(deviation) / np.linalg.norm(error))
    return solution.result.name, float(np.mean(np.abs(error) <= 2 * deviation)), ratio, size


def noise_free_table() -> list[str]:
    """The second table, with its medians."""
    lines = ["| case | solver | result | covered by 2 std | rms(std)/rms(err) | rel. L2 error |", "|---" * 6 + "|"]
    found = []
    for row in noise_free_rows():
        result, covered, ratio, error = noise_free(row)
        found.append((covered, ratio))
        case, solver = _named(row.case, row.values), _named(row.solver, row.options)
        lines.append(f"| {case} | {solver} | {result} | {covered:.2f} | {ratio:.2g} | {error:.1e} |")
    covered, ratios = np.transpose(found)
    lines.append(f"| median of {len(found)} | | | {np.nanmedian(covered):.2f} | {np.nanmedian(ratios):.2g} | |")
    return lines


def _named(name: str, numbers: Mapping[str, Any]) -> str:
    given = ", ".join(f"{key}={value}" for key, value in numbers.items())
    return f"{name}({given})" if given else name


def main(draws: int = 20) -> None:
    """Write both tables, the machine's first."""
    made = provenance()
    lines = [f"`python -m benchmarks.coverage` at {made['commit'][:12]} on {made['processor']}", ""]
    lines += ["| problem | noise | told | covered by 2 std | rms(err)/rms(std) | rel. L2 error |", "|---" * 6 + "|"]
    for build, values in ((line, 60), (plane, 150)):
        for noise in (0.01, 0.1):
            for known in (True, False):
                c = coverage(build(), noise, known=known, values=values, draws=draws)
                told = "yes" if known else "no"
                lines.append(
                    f"| {build.__name__} | {noise:.0%} | {told} | {c.covered:.2f} | {c.ratio:.2f} | {c.error:.1e} |"
                )
    sys.stdout.write("\n".join([*lines, "", *noise_free_table()]) + "\n")


if __name__ == "__main__":
    main()
