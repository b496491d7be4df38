"""What the classical solvers promise: the baselines of every other table, and the source of computed truths."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

SUITE = Suite(
    name="classical",
    title="Classical solvers against the truth",
    rows=(
        Row("records/burgers", "spectral", target=Target(1e-9, 5)),
        Row("records/kdv", "spectral", target=Target(1e-8, 5)),
        Row("records/kuramoto_sivashinsky", "spectral", target=Target(1e-6, 10)),
        Row("records/helmholtz_1_4", "spectral", target=Target(1e-10, 0.1)),
        Row("records/helmholtz_4_4", "spectral", target=Target(1e-10, 0.1)),
        Row("records/helmholtz_10_10", "spectral", target=Target(1e-10, 0.1)),
        Row("records/poisson_5d", "spectral", target=Target(1e-12, 5)),
        Row("records/multiscale_laplace", "spectral", target=Target(1e-11, 0.1)),
        # The slope of the initial data jumps: their modes fall to 6e-9 at the finest grid, not to the default 1e-9.
        Row("records/allen_cahn", "spectral", {"rtol": 1e-8}, target=Target(1e-6, 20)),
    ),
)
