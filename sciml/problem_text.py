"""How problems and solutions are shown: text, HTML with LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sciml.problem import Problem


def problem_text(problem: Problem) -> str:
    """A few lines: equations, domain, conditions."""
    lines = [f"Problem {problem.name}".rstrip(), *(f"  {e!r}" for e in problem.equations), f"  on {problem.domain!r}"]
    return "\n".join([*lines, *(f"  {c!r}" for c in problem.conditions), *(f"  {o!r}" for o in problem.observations)])
