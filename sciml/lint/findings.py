"""What a rule has to say about a problem: an error that forbids it, or a doubt that lets it pass."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import final

from sciml.errors import ProblemError, ProblemWarning


@final
@unique
class Weight(Enum):
    """How much a finding weighs."""

    ERROR = "the problem cannot be solved as stated"
    MISSING = "something is missing that measured data may replace: an error without observations"
    DOUBT = "the statement may be meant"
    REDUNDANT = "one statement too many: harmless where a verified solution satisfies all of them"


@final
@dataclass(frozen=True)
class Finding:
    """One sentence about a problem, and its weight."""

    weight: Weight
    found: str
    needed: str
    todo: str

    @property
    def is_fatal(self) -> bool:
        """Whether it forbids the problem whatever else is known."""
        return self.weight is Weight.ERROR

    @property
    def error(self) -> ProblemError:
        """The sentence as an exception."""
        return ProblemError(self.found, self.needed, self.todo)


def report(findings: Sequence[Finding], *, has_observations: bool, is_consistent: bool, stacklevel: int) -> None:
    """Raise the first error with all others as its notes, or warn of every doubt.

    Args:
        findings: what the rules said.
        has_observations: measured data may stand in for what is missing.
        is_consistent: a declared solution was seen to satisfy every statement, so none is one too many.
        stacklevel: how far up the caller is whose line the warnings name.

    Raises:
        ProblemError: there is an error.
    """
    fatal = {Weight.ERROR} if has_observations else {Weight.ERROR, Weight.MISSING}
    errors = [finding.error for finding in findings if finding.weight in fatal]
    if errors:
        for other in errors[1:]:
            errors[0].add_note(f"also {other}")
        raise errors[0]
    for finding in findings:
        if not (finding.weight is Weight.REDUNDANT and is_consistent):
            warnings.warn(str(finding.error), ProblemWarning, stacklevel=stacklevel + 1)
