"""Unknown numbers of equations from noisy observations, with standard errors."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

_CASES = tuple(f"inverse/{name}{mark}" for name in ("viscosity", "exchange", "speed") for mark in ("", "_noisy"))

SUITE = Suite(
    name="inverse",
    title="Unknown parameters from observations with 1 % and 10 % noise",
    rows=(
        *(Row(case, "pinn", target=Target(seconds=60), warm=False, seeds=5, budget=60) for case in _CASES),
        *(Row(case, "gp", target=Target(seconds=60), warm=False) for case in _CASES),
    ),
    baselines=(),
)
