"""Truths that state their own error."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

import jax.numpy as jnp
import numpy as np

from sciml.errors import ProblemWarning
from sciml.expr.evaluation import evaluate
from sciml.expr.nodes import Scalar
from sciml.expr.traverse import atoms
from sciml.known import Arguments, known_values

if TYPE_CHECKING:
    from sciml.problem import Problem

Values = dict[str, Any]
"""Values by the name of the scalar unknown: `u`, `v[0]`."""


class AbstractReference(ABC):
    """A truth for a problem's fields."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """One word for reports: exact, quadrature, computed."""

    @property
    @abstractmethod
    def error(self) -> float:
        """Estimate of its own relative L2 error."""

    @abstractmethod
    def __call__(self, points: Mapping[str, Any]) -> Values:
        """Values of every scalar unknown at points, one array for each coordinate by name."""

    def renumbered(self, numbers: Mapping[str, float]) -> AbstractReference | None:
        """The truth for other numbers of the parameters, by name; None if this truth holds for its own numbers only."""
        return None if numbers else self


@final
@dataclass(frozen=True)
class ExactReference(AbstractReference):
    """An exact solution as expressions of the coordinates; its error is rounding."""

    expressions: dict[str, Scalar]
    arguments: Arguments

    @property
    def kind(self) -> str:
        return "exact"

    @property
    def error(self) -> float:
        return float(np.finfo(float).eps)

    def __call__(self, points: Mapping[str, Any]) -> Values:
        shape = jnp.broadcast_shapes(*(jnp.shape(p) for p in points.values()))
        needed = atoms(*self.expressions.values())
        known = known_values(needed, {n: jnp.asarray(p) for n, p in points.items()}, self.arguments)
        values = evaluate(tuple(self.expressions.values()), known)
        return {name: jnp.broadcast_to(v, shape) for name, v in zip(self.expressions, values, strict=True)}

    def renumbered(self, numbers: Mapping[str, float]) -> ExactReference:
        return ExactReference(self.expressions, self.arguments.with_parameters(numbers))


@final
@dataclass(frozen=True)
class FunctionReference(AbstractReference):
    """A truth evaluated by a function of the coordinates, such as a quadrature formula.

    Attributes:
        function: takes `{coordinate name: array}`, returns `{unknown: array}`.
        own_error: its relative L2 error, from a comparison stated in `source`.
        source: formula and how the error is known.
    """

    function: Callable[[Mapping[str, Any]], Values]
    own_error: float
    source: str
    kind_: str = "quadrature"

    @property
    def kind(self) -> str:
        return self.kind_

    @property
    def error(self) -> float:
        return self.own_error

    def __call__(self, points: Mapping[str, Any]) -> Values:
        return self.function(points)


@final
@dataclass(frozen=True)
class ComputedReference:
    """A recipe for a truth that a classical solver must compute, at two resolutions.

    The recipe only names the solver: the command line and the benchmarks own the dictionary of names and turn it into
    a reference with `compute`, cached on disk by the problem's content.

    Attributes:
        solver: name of a classical solver.
        fine: its options for the truth.
        coarse: options of the comparison that gives the truth's own error.
        instead: an equivalent problem that is easier to solve, such as one for the square of the unknown; its
            parameters have the names of the problem's own.
        back: the problem's unknowns from those of `instead`.
    """

    solver: str
    fine: dict[str, Any] = field(default_factory=dict)
    coarse: dict[str, Any] = field(default_factory=dict)
    instead: Problem | None = None
    back: Callable[[Values], Values] | None = None

    def renumbered(self, numbers: Mapping[str, float]) -> ComputedReference:
        """The recipe for other numbers: it holds for any, and what it makes states its own error."""
        if self.instead is None:
            return self
        with warnings.catch_warnings():  # what is doubtful was said when the recipe was made
            warnings.simplefilter("ignore", ProblemWarning)
            return replace(self, instead=self.instead.replace(**numbers))
