"""Wrong guesses of a system: a term too few or too many, as trees of the language.

A guess is right in seven of ten cases; else a term is missing, or a term c, c u_i or c u_i u_j is there that should not
be (arXiv:2309.16816). All such guesses of a system are listed, in canonical form: drawing one is drawing a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import final

from sciml.errors import OptionError
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Scalar
from sciml.expr.reduce import ONE, product, total
from sciml.storable import storable
from solvers.prose.canonical import System, addends, canonical, unknowns

ADDED = "added"
"""Name of the unknown number of a term that does not belong there."""


@final
@storable("prose_corruption")
@dataclass(frozen=True)
class Corruption:
    """How often a guess is wrong.

    Attributes:
        deletion: probability that a term is missing.
        addition: probability that there is one too many.
    """

    deletion: float = 0.15
    addition: float = 0.15

    def __post_init__(self) -> None:
        if min(self.deletion, self.addition) < 0 or self.deletion + self.addition > 1:
            raise OptionError(f"{self!r}", "probabilities with a sum of at most 1", "lower them")


def deletions(system: System) -> Iterator[System]:
    """The system without one term, for every term of an equation that has several."""
    for i, side in enumerate(system):
        pairs = addends(side)
        for k in range(len(pairs) if len(pairs) > 1 else 0):
            rest = total([product(number, monomial) for number, monomial in (*pairs[:k], *pairs[k + 1 :])])
            yield (*system[:i], canonical(rest), *system[i + 1 :])


def additions(system: System) -> Iterator[System]:
    """The system with one more term c, c u_i or c u_i u_j, for every equation and every such term not in it."""
    added = Parameter(ADDED)
    for i, side in enumerate(system):
        present = {monomial for _, monomial in addends(side)}
        for monomial in monomials(len(system)):
            if monomial not in present:
                yield (*system[:i], canonical(total([side, product(added, monomial)])), *system[i + 1 :])


def monomials(dimension: int) -> list[Scalar]:
    """1, u_i and u_i u_j in canonical form."""
    u = unknowns(dimension)
    pairs = [product(a, b) for a, b in combinations_with_replacement(u, 2)]
    return [ONE, *(canonical(e) for e in (*u, *pairs))]
