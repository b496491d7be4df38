"""Statements: `lhs == rhs` as a value, and the same held on a region."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

from sciml.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sciml.domains.regions import Region
    from sciml.expr.nodes import Expr, Scalar


class HasRegion(Protocol):
    """A region, or something that stands for one: a domain, a boundary."""

    def as_region(self) -> Region:
        """The region."""
        ...


@final
@dataclass(frozen=True, eq=False, repr=False)
class Equation:
    r"""The statement $\ell = r$ between two expressions of one shape.

    Its truth value is structural equality, so expressions work in sets, dictionaries and `in`. Python reads
    `a == b == c` as `(a == b) and (b == c)`, asking the first equation for its truth and dropping it when true-ish;
    an equation that was asked and answered *no* remembers that, and `Problem` refuses it as a chained comparison.
    """

    lhs: Expr
    rhs: Expr
    _asked: list[bool] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of both sides: `()`, `(n,)` or `(n, m)`."""
        return self.lhs.shape

    @property
    def digest(self) -> bytes:
        """Identity of the statement: that of both sides in order."""
        return self.lhs.digest + self.rhs.digest

    @property
    def was_tested_false(self) -> bool:
        """Whether the truth of this equation was asked for and denied: the mark of a chained `==`."""
        return bool(self._asked)

    def __bool__(self) -> bool:
        same = self.lhs.digest == self.rhs.digest
        if not same:
            self._asked.append(True)
        return same

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Equation):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __iter__(self) -> Iterator[Equation]:
        """The component equations of a vector equation, in order; a scalar equation yields itself."""
        if self.shape == ():
            yield self
            return
        from sciml.expr.build import components  # the node module builds equations: one direction must be late

        rights = components(self.rhs) if self.rhs.shape else [self.rhs] * len(components(self.lhs))
        for left, right in zip(components(self.lhs), rights, strict=True):
            yield Equation(left, right)

    def on(self, region: HasRegion) -> Condition:
        """The condition that this equation holds on `region`.

        Raises:
            ExpressionError: the equation is the remnant of a chained `==`, or `region` is not a region.
        """
        refuse_chained(self)
        as_region = getattr(region, "as_region", None)
        if as_region is None:
            raise ExpressionError(
                f"{type(region).__name__} in `.on(...)`",
                "a region of the domain",
                "write `.on(domain.at(t=0))` or `.on(domain.boundary(x))`",
            )
        return Condition(self, as_region())

    @property
    def residual(self) -> Expr:
        """`lhs - rhs`, not simplified, except that a zero right-hand side is dropped."""
        from sciml.expr.build import subtract

        return subtract(self.lhs, self.rhs)

    def __repr__(self) -> str:
        from sciml.expr.text import text

        return f"{text(self.lhs)} == {text(self.rhs)}"

    def _repr_latex_(self) -> str:
        from sciml.expr.latex import latex

        return f"$\\displaystyle {latex(self)}$"


@final
@dataclass(frozen=True, repr=False)
class Condition:
    """An equation that holds on a region: a boundary, an initial time, a named part of either."""

    equation: Equation
    region: Region

    @property
    def residual(self) -> Expr:
        """`lhs - rhs` of the equation."""
        return self.equation.residual

    @property
    def digest(self) -> bytes:
        """Identity of the condition: equation and the *names* of its faces, not their numbers."""
        return self.equation.digest + self.region.digest

    def __repr__(self) -> str:
        return f"({self.equation!r}).on({self.region!r})"


def refuse_chained(equation: Equation) -> None:
    """Refuse what is left of `a == b == c`.

    Raises:
        ExpressionError: the equation's truth was asked for and was false.
    """
    if equation.was_tested_false:
        raise ExpressionError(
            f"`{equation!r}`, which was already tested for truth and found false: a chained comparison `a == b == c`",
            "one equation a statement",
            "write two equations, or move everything to one side and end with `== 0`",
        )


def scalar_residuals(equation: Equation) -> list[Scalar]:
    """Component residuals of a statement, row-major."""
    from sciml.expr.build import components

    return components(equation.residual)
