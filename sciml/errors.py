"""Errors for wrong input: every message says what was found, what was needed, and what to do."""

from __future__ import annotations

from typing import final


class SciMLError(Exception):
    """Base of every error that this library raises on wrong input.

    Args:
        found: what the library met, quoted where that helps.
        needed: what would have been right.
        todo: the one thing to change.
    """

    def __init__(self, found: str, needed: str = "", todo: str = ""):
        self.found, self.needed, self.todo = found, needed, todo
        parts = [f"found {found}"]
        if needed:
            parts.append(f"needed {needed}")
        if todo:
            parts.append(f"do this: {todo}")
        super().__init__("; ".join(parts) + ".")


@final
class ExpressionError(SciMLError):
    """An expression that has no meaning: a wrong shape, an array inside the tree, a chained comparison."""


@final
class MissingCoordinateError(SciMLError, AttributeError):
    """A derivative along a coordinate which the expression's frame does not have."""


@final
class DomainError(SciMLError):
    """A domain, region, grid or sampling request that cannot exist."""


@final
class ProblemError(SciMLError):
    """A problem that is ill-posed or contradicts itself; names the statement at fault."""


@final
class UnsupportedProblemError(SciMLError):
    """A solver was handed a problem outside its class; raised before any compilation."""


@final
class LoweringError(SciMLError):
    """A derivative that cannot be pushed to the leaves without changing the mathematics."""


@final
class ParseError(SciMLError):
    """Text, words or JSON that do not spell an expression."""


@final
class FileError(SciMLError):
    """A file that is missing, damaged, foreign, or of another version; a value that cannot be written to one."""


@final
class SolveError(SciMLError):
    """A computation that ended without a solution, raised by `solve(..., throw=True)`."""


@final
class OptionError(SciMLError):
    """A hyperparameter or option outside its range."""


@final
class ProblemWarning(UserWarning):
    """A statement that is doubtful but may be meant: the problem is accepted."""
