"""Five minutes on two cores: every kind of solver on small cases, at several costs each. Runs before every release."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

SUITE = Suite(
    name="quick",
    title="Five minutes of everything",
    rows=(
        Row("heat", "spectral", target=Target(1e-6)),
        *(Row("heat", "finite_difference", {"points": n}) for n in (17, 65, 257)),
        Row("heat", "gp", target=Target(1e-6)),
        Row("heat", "pinn", warm=False, budget=15),
        Row("burgers", "spectral", target=Target(1e-6)),
        *(Row("burgers", "finite_difference", {"points": n}) for n in (65, 257)),
        Row("records/helmholtz_1_4", "spectral", target=Target(1e-9, 0.1)),
        Row("records/helmholtz_1_4", "finite_difference", {"points": 65}),
        Row("records/helmholtz_1_4", "gp", target=Target(1e-9, 0.5)),
        Row("records/helmholtz_1_4", "pig", target=Target(1e-9, 1)),
    ),
    limit=60,
)
