"""Numbers of dynamical systems from a noisy beginning; `python -m benchmarks.refit` has the tables over many draws."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

SYSTEMS = ("thomas", "lorenz", "chen_lee", "duffing")

SUITE = Suite(
    name="prose",
    title="Systems of ordinary differential equations from the first third of a trajectory with 2 % noise",
    rows=tuple(
        Row(f"systems/{name}", "system_identification", {"same_noise": True}, target=Target(0.04)) for name in SYSTEMS
    ),
    baselines=(),
)
