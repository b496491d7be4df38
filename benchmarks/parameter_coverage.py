"""`python -m benchmarks.parameter_coverage pinn|gp [REPEATS]`: do standard errors of inferred numbers tell the truth?

Each case of `inverse` is solved for many draws of points and noise. For every parameter: the mean error over the mean
standard error (bias), and how often the interval of 1.96 standard errors contains the number that made the data. Runs
that did not succeed count as intervals that miss.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from benchmarks.provenance import provenance
from pde_zoo.suites.inverse import exchange, speed, viscosity
from sciml import RESULTS, solve
from sciml.solver import AbstractSolver
from solvers.gp import KroneckerGP
from solvers.pinn import MLP, PINN

TRUTHS = {viscosity: {"nu": 0.05}, exchange: {"D": 0.05, "k": 1.0}, speed: {"c": 1.0}}
SOLVERS: dict[str, AbstractSolver] = {"pinn": PINN(network=MLP(width=10, depth=2)), "gp": KroneckerGP()}
_QUANTILE = 1.96


@final
@dataclass
class Tally:
    """What repeats have given for one parameter.

    Attributes:
        errors: estimate less truth, of runs with a standard error.
        deviations: their standard errors.
        repeats: all runs.
    """

    errors: list[float] = field(default_factory=list)
    deviations: list[float] = field(default_factory=list)
    repeats: int = 0

    def add(self, error: float, deviation: float | None) -> None:
        """One run; without a standard error it covers nothing."""
        self.repeats += 1
        if deviation is not None and np.isfinite(deviation):
            self.errors.append(error)
            self.deviations.append(deviation)

    @property
    def bias(self) -> float:
        """Mean error over the mean standard error."""
        return float(np.mean(self.errors) / np.mean(self.deviations)) if self.errors else float("nan")

    @property
    def covered(self) -> float:
        """Share of all runs whose interval contains the truth."""
        hits = np.abs(self.errors) <= _QUANTILE * np.asarray(self.deviations)
        return float(np.sum(hits)) / self.repeats


def tallies(build: Any, solver: AbstractSolver, noise: float, repeats: int) -> tuple[dict[str, Tally], float]:
    """Repeat a case with fresh points and noise.

    Args:
        build: makes the problem, of `noise` and `seed`.
        solver: is asked for the numbers.
        noise: standard deviation over the root mean square of the observed values.
        repeats: draws.

    Returns:
        A tally of each parameter, and seconds a run.
    """
    found, started = {name: Tally() for name in TRUTHS[build]}, time.perf_counter()
    for seed in range(repeats):
        solution = solve(build(noise=noise, seed=seed), solver, key=seed)
        for name, truth in TRUTHS[build].items():
            estimate = solution.parameters[name]
            succeeded = solution.result is RESULTS.successful
            found[name].add(estimate.value - truth, estimate.standard_error if succeeded else None)
    return found, (time.perf_counter() - started) / repeats


def main(name: str = "gp", repeats: str = "100") -> None:
    """Write the table, a row as soon as it is there."""
    solver, made = SOLVERS[name], provenance()
    sys.stdout.write(f"`python -m benchmarks.parameter_coverage {name} {repeats}` at {made['commit'][:12]} ")
    sys.stdout.write(f"on {made['processor']}; {solver!r}\n\n")
    sys.stdout.write("| case | noise | parameter | repeats | bias / std. error | covered | seconds a run |\n")
    sys.stdout.write("|---" * 7 + "|\n")
    for build in TRUTHS:
        for noise in (0.01, 0.1):
            found, seconds = tallies(build, solver, noise, int(repeats))
            for parameter, tally in found.items():
                sys.stdout.write(
                    f"| {build.__name__} | {noise:.0%} | {parameter} | {repeats} | {tally.bias:+.2f} "
                    f"| {tally.covered:.0%} | {seconds:.2g} |\n"
                )
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
