"""The published set of the Gaussian process, by every solver that claims a case of it."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, side_by_side

CASES = ("u1", "u2", "u3", "u4", "u5", "u6", "u7", "a1", "a2", "a3", "advection")

SUITE = Suite(
    name="gp_hm",
    title="High-frequency and multi-scale problems by every solver, 30 seconds each",
    rows=tuple(
        row
        for name in CASES
        for row in (*side_by_side(f"gp_hm/{name}", 30), Row(f"gp_hm/{name}", "gp_student", warm=False, budget=30))
    ),
    limit=300,
)
