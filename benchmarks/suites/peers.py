"""Other libraries beside ours on the same cases: learned ones in the same seconds, classical ones at several costs.

The peers run with the settings of their own examples, which their scripts in `benchmarks/peers/scripts/` state. What is
promised is a ratio of errors: `python -m benchmarks.peers.ratios DIR` says whether it holds.
"""

from __future__ import annotations

from benchmarks.suite import Row, Suite

SECONDS = 120.0

_LEARNED = ("peer:deepxde", "peer:jinns", "peer:pina", "pinn", "pig")
_TUNED = {"records/burgers": {"num_points": 6000}, "records/helmholtz_1_4": {"num_lines": 2}}
# Cells of py-pde; the front of Burgers is 0.013 thick, and 128 cells would be thicker.
_CELLS = {
    "records/burgers": (512, 2048),
    "heat": (128, 512),
    "records/kdv": (128, 512),
    "records/kuramoto_sivashinsky": (128, 512),
}


def _learned(case: str) -> list[Row]:
    tuned = Row(case, "pinn", _TUNED[case], warm=False, seeds=3, budget=SECONDS)
    return [*(Row(case, name, warm=False, seeds=3, budget=SECONDS) for name in _LEARNED), tuned]


def _classical(case: str) -> list[Row]:
    exponax = [Row(case, "peer:exponax", {"points": n, "steps": s}, warm=False) for n, s in ((512, 20), (2048, 80))]
    pypde = [Row(case, "peer:py-pde", {"points": n}, warm=False) for n in _CELLS[case]]
    return [*exponax, *pypde, Row(case, "finite_difference")]


SUITE = Suite(
    name="peers",
    title="Beside other libraries",
    rows=(
        *(row for case in _TUNED for row in _learned(case)),
        *(row for case in _CELLS for row in _classical(case)),
        Row("records/helmholtz_1_4", "gp"),
    ),
    limit=600,
)
