"""Reading text: `parse` gives back the expression or equation that `sciml.expr.text` printed or a user spelled.

A hand-written parser by operator precedence. Nothing is evaluated: the only names that mean anything are those of the
symbol table and of the language, and every failure is a `ParseError`.
"""

from __future__ import annotations

from typing import final

from sciml.errors import ParseError, SciMLError
from sciml.expr.build import apply, derivative, make_equation, spelled
from sciml.expr.calls import Term, call, held_binary, held_component, held_negative, held_sum, law, law_jet
from sciml.expr.equation import Equation
from sciml.expr.leaves import Law
from sciml.expr.nodes import Constant, Expr, Tensor, Truth
from sciml.expr.operations import Op
from sciml.expr.scanner import Kind, Mark, scan
from sciml.expr.symbols import Symbols, SymbolTable
from sciml.expr.text import CALLS

COMPARE, OR, AND, ADDITIVE, MULTIPLICATIVE, UNARY, POWER = range(1, 8)
"""Binding strengths, weakest first, as in Python."""

_INFIX = {
    "|": (OR, Op.OR), "&": (AND, Op.AND), "+": (ADDITIVE, Op.ADD), "-": (ADDITIVE, Op.SUBTRACT),
    "*": (MULTIPLICATIVE, Op.MULTIPLY), "/": (MULTIPLICATIVE, Op.DIVIDE), "@": (MULTIPLICATIVE, Op.DOT),
}  # fmt: skip
_COMPARE = {"<": Op.LESS, "<=": Op.LESS_EQUAL, ">": Op.GREATER, ">=": Op.GREATER_EQUAL}

MAX_DEPTH = 150
"""Levels of nesting that a text may have, so that it cannot exhaust Python's stack."""


def parse(text: str, symbols: Symbols) -> Expr | Equation:
    """The expression or equation that a text spells.

    `parse(text(e), symbols)` is `e`, numbers exact. Ordinary Python spelling is understood too: `u.dt`, `D(u, x, x)`,
    `grad(u)`, `u**2`, `where(x < 0.5, 1, 2)`, `at(u, x=0)`, `v == (0, 1)`, laws by their name.

    Args:
        text: at most one `==`, which must be outermost.
        symbols: what names stand for: a `Problem`, a dictionary, or leaves and laws; expressions give all of theirs.

    Raises:
        ParseError: the text spells nothing; says where, what was found and what was needed.
    """
    if not isinstance(text, str):
        raise ParseError(f"{type(text).__name__} as text", "a string", "pass text")
    parser = _Parser(scan(text), SymbolTable.of(symbols))
    try:
        return parser.statement()
    except ParseError:
        raise
    except SciMLError as error:
        raise ParseError(f"{error.found}, near {parser.current}", error.needed, error.todo) from None
    except RecursionError:
        raise ParseError(
            f"nesting too deep for the caller's stack, near {parser.current}", "less", "split it"
        ) from None


