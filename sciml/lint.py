"""Lints at construction: a problem that cannot be solved is refused with the name of what is missing or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sciml.problem import Problem


def check_problem(problem: Problem) -> None:
    """Refuse what cannot be solved, warn about what is doubtful.

    Raises:
        ProblemError: names the statement at fault.
    """
