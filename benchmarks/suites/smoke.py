"""A few seconds of everything: for tests of the runner and for a look at a new machine."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

SUITE = Suite(
    name="smoke",
    title="A quick look",
    rows=(Row("heat", "spectral", target=Target(1e-6)), Row("heat", "finite_difference", target=Target(1e-3))),
    limit=120,
)