@final
class _Parser:
    """Position in a list of marks, with one method for each construct."""

    def __init__(self, marks: list[Mark], table: SymbolTable):
        self._marks, self._table = marks, table
        self._index = self._depth = 0

    @property
    def current(self) -> Mark:
        """The next mark to read."""
        return self._marks[self._index]

    def _next(self) -> Mark:
        mark = self.current
        self._index += mark.kind is not Kind.END
        return mark

    def _sees(self, *signs: str) -> bool:
        return self.current.kind is Kind.SIGN and self.current.text in signs

    def _expect(self, sign: str) -> None:
        if not self._sees(sign):
            self._fail(f"`{sign}`")
        self._next()

    def _fail(self, needed: str, todo: str = "correct the text there") -> None:
        raise ParseError(str(self.current), needed, todo)

    # statements

    def statement(self) -> Expr | Equation:
        """`expression` or `expression == expression`."""
        left = self._expression(COMPARE).e
        if not self._sees("=="):
            self._end()
            return left
        self._next()
        right = self._expression(COMPARE).e
        if self._sees("=="):
            self._fail("the end: an equation has two sides", "write two equations")
        self._end()
        if isinstance(left, Truth) or isinstance(right, Truth):
            raise ParseError("a comparison as a side of an equation", "expressions", "use where(a < b, p, q)")
        return make_equation(left, right)

    def _end(self) -> None:
        if self.current.kind is not Kind.END:
            self._fail("an operator or the end")

    # operators

    def _expression(self, strength: int) -> Term:
        """An expression of operators that bind at least as strongly as `strength`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} levels of nesting", "name parts of the expression")
        left = self._prefix()
        while self.current.kind is Kind.SIGN and _INFIX.get(self.current.text, (0,))[0] >= max(strength, OR):
            own, op = _INFIX[self._next().text]
            right = self._expression(own + 1)
            if op is Op.ADD:
                rest = [right.e]
                while self._sees("+"):
                    self._next()
                    rest.append(self._expression(own + 1).e)
                left = Term(held_sum(left, rest))
            else:
                left = Term(held_binary(op, left, right))
        if strength == COMPARE and self._sees(*_COMPARE):
            left = self._comparison(left)
        self._depth -= 1
        return left

    def _comparison(self, left: Term) -> Term:
        op = _COMPARE[self._next().text]
        right = self._expression(OR)
        if self._sees(*_COMPARE):
            self._fail("one comparison", "join two by &: (a < b) & (b < c)")
        return Term(apply(op, left.e, right.e))

    def _prefix(self) -> Term:
        """An operand with its signs and power: `-u**2` is `-(u**2)`."""
        if self._sees("-", "+", "~"):
            sign = self._next().text
            inner = self._expression(UNARY)
            if sign == "+" and isinstance(inner.e, Truth):
                self._fail("a number after `+`")
            return inner if sign == "+" else Term(held_negative(inner) if sign == "-" else apply(Op.NOT, inner.e))
        base = self._postfix(self._primary())
        if not self._sees("**"):
            return base
        self._next()
        return Term(held_binary(Op.POWER, base, self._expression(UNARY)))

    def _postfix(self, term: Term) -> Term:
        """`e.dx`, `T.T`, `v[0]`, one after the other."""
        while self._sees(".", "["):
            term = Term(self._attribute(term.e) if self._next().text == "." else self._component(term))
        return term

    def _attribute(self, e: Expr) -> Expr:
        if self.current.kind is not Kind.NAME:
            self._fail("a derivative such as .dx, or .T")
        name = self.current.text
        if name == "T" and isinstance(e, Tensor):
            self._next()
            return e.T
        if not name.startswith("d") or len(name) < 2 or isinstance(e, Truth):
            self._fail("a derivative such as .dx of an expression, or .T of a tensor")
        along = spelled(e, name[1:])
        self._next()
        return derivative(e, *along)

    def _component(self, term: Term) -> Expr:
        index = self._integers("]")
        return held_component(term, index)

    def _integers(self, closing: str) -> tuple[int, ...]:
        """Integers separated by commas, up to and with the closing bracket."""
        found: list[int] = []
        while not self._sees(closing):
            sign = -1 if self._sees("-") else 1
            if sign < 0:
                self._next()
            mark = self.current
            if mark.kind is not Kind.NUMBER or not mark.text.isdecimal() or len(mark.text) > 9:
                self._fail("an integer")
            found.append(sign * int(self._next().text))
            if not self._sees(closing):
                self._expect(",")
        self._next()
        return tuple(found)

    # operands

    def _primary(self) -> Term:
        mark = self.current
        if mark.kind is Kind.NUMBER:
            return Term(self._number())
        if mark.kind is Kind.NAME:
            return Term(self._name())
        if not self._sees("("):
            self._fail("a number, a name or `(`")
        self._next()
        return self._group()

    def _number(self) -> Constant:
        text = self._next().text
        exact = text.isdecimal() and len(text) < 400  # longer ones overflow a float anyway
        return Constant(int(text) if exact else float(text))

    def _group(self) -> Term:
        """What follows `(`: an expression in parentheses, or a tuple."""
        parts, is_tuple = self._parts()
        if not is_tuple:
            return Term(parts[0].e, parts[0].parentheses + 1)
        return Term(apply(Op.STACK, *(part.e for part in parts)), 1)

    def _parts(self) -> tuple[list[Term], bool]:
        """Expressions up to and with `)`, and whether a comma made them a tuple."""
        parts = [self._expression(COMPARE)]
        is_tuple = False
        while self._sees(","):
            is_tuple = True
            self._next()
            if not self._sees(")"):
                parts.append(self._expression(COMPARE))
        self._expect(")")
        return parts, is_tuple

    def _name(self) -> Expr:
        mark = self._next()
        name = mark.text
        if self._sees("("):
            self._next()
            return self._call(mark)
        leaf = self._table.leaf(name)
        if leaf is None:
            raise ParseError(str(mark), f"one of {self._table.known()}", "check the spelling, or add it to the symbols")
        return leaf

    # calls

    def _call(self, mark: Mark) -> Expr:
        """What follows `name(`."""
        name = mark.text
        if name == "Law":
            return self._quoted_law()
        if name == "jet":
            return self._law_jet()
        if name not in CALLS and name not in self._table.laws:
            known = f"a function of the language or a law ({', '.join(self._table.laws) or 'there is none'})"
            todo = (
                "a field is written without its arguments"
                if self._table.leaf(name) is not None
                else "check the spelling"
            )
            raise ParseError(f"a call of {mark}", known, todo)
        terms, keywords = self._arguments()
        if name not in CALLS and not keywords and terms:
            return law(name, tuple(term.e for term in terms), self._table)
        return call(name, terms, keywords, self._table)

    def _arguments(self) -> tuple[list[Term], dict[str, Expr]]:
        """`a, b, key=c)`."""
        terms: list[Term] = []
        keywords: dict[str, Expr] = {}
        while not self._sees(")"):
            following = self._marks[self._index + 1] if self.current.kind is Kind.NAME else self.current
            if following.kind is Kind.SIGN and following.text == "=":
                key = self._next().text
                if key in keywords:
                    self._fail(f"`{key}=` once")
                self._next()
                keywords[key] = self._expression(COMPARE).e
            elif keywords:
                self._fail("a keyword", "put arguments without a name first")
            else:
                terms.append(self._expression(COMPARE))
            if not self._sees(")"):
                self._expect(",")
        self._next()
        return terms, keywords

    def _quoted_law(self) -> Expr:
        """`"name", (inputs,), shape)`: a law whose name the language uses itself."""
        if self.current.kind is not Kind.STRING:
            self._fail("the law's name in quotes")
        name = self._next().text[1:-1]
        self._expect(",")
        inputs = self._tuple() if self._sees("(") else (self._expression(COMPARE).e,)
        shape: tuple[int, ...] = ()
        if self._sees(","):
            self._next()
            self._expect("(")
            shape = self._integers(")")
        self._expect(")")
        if any(isinstance(e, Truth) for e in inputs):
            self._fail("inputs that are not comparisons")
        return Law(name, inputs, shape)

    def _law_jet(self) -> Expr:
        """`name, index, (inputs), (direction), …)`."""
        if self.current.kind is not Kind.NAME:
            self._fail("the name of a law")
        name = self._next().text
        self._expect(",")
        index = self.current
        if index.kind is not Kind.NUMBER or not index.text.isdecimal() or len(index.text) > 9:
            self._fail("the number of a component")
        self._next()
        groups: list[tuple[Expr, ...]] = []
        while not self._sees(")"):
            self._expect(",")
            groups.append(self._tuple())
        self._next()
        if not groups:
            raise ParseError(f"jet of {name!r} without inputs", "a tuple of inputs", "write jet(P, 0, (u,))")
        return law_jet(name, int(index.text), groups, self._table)

    def _tuple(self) -> tuple[Expr, ...]:
        """`(a, b)`; its parts may differ in shape."""
        self._expect("(")
        return tuple(part.e for part in self._parts()[0])
