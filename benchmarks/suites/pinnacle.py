"""Cases of PINNacle that live on boxes, corrected, by every solver; what was wrong stands in `pde_zoo.suites.pinnacle`.

Where a name ends in `_original`, the statement is the published one and the truth what it was meant for.
"""

from __future__ import annotations

from benchmarks.suite import Suite, side_by_side
from pde_zoo.suites.pinnacle import CASES

SUITE = Suite(
    name="pinnacle",
    title="PINNacle's cases on boxes, corrected, by every solver, one minute each",
    rows=tuple(row for case in CASES for row in side_by_side(case.name, 60)),
    limit=600,
)
