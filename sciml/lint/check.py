"""Lints at construction: a problem that cannot be solved is refused with the name of what is missing or wrong."""

from __future__ import annotations

import warnings

from sciml.errors import ProblemError, ProblemWarning
from sciml.lint.data import check_data
from sciml.lint.faces import check_faces
from sciml.lint.findings import report
from sciml.lint.functions import check_functions
from sciml.lint.gauge import check_gauge
from sciml.lint.initial import check_initial
from sciml.lint.names import check_names
from sciml.lint.subject import Subject
from sciml.lint.truth import check_truth, is_verified
from sciml.problem import Problem

_TO_THE_CALLER = 3
"""Frames between a warning and the line that made the problem: this function and Problem's constructor."""


def check_problem(problem: Problem) -> None:
    """Refuse what cannot be solved, warn about what is doubtful.

    Raises:
        ProblemError: names the statement at fault.
    """
    has_observations = bool(problem.observations)
    names = list(check_names(problem))
    subject = Subject(problem)
    if not any(finding.is_fatal for finding in names):
        names += check_functions(subject)
    rest, truth = [], []
    if not any(finding.is_fatal for finding in names):
        rest = [*check_initial(subject), *check_faces(subject), *check_gauge(subject), *check_data(subject)]
        truth = list(check_truth(subject))
    report(
        [*names, *rest, *truth],
        has_observations=has_observations,
        is_consistent=is_verified(subject, truth),
        stacklevel=_TO_THE_CALLER,
    )


def check_determined(problem: Problem) -> None:
    """Refuse or doubt, before a solver starts, an inverse problem without data.

    Raises:
        ProblemError: fewer equations than unknowns, and no observations.
    """
    if problem.observations:
        return
    subject = Subject(problem)
    if len(subject.residuals) < len(subject.unknowns):
        raise ProblemError(
            f"{len(subject.residuals)} scalar equations for {len(subject.unknowns)} unknowns and no observations",
            "an equation for each unknown, or measured values",
            "add the missing equation, or problem.observe(…)",
        )
    unknown = [f"parameter {p.name!r}" for p in problem.unknown_parameters]
    unknown += [f"law {symbol.name!r}" for symbol in problem.unbound_laws]
    if unknown:
        doubt = ProblemError(
            f"unknown {', '.join(unknown)} and no observations",
            "measured values that determine them",
            "problem.observe(…)",
        )
        warnings.warn(str(doubt), ProblemWarning, stacklevel=3)
