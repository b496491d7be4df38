"""Unknown numbers of equations from noisy observations, with standard errors."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

_CASES = ("viscosity", "exchange", "speed")

SUITE = Suite(
    name="inverse",
    title="Unknown parameters from observations with 1 % and 10 % noise",
    rows=tuple(
        Row(f"inverse/{name}{mark}", "pinn", target=Target(seconds=60), warm=False, seeds=5, budget=60)
        for name in _CASES
        for mark in ("", "_noisy")
    ),
    baselines=(),
)
