"""Equations that a model proposes, with its opinion of their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml.errors import ParseError
from sciml.expr.build import derivative
from sciml.expr.equation import Equation
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Constant, Expr
from sciml.expr.tokens import from_tokens
from sciml.expr.traverse import substitute
from sciml.problem import Problem
from sciml.solution import Estimate
from solvers.prose.canonical import TIME, System, unknowns
from solvers.prose.decoders import expanded
from solvers.prose.skeleton import Skeleton, parse_system
from solvers.prose.vocabulary import PLACEHOLDER, SIGNS, Vocabulary

LEAST_WIDTH = 0.02
"""Least relative width of a prior that the model's opinion of a number makes."""


@final
@dataclass(frozen=True)
class Candidate:
    """A system that the model wrote.

    Attributes:
        form: right-hand sides over the model's own unknowns, with a parameter `c_0, c_1, …` for each number that was
            written with sign, digits and exponent; integers with words of their own stay.
        values: those numbers, as written.
        log_probability: of the words.
        means: what the model expects of each number.
        deviations: how far it may be off.
    """

    form: System
    values: tuple[float, ...]
    log_probability: float
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @property
    def system(self) -> System:
        """The system with its numbers in place."""
        table: dict[Any, Expr] = {Parameter(f"c_{k}"): Constant(v) for k, v in enumerate(self.values)}
        return tuple(substitute(side, table) for side in self.form)

    @property
    def skeleton(self) -> Skeleton:
        """The form with all its numbers taken out."""
        return Skeleton.of(self.form)

    def open_equations(self, problem: Problem) -> tuple[Equation, ...]:
        """The system over the unknowns and the time of a problem, its numbers as unknown parameters.

        They begin at what the model expects, with its opinion, widened twofold and to at least `LEAST_WIDTH` of the
        number, as prior.
        """
        assert problem.time is not None
        names: dict[Any, Expr] = {**dict(zip(unknowns(len(self.form)), problem.unknowns, strict=True))}
        names[TIME] = problem.time
        for k, (mean, width) in enumerate(zip(self.means, self.deviations, strict=True)):
            prior = (mean, max(2 * width, LEAST_WIDTH * abs(mean)))
            names[Parameter(f"c_{k}")] = Parameter(f"c_{k}", init=mean, prior=prior)
        sides = (substitute(side, names) for side in self.form)
        return tuple(derivative(u, problem.time) == f for u, f in zip(problem.unknowns, sides, strict=True))

    def estimates(self) -> dict[str, Estimate]:
        """What the model expects of the parameters of `open_equations`."""
        opinions = zip(self.means, self.deviations, strict=True)
        return {f"c_{k}": Estimate(mean, width) for k, (mean, width) in enumerate(opinions)}


def candidate(
    ids: Sequence[int] | np.ndarray,
    numbers: np.ndarray,
    log_probability: float,
    vocabulary: Vocabulary,
    dimension: int,
) -> Candidate:
    """The system that an output spells.

    Args:
        ids: words, `(L,)`.
        numbers: mean and logarithm of the width of the number that begins at each word, `(L, 2)`.
        log_probability: of the words.
        vocabulary: what the words are.
        dimension: number of equations.

    Raises:
        ParseError: the words spell no system.
    """
    words = vocabulary.text(ids)
    begins = [i for i, word in enumerate(words) if word in SIGNS]
    values = [from_tokens(words[i : i + 3], ()) for i in begins]
    inside = {i + k for i in begins for k in (1, 2)}
    form = parse_system([PLACEHOLDER if w in SIGNS else w for i, w in enumerate(words) if i not in inside], dimension)
    mean, log_width = numbers[begins].astype(float).T
    means, widths = expanded(mean, np.exp(log_width))
    parts = ([float(v.value) for v in values], means, widths)  # type: ignore[attr-defined]
    stated, expected, spread = (tuple(float(v) for v in part) for part in parts)
    return Candidate(form, stated, log_probability, expected, spread)


def candidates(
    ids: np.ndarray, numbers: np.ndarray, scores: np.ndarray, vocabulary: Vocabulary, dimension: int
) -> list[Candidate]:
    """All outputs of a search that spell a system, the most probable first; equal systems once."""
    found: dict[tuple[bytes, ...], Candidate] = {}
    for i in np.argsort(-scores, kind="stable"):
        if not math.isfinite(scores[i]) or scores[i] < -1e6:
            continue
        try:
            one = candidate(ids[i], numbers[i], float(scores[i]), vocabulary, dimension)
        except ParseError:
            continue
        if all(math.isfinite(number) for number in (*one.means, *one.deviations)):
            found.setdefault(tuple(side.digest for side in one.system), one)
    return list(found.values())
