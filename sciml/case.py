"""Cases: a problem under a published name, with the grid on which errors are taken and the published numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from sciml.domains.bodies import Bodies
from sciml.domains.grids import AbstractGrid, uniform_grid
from sciml.errors import OptionError, ProblemWarning
from sciml.problem import Problem


@final
@dataclass(frozen=True)
class Published:
    """A number that somebody published for a case.

    Attributes:
        method: what was used.
        error: relative L2 error; NaN where only a qualitative statement was made.
        source: where it stands, with its provenance (read in the paper, second-hand, from memory).
        hardware: what it ran on, if known.
        seconds: how long, if known.
        note: anything that changes its meaning, such as "best of 20 test checks".
    """

    method: str
    error: float
    source: str
    hardware: str = ""
    seconds: float | None = None
    note: str = ""


@final
@dataclass(frozen=True)
class Case:
    """A problem that suites, the command line and the benchmarks know by name.

    Attributes:
        name: `burgers`, or `suite/case` exactly as published.
        build: function that returns the problem; its keyword arguments are the case's values.
        points: test points along each coordinate, or their number where the rule scatters them; errors are taken there
            and nowhere else.
        values: arguments for `build` that make this case.
        published: numbers to compare with.
        note: how the statement differs from the published one, if it does.
        fixed: coordinates at which the test grid is held, such as `{"t": 1.0}`.
        rule: how test points are spread: a function of `sciml.domains.grids`.
    """

    name: str
    build: Callable[..., Problem]
    points: Mapping[str, int] | int
    values: Mapping[str, Any] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    note: str = ""
    fixed: Mapping[str, float] = field(default_factory=dict)
    rule: Callable[..., AbstractGrid] = uniform_grid

    @property
    def summary(self) -> str:
        """First line of the building function's documentation."""
        return (self.build.__doc__ or "").strip().split("\n")[0]

    def problem(self, **values: Any) -> Problem:
        """The problem, with some values changed.

        Raises:
            OptionError: a value that the case does not have.
        """
        import inspect

        known = inspect.signature(self.build).parameters
        for name in values:
            if name not in known:
                raise OptionError(f"value {name!r} for case {self.name}", f"one of {', '.join(known)}", "check --set")
        problem = self.build(**{**self.values, **values})
        with warnings.catch_warnings():  # what is doubtful was said when it was built
            warnings.simplefilter("ignore", ProblemWarning)
            return problem if problem.name == self.name else problem.replace(name=self.name)

    def grid(self, problem: Problem) -> AbstractGrid:
        """The test grid."""
        domain = problem.domain if isinstance(problem.domain, Bodies) else problem.box
        return self.rule(domain, self.points, fixed=self.fixed)
