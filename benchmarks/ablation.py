"""`python -m benchmarks.ablation [SECONDS]`: what each piece of a physics-informed network buys.

Every row changes one thing of the default solver and has the same seconds, on cases that differ in what is hard about
them: many waves, a front, fast dynamics.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from pde_zoo.catalogue import CASES
from sciml import solve
from sciml.errors import SolveError
from sciml.optimise import Adam, LevenbergMarquardt, Sequential
from solvers.pinn import MLP, PINN, SIREN, Embedding, GatedMLP, ResidualNet

ON = ("records/helmholtz_4_4", "records/burgers")

PIECES: dict[str, dict[str, Any]] = {
    "default": {},
    "soft conditions": {"hard": False},
    "points never redrawn": {"resample_every": None},
    "points spread evenly": {"adaptive_share": 0.0},
    "gated perceptron": {"network": GatedMLP(width=14)},
    "residual net": {"network": ResidualNet(width=13)},
    "SIREN": {"network": SIREN()},
    "wider first layer": {"network": MLP(first_scale=4.0)},
    "random Fourier features": {"embedding": Embedding(fourier_features=16)},
    "frequencies of the data": {"num_lines": 2},
    "causal weights": {"causality": 10.0},
    "four slabs of time": {"slabs": 4},
    "geodesic acceleration": {"optimiser": LevenbergMarquardt(max_steps=500, tolerance=1e-8, geodesic=True)},
    "Adam first": {"optimiser": Sequential((Adam(max_steps=300), LevenbergMarquardt(max_steps=500, tolerance=1e-8)))},
}
"""Networks have about as many weights as the default, 900."""


def row(case: str, piece: str, seconds: float) -> str:
    """One line of the table."""
    problem, solver = CASES[case].problem(), PINN(**PIECES[piece])
    if solver.check(problem):
        return f"| {case} | {piece} | – | – | – | does not apply |"
    started = time.perf_counter()
    try:
        solution = solve(problem, solver, budget=seconds)
    except SolveError as error:
        return f"| {case} | {piece} | – | – | {time.perf_counter() - started:.0f} | {error} |"
    spent = time.perf_counter() - started
    reference: Any = problem.reference
    errors = solution.errors(reference, CASES[case].grid(problem))
    worst = max(e["relative_l2"] for e in errors.values())
    fresh = solution.stats.extra["fresh_residual"]
    return f"| {case} | {piece} | {worst:.1e} | {fresh:.1e} | {spent:.0f} | {solution.result.name} |"


def main(seconds: float = 60.0) -> None:
    """Write the table, a row as soon as it is there."""
    sys.stdout.write("| case | piece | rel. L2 error | fresh residual | seconds | outcome |\n" + "|---" * 6 + "|\n")
    for case in ON:
        for piece in PIECES:
            sys.stdout.write(row(case, piece, seconds) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
