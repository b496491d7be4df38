"""Candidate forms of a system in time, and the one-term edits of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from sciml.expr.build import derivative
from sciml.expr.equation import Equation
from sciml.expr.leaves import Parameter
from sciml.expr.linear import terms
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Constant, Coordinate, Scalar
from sciml.expr.operations import Op
from sciml.expr.reduce import ONE, product, total
from sciml.expr.traverse import atoms
from sciml.known import Arguments
from sciml.problem import Problem
from sciml.rates import Rates, right_hand_sides

EXTRA = "extra"
"""Name of the coefficient of an added term."""


@final
@dataclass(frozen=True, eq=False)
class Form:
    """Right-hand sides with parameters.

    Attributes:
        name: how it is told from others.
        unknowns: the d unknowns.
        sides: their rates.
        parameters: those that are sought, sorted by name.
        time: the time coordinate.
    """

    name: str
    unknowns: tuple[Scalar, ...]
    sides: tuple[Scalar, ...]
    parameters: tuple[Parameter, ...]
    time: Coordinate

    @staticmethod
    def of(problem: Problem) -> Form:
        """The form of a problem in time alone, known parameters filled in by their leaves."""
        unknowns, sides = right_hand_sides(problem)
        sought = tuple(sorted(problem.unknown_parameters, key=lambda p: p.name))
        assert problem.time is not None
        return Form(problem.name, unknowns, tuple(s for side in sides for s in lower(side)), sought, problem.time)

    def rates(self, arguments: Arguments | None = None) -> Rates:
        """The system to integrate; `arguments` has the numbers of known parameters."""
        own = tuple(() for _ in self.sides)
        return Rates(self.unknowns, self.sides, own, self.time.name, None, arguments or Arguments({}, {}, {}))

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The form as equations of the language."""
        return tuple(
            Equation(derivative(u, self.time), side) for u, side in zip(self.unknowns, self.sides, strict=True)
        )


@final
@dataclass(frozen=True)
class Edit:
    """A change of one term.

    Attributes:
        row: which equation.
        removed: index of the term that is left out, or None.
        added: index into `monomials` of the term that is added with a coefficient of its own, or None.
    """

    row: int = 0
    removed: int | None = None
    added: int | None = None


def monomials(unknowns: Sequence[Scalar]) -> list[Scalar]:
    """1, every unknown, and every product of two."""
    squares = [
        product(a, b) if i < j else a**2 for i, a in enumerate(unknowns) for j, b in enumerate(unknowns) if i <= j
    ]
    return [ONE, *unknowns, *squares]


def edits(form: Form) -> list[Edit]:
    """No change, every deletion from an equation of several terms, and every addition of a monomial that is new."""
    found = [Edit()]
    library = monomials(form.unknowns)
    for row, side in enumerate(form.sides):
        own = terms(side)
        found += [Edit(row, removed=k) for k in range(len(own))] if len(own) > 1 else []
        present = {_monomial(term).digest for term in own}
        found += [Edit(row, added=k) for k, m in enumerate(library) if m.digest not in present]
    return found


def edited(form: Form, edit: Edit) -> Form:
    """The form after an edit; parameters that no longer occur are dropped."""
    sides, parameters = list(form.sides), list(form.parameters)
    own = terms(sides[edit.row])
    if edit.removed is not None:
        sides[edit.row] = total([term for k, term in enumerate(own) if k != edit.removed])
    if edit.added is not None:
        extra = extra_parameter(form)
        sides[edit.row] = total([*own, product(extra, monomials(form.unknowns)[edit.added])])
        parameters.append(extra)
    left = {a.digest for a in atoms(*sides)}
    kept = tuple(sorted((p for p in parameters if p.digest in left), key=lambda p: p.name))
    return Form(described(form, edit), form.unknowns, tuple(sides), kept, form.time)


def described(form: Form, edit: Edit) -> str:
    """The form's name and what was changed."""
    if edit.removed is not None:
        return f"{form.name} without {terms(form.sides[edit.row])[edit.removed]!r} in equation {edit.row}"
    if edit.added is not None:
        return f"{form.name} with {monomials(form.unknowns)[edit.added]!r} in equation {edit.row}"
    return form.name


def extra_parameter(form: Form) -> Parameter:
    """The coefficient of an added term, with a prior of mean 0 and deviation 1."""
    taken, name = {p.name for p in form.parameters}, EXTRA
    while name in taken:
        name += "_1"
    return Parameter(name, init=0.0, prior=(0.0, 1.0))


@final
@dataclass(frozen=True, eq=False)
class Switched:
    """All one-term edits of a form in one: every term has a switch, and one coefficient serves all additions.

    Attributes:
        form: with parameters `on_0_0, …` and `add_0_0, …` that are 0 or 1, and the coefficient of additions.
        switches: names of those, in the order of `setting`.
    """

    form: Form
    switches: tuple[str, ...]

    @staticmethod
    def of(form: Form) -> Switched:
        """Put the switches in."""
        library, extra, sides, names = monomials(form.unknowns), extra_parameter(form), [], []
        for row, side in enumerate(form.sides):
            on = [Parameter(f"on_{row}_{k}") for k in range(len(terms(side)))]
            add = [Parameter(f"add_{row}_{k}") for k in range(len(library))]
            kept = [product(switch, term) for switch, term in zip(on, terms(side), strict=True)]
            more = total([product(switch, m) for switch, m in zip(add, library, strict=True)])
            sides.append(total([*kept, product(extra, more)]))
            names += [*(p.name for p in on), *(p.name for p in add)]
        sought = tuple(sorted((*form.parameters, extra), key=lambda p: p.name))
        return Switched(Form(form.name, form.unknowns, tuple(sides), sought, form.time), tuple(names))

    @staticmethod
    def setting(form: Form, edit: Edit) -> dict[str, float]:
        """Numbers of the switches for an edit of the form without them."""
        numbers: dict[str, float] = {}
        for row, side in enumerate(form.sides):
            for k in range(len(terms(side))):
                numbers[f"on_{row}_{k}"] = 0.0 if (row, k) == (edit.row, edit.removed) else 1.0
            for k in range(len(monomials(form.unknowns))):
                numbers[f"add_{row}_{k}"] = 1.0 if (row, k) == (edit.row, edit.added) else 0.0
        return numbers


def _monomial(term: Any) -> Scalar:
    """A term without its numbers and parameters, in the spelling of `monomials` as far as it is of degree two."""
    factors = _factors(term)
    if len(factors) == 2:
        a, b = sorted(factors, key=repr)
        return a**2 if a.digest == b.digest else product(a, b)
    return product(*factors) if factors else ONE


def _factors(e: Any) -> list[Any]:
    if isinstance(e, Apply) and e.op in (Op.MULTIPLY, Op.NEGATIVE):
        return [f for arg in e.operands for f in _factors(arg)]
    if isinstance(e, Apply) and e.op is Op.DIVIDE and not _factors(e.operands[1]):
        return _factors(e.operands[0])
    if isinstance(e, Apply) and e.op is Op.POWER and isinstance(e.operands[1], Constant) and e.operands[1].value == 2:
        return 2 * _factors(e.operands[0])
    return [] if all(isinstance(a, Constant | Parameter) for a in atoms(e)) or not atoms(e) else [e]
