"""Record cases of physics-informed solvers, by every solver that claims one, in the same minute."""

from __future__ import annotations

from benchmarks.suite import Suite, side_by_side
from pde_zoo.suites.records import CASES

SUITE = Suite(
    name="records",
    title="Record cases by every solver, one minute each",
    rows=tuple(row for case in CASES for row in side_by_side(case.name, 60)),
    limit=600,
)
