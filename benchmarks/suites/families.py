"""One draw of each family of equations by every solver."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, side_by_side
from pde_zoo.families import ODE_FAMILIES, PDE_FAMILIES

SUITE = Suite(
    name="families",
    title="One draw of each family by every solver, 20 seconds each",
    rows=(
        *(row for name in PDE_FAMILIES for row in side_by_side(f"families/{name}", 20, seeds=1)),
        *(
            row
            for name in ODE_FAMILIES
            for row in (
                Row(f"families/{name}", "initial_value", budget=20),
                *side_by_side(f"families/{name}", 20, seeds=1),
            )
        ),
    ),
    limit=300,
)
