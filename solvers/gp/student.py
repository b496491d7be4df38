"""The same Gaussian process with Student-t spectral lines, under a name that suites and the command line can call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from sciml.problem import Problem
from sciml.solution import Solution
from sciml.solver import AbstractSolver, Run
from solvers.gp.shapes import StudentT
from solvers.gp.solver import KroneckerGP


@final
@dataclass(frozen=True)
class StudentGP(AbstractSolver):
    """`KroneckerGP(shape=StudentT(half_order))`: Matérn kernels times cosines (StM), full rank on the nodes.

    It is less accurate than Gaussian lines on smooth problems and an order slower; its draws have finitely many
    derivatives.

    Source: Fang, Cooley, Long, Li, Kirby & Zhe, ICLR 2024, arXiv:2311.04465.

    Args:
        half_order: p, for Matérn order ν = p + 1/2.
        nodes: along each axis; None lets the learned band decide.
        accepted: as for `KroneckerGP`.

    Raises:
        OptionError: a hyperparameter outside its range.
    """

    half_order: int = 2
    nodes: int | None = None
    accepted: float = 1e-4

    def __post_init__(self) -> None:
        self._process()

    def _process(self) -> KroneckerGP:
        return KroneckerGP(shape=StudentT(self.half_order), nodes=self.nodes, accepted=self.accepted)

    def check(self, problem: Problem) -> list[str]:
        return self._process().check(problem)

    def run(self, problem: Problem, run: Run) -> Solution:
        return self._process().run(problem, run)
