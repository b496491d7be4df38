"""The support matrix: every case by every solver, and what is known of each pair. No cell is left out silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from benchmarks.report.entries import TRIVIAL, Entry, named

STATES = {
    "solved": ("✓", "ended successful"),
    "doubtful": ("~", "finite fields, but the solver does not call itself successful"),
    "cannot": ("∅", "the solver says, before it starts, that it cannot"),
    "failed": ("✗", "no finite fields"),
    "crashed": ("!", "an exception, or the process died"),
    "out of time": ("≫", "killed at its time limit"),
    "baseline": ("○", "solves nothing: the error that a method must beat"),
    "not run": ("·", "it claims the case, but the suite does not ask for it, or its environment is not built"),
}
"""Symbol and meaning of each state, best first."""


@final
@dataclass(frozen=True)
class Support:
    """What is known of one solver on one case.

    Attributes:
        state: one of `STATES`.
        error: smallest median error of its configurations; None unless there are finite fields.
        reason: what the solver has to say.
    """

    state: str
    error: float | None
    reason: str


def support_matrix(
    entries: Sequence[Entry], facts: Sequence[Mapping[str, Any]]
) -> tuple[list[str], dict[str, list[Support]]]:
    """Solvers, and for each case one cell for each of them.

    Args:
        entries: what was run.
        facts: of each case, with the reasons of the solvers that refuse it.
    """
    solvers = list(dict.fromkeys(entry.solver for entry in entries))
    refused = {named(f["case"], f.get("values", {})): f.get("refused", {}) for f in facts}
    cases = list(dict.fromkeys(entry.case for entry in entries))
    return solvers, {case: [_cell(entries, case, s, refused.get(case, {})) for s in solvers] for case in cases}


def _cell(entries: Sequence[Entry], case: str, solver: str, refused: Mapping[str, str]) -> Support:
    own = [entry for entry in entries if (entry.case, entry.solver) == (case, solver)]
    if not own:
        reason = {name.rpartition("/")[2]: text for name, text in refused.items()}.get(solver)
        return Support("not run", None, "") if reason is None else Support("cannot", None, reason)
    best = min(own, key=lambda entry: (list(STATES).index(entry.status), entry.error))
    state = "baseline" if solver in TRIVIAL and best.status == "solved" else best.status
    return Support(state, best.error if best.finished else None, "; ".join(best.messages))
