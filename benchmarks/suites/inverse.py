"""Unknown numbers and coefficient fields of equations from noisy observations; the error is that of all fields."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

_FIELDS = ("inverse/conductivity", "inverse/permeability")
_CASES = tuple(f"inverse/{name}{mark}" for name in ("viscosity", "exchange", "speed") for mark in ("", "_noisy"))

SUITE = Suite(
    name="inverse",
    title="Unknown parameters from observations with 1 % and 10 % noise, coefficient fields with 1 %",
    rows=(
        *(Row(case, "pinn", target=Target(seconds=60), warm=False, seeds=5, budget=60) for case in _CASES),
        *(Row(case, "gp", target=Target(seconds=60), warm=False) for case in _CASES),
        *(
            Row(case, solver, target=Target(0.05, 60), warm=False, seeds=seeds, budget=60)
            for case in _FIELDS
            for solver, seeds in (("pinn", 5), ("gp", 1))  # the process draws nothing: all its seeds are one run
        ),
    ),
    baselines=(),
)
