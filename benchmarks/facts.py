"""What a report says of a case: `python -m benchmarks.facts REQUEST` prints one line of JSON.

It runs before the cells of the case, in a process of its own: the statement is checked against the truth, a computed
truth is computed and kept, and every solver of the suite is asked, without compiling, whether it can solve the case.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import click
import jax

from benchmarks.peers.catalogue import refusals
from benchmarks.suite import FORMAT, PEER
from benchmarks.worker import end_with_parent
from sciml.case import Case
from sciml.commands.library import Library
from sciml.commands.show import facts_of as shown
from sciml.errors import SciMLError
from sciml.measurement import plain, subject_of
from sciml.problem import Problem
from sciml.reference import ComputedReference
from sciml.scores import statement_of


@final
@dataclass(frozen=True)
class Request:
    """Which case, and which solvers to ask."""

    case: str
    values: Mapping[str, Any]
    content: str
    solvers: tuple[str, ...]

    def spelled(self) -> str:
        """As JSON, the same for equal requests."""
        return json.dumps(plain(asdict(self)), sort_keys=True)

    @property
    def key(self) -> str:
        """Identity: equal requests have equal keys in every process."""
        return hashlib.blake2b(f"facts {FORMAT} {self.spelled()}".encode(), digest_size=12).hexdigest()

    @property
    def command(self) -> str:
        """Shell line that repeats the inquiry."""
        return f"python -m benchmarks.facts {shlex.quote(self.spelled())}"


def facts_of(request: Request, library: Library) -> dict[str, Any]:
    """What `sciml show` says, with the truth judged and every solver asked.

    Returns:
        Those facts with `truth` as `{kind, error, statement}`, where `statement` is the truth's worst relative residual
        in the problem's own equations and conditions (None where it cannot be differentiated, as for tables, or where
        the statement leaves a number open); `trouble` where the truth cannot be had; and `refused`, the reasons of each
        solver that cannot solve the case.
    """
    case = library.case(request.case)
    subject = subject_of(case, request.values, library.make_solver)
    problem, truth, trouble = subject.problem, None, ""
    try:
        truth = subject.reference
    except SciMLError as error:
        trouble = str(error)
    can_be_judged = not isinstance(problem.reference, ComputedReference) and not problem.unknown_parameters
    statement = statement_of(problem, truth, jax.random.key(0)) if truth is not None and can_be_judged else None
    reasons = {name: _reasons(name, case, problem, library) for name in request.solvers}
    own = {
        "truth": None if truth is None else {"kind": truth.kind, "error": truth.error, "statement": statement},
        "trouble": trouble,
        "shape": list(subject.grid.shape),
        "refused": {name: "; ".join(found) for name, found in reasons.items() if found},
    }
    return plain({**shown(case, problem), **own})


def _reasons(solver: str, case: Case, problem: Problem, library: Library) -> list[str]:
    """Why a solver, or a peer, cannot solve a case."""
    return refusals(solver, case) if solver.startswith(PEER) else library.make_solver(solver, {}).check(problem)


def main(text: str) -> None:
    """Print the facts that the text asks for."""
    from sciml.cli import LIBRARY

    end_with_parent()
    asked = json.loads(text)
    request = Request(asked["case"], asked["values"], asked["content"], tuple(asked["solvers"]))
    click.echo(json.dumps(facts_of(request, LIBRARY), ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1])
