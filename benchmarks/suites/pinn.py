"""What physics-informed networks promise: one default for all cases, and one tuned row for each."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

_LINES = {"num_lines": 2}
_WAITING = {"causality": 10.0}
_SLABS = {"slabs": 4}
_MORE_POINTS = {"num_points": 6000}
_RAISED_REYNOLDS = {"continuation": [["reynolds", [100.0]]]}

_CASES = (
    ("records/helmholtz_1_4", 2e-5, 120, _LINES),
    ("records/helmholtz_4_4", 1e-4, 600, _LINES),
    ("records/helmholtz_10_10", 1e-3, 600, _LINES),
    ("records/burgers", 1e-5, 600, _MORE_POINTS),
    ("records/allen_cahn", 1e-4, 600, _SLABS),
    ("pig/klein_gordon", 1e-4, 600, _MORE_POINTS),
    ("pig/flow_mixing", 5e-4, 600, _WAITING),
    ("pig/nonlinear_diffusion", 5e-4, 600, _WAITING),
    ("records/burgers_nu_0.01", 1e-6, 600, _MORE_POINTS),
    ("records/kdv", 1e-5, 600, _SLABS),
    ("records/wave", 1e-6, 600, _SLABS),
    ("records/poisson_5d", 1e-6, 600, _MORE_POINTS),
    ("records/poisson_10d", 1e-4, 600, _MORE_POINTS),
    ("records/cavity_re100", 1e-3, 600, _MORE_POINTS),
    ("records/cavity_re400", 1e-3, 600, _RAISED_REYNOLDS),
)

SUITE = Suite(
    name="pinn",
    title="Physics-informed networks trained as least squares",
    rows=tuple(
        Row(case, "pinn", options, target=Target(error, seconds), warm=False, seeds=5, budget=seconds)
        for case, error, seconds, tuned in _CASES
        for options in ({}, tuned)
    ),
    limit=1500,
)
