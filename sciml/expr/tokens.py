r"""Prefix words of an expression, for models that read and write equations, and back.

Words are operators before their operands, as in PROSE's trees (arXiv:2309.16816):

| words | meaning |
|---|---|
| `add sub mul div neg inv pow pow2 pow3 sin cos …` | arithmetic and functions; a sum of n terms has n - 1 `add` |
| `dt dx e` | mixed derivative of `e`, one word for each direction, the operand last |
| `grad divergence curl laplacian`, `grad[x]` | over all space, or over the named coordinates |
| `-20 … 20` | integers |
| `+ N314 E-2` | any other number: sign, three digits, power of ten, here 3.14 |
| `u`, `pi`, `normal`, `name:sin` | leaves by name, with `name:` if the name is also an operator |
| `[0] v`, `vector2 a b`, `at[x] 0 u`, `integral[x] u` | components, stacks, point values (numbers first), integrals |
| `law:P e`, `jet:P[3,1] e d` | a law of its inputs; component 3 of its derivative along one direction |

Numbers keep three digits, so reading back is exact for numbers of three digits and idempotent for all. PROSE's own
vocabulary holds the exponents E-10 … E10 and the first two rows' arithmetic; the other words extend it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, final

from sciml.errors import ParseError, SciMLError
from sciml.expr.assembly import assemble
from sciml.expr.build import derivative
from sciml.expr.frames import Frame
from sciml.expr.leaves import LawSymbol, Normal
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr
from sciml.expr.operations import ARITY, Op
from sciml.expr.shapes import size
from sciml.expr.symbols import Symbols, SymbolTable

LARGEST_INTEGER = 20
"""Integers up to this size are words of their own; others are written like real numbers."""

_SPATIAL = (Op.GRAD, Op.DIV, Op.CURL, Op.LAPLACIAN)
_BY_WORD = {op.value: op for op in ARITY if op not in (Op.DERIVATIVE, Op.COMPONENT, Op.AT, Op.INTEGRAL)}
_OPERATORS = {*_BY_WORD, "add", "inv", "pow2", "pow3", "pi", "normal"}
_INTEGER, _MANTISSA, _EXPONENT = (re.compile(p) for p in (r"-?[0-9]{1,9}", r"N[0-9]{3}", r"E-?[0-9]{1,3}"))
_BRACKETED = re.compile(r"([a-z]*|jet:[A-Za-z0-9_]+)\[([A-Za-z0-9_,]+)\]")
_STACK = re.compile(r"vector([1-9][0-9]{0,4})")


def number_words(value: int | float) -> list[str]:
    """PROSE's words for a number: an integer of at most 20, or sign, three digits and exponent."""
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return [str(value)]
    mantissa, exponent = f"{abs(value):.2e}".split("e")
    if float(f"{mantissa}e{exponent}") == float("inf"):  # the largest floats would round to infinity
        mantissa = "1.79"
    return ["-" if value < 0 else "+", "N" + mantissa.replace(".", ""), f"E{int(exponent) - 2}"]


def tokens(e: Expr) -> list[str]:
    """Prefix words of an expression."""
    words: list[str] = []
    stack: list[Expr] = [e]
    while stack:
        n = stack.pop()
        if isinstance(n, Apply):
            own, operands = _operator(n)
            words.extend(own)
            stack.extend(reversed(operands))
        elif isinstance(n, Constant):
            words.extend([n.name] if n.name is not None else number_words(n.value))
        else:
            words.append("normal" if isinstance(n, Normal) else _leaf(n.name, e.frame))  # type: ignore[attr-defined]
    return words


def _leaf(name: str, frame: Frame | None) -> str:
    """The word of a named leaf, told apart from operators and derivatives."""
    is_derivative = name[0] == "d" and (frame is None or name[1:] in frame.names)
    return f"name:{name}" if is_derivative or name in _OPERATORS or _STACK.fullmatch(name) else name


def _operator(e: Apply) -> tuple[list[str], tuple[Expr, ...]]:
    """Words of one operation, and the operands whose words follow."""
    args, names = e.operands, ",".join(getattr(x, "name", "") for x in e.attr)
    match e.op:
        case Op.ADD:
            return ["add"] * (len(args) - 1), args
        case Op.POWER if isinstance(args[1], Constant) and args[1].value in (2, 3):
            return [f"pow{args[1].value}"], args[:1]
        case Op.DIVIDE if isinstance(args[0], Constant) and args[0].value == 1:
            return ["inv"], args[1:]
        case Op.DERIVATIVE:
            return [f"d{x.name}" for x in e.attr], args
        case Op.GRAD | Op.DIV | Op.CURL | Op.LAPLACIAN:
            frame = args[0].frame
            everywhere = frame is not None and tuple(x.name for x in e.attr) == frame.space
            return [e.op.value if everywhere else f"{e.op.value}[{names}]"], args
        case Op.STACK:
            return [f"vector{len(args)}"], args
        case Op.COMPONENT:
            return [f"[{','.join(str(i) for i in e.attr)}]"], args
        case Op.AT:
            places = ",".join(x.name for x, _ in e.attr)
            return [f"at[{places}]", *(word for _, n in e.attr for word in number_words(Constant(n).value))], args
        case Op.INTEGRAL:
            return [f"integral[{names}]"], args
        case Op.LAW:
            return [f"law:{e.attr[0].name}"], args
        case Op.LAW_JET:
            symbol, index = e.attr
            order = len(args) // sum(size(shape) for shape in symbol.inputs) - 1
            return [f"jet:{symbol.name}[{index},{order}]"], args
        case _:
            return [e.op.value], args


def from_tokens(words: Sequence[str] | str, symbols: Symbols) -> Expr:
    """The expression that prefix words spell; nothing is simplified, but sums of sums and nested derivatives merge.

    Args:
        words: a list, or one string of words separated by spaces.
        symbols: what names stand for, as in `parse`.

    Raises:
        ParseError: the words spell no expression; says which word is at fault.
    """
    if not isinstance(words, Sequence):
        raise ParseError(f"{type(words).__name__} as words", "a list of strings", "pass what tokens(e) returned")
    words = words.split() if isinstance(words, str) else list(words)
    if not all(isinstance(word, str) for word in words):
        raise ParseError("something that is not a word", "strings", "pass what tokens(e) returned")
    reader = _Reader(words, SymbolTable.of(symbols))
    return reader.read()


@final
class _Reader:
    """Reads from the last word to the first, so that operands wait on a stack when their operator comes."""

    def __init__(self, words: list[str], table: SymbolTable):
        self._words, self._table = words, table
        self._stack: list[Expr] = []

    def read(self) -> Expr:
        """The one expression that all words make."""
        i = len(self._words)
        while i > 0:
            start = self._start(i)
            try:
                self._push(start, i)
            except SciMLError as error:
                where = f"word {start} `{self._words[start]}`"
                raise ParseError(f"{error.found} at {where}", error.needed, error.todo) from None
            i = start
        if len(self._stack) != 1:
            raise ParseError(f"words of {len(self._stack)} expressions", "of one", "check the number of operands")
        return self._stack[0]

    def _start(self, end: int) -> int:
        """Where the unit that ends at a word begins: a number has three words, and `add add …` is one sum."""
        if self._is_number(end - 3):
            return end - 3
        start = end - 1
        while self._words[end - 1] == "add" and start > 0 and self._words[start - 1] == "add":
            start -= 1
        return start

    def _is_number(self, start: int) -> bool:
        """Whether sign, mantissa and exponent begin here."""
        if start < 0:
            return False
        sign, mantissa, exponent = self._words[start : start + 3]
        return bool(sign in ("+", "-") and _MANTISSA.fullmatch(mantissa) and _EXPONENT.fullmatch(exponent))

    def _push(self, start: int, end: int) -> None:
        word = self._words[start]
        if word == "add":
            first, *rest = self._pop(end - start + 1)
            flat = first.args if isinstance(first, Apply) and first.op is Op.ADD else (first,)
            self._stack.append(assemble(Op.ADD, (*flat, *rest)))
        elif end - start == 3:
            digits, exponent = self._words[start + 1][1:], self._words[start + 2][1:]
            self._stack.append(Constant(float(f"{word}{digits}e{exponent}")))
        elif _INTEGER.fullmatch(word):
            self._stack.append(Constant(int(word)))
        else:
            self._stack.append(self._named(word))

    def _pop(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise ParseError(f"{len(self._stack)} operands", f"{count}", "check the number of operands")
        return [self._stack.pop() for _ in range(count)]

    def _named(self, word: str) -> Expr:
        """A leaf or operator by its word."""
        if word in _BY_WORD:
            op = _BY_WORD[word]
            args = self._pop(ARITY[op])
            return assemble(op, args, self._space(args[0]) if op in _SPATIAL else ())
        if word in _SPECIAL:
            return _SPECIAL[word](*self._pop(1))
        if word.startswith("d") and self._table.frame is not None and word[1:] in self._table.frame.names:
            written = assemble(Op.DERIVATIVE, self._pop(1), self._coordinates(word[1:]))
            return derivative(written.operands[0], *written.attr)  # one derivative of several directions
        if word.startswith("law:"):
            return self._law(word[4:])
        stacked, bracketed = _STACK.fullmatch(word), _BRACKETED.fullmatch(word)
        if stacked:
            return assemble(Op.STACK, self._pop(int(stacked[1])))
        if bracketed:
            return self._bracketed(bracketed[1], bracketed[2])
        leaf = self._table.leaf(word.removeprefix("name:"))
        if leaf is None:
            raise ParseError("a word without a meaning", f"an operator, or one of {self._table.known()}", "check it")
        return leaf

    def _space(self, e: Expr) -> tuple[Coordinate, ...]:
        frame = e.frame or self._table.frame
        return tuple(Coordinate(name, frame) for name in frame.space) if frame is not None else ()

    def _coordinates(self, names: str) -> tuple[Any, ...]:
        found = tuple(self._table.leaf(name) for name in names.split(","))
        if not all(isinstance(x, Coordinate) for x in found):
            raise ParseError(f"coordinates {names!r}", f"some of {self._table.frame}", "name coordinates")
        return found

    def _bracketed(self, word: str, inside: str) -> Expr:
        """`[0]`, `grad[x]`, `at[x]`, `integral[x,y]`, `jet:P[3,1]`."""
        if word == "":
            return assemble(Op.COMPONENT, self._pop(1), self._indices(inside))
        if word.startswith("jet:"):
            return self._law_jet(word[4:], self._indices(inside))
        along = self._coordinates(inside)
        if word == "integral":
            return assemble(Op.INTEGRAL, self._pop(1), along)
        if word == "at":
            *places, e = self._pop(len(along) + 1)
            if not all(isinstance(place, Constant) for place in places):
                raise ParseError("a place that is not a number", "a number for each coordinate", "see tokens")
            return assemble(Op.AT, [e], tuple((x, float(p.value)) for x, p in zip(along, places, strict=True)))
        if word in _BY_WORD and _BY_WORD[word] in _SPATIAL:
            return assemble(_BY_WORD[word], self._pop(1), along)
        raise ParseError("an operator that takes no brackets", "grad, at, integral, jet, …", "see sciml.expr.tokens")

    def _indices(self, inside: str) -> tuple[int, ...]:
        if not all(_INTEGER.fullmatch(i) for i in inside.split(",")):
            raise ParseError(f"indices {inside!r}", "integers", "write [0] or [0,1]")
        return tuple(int(i) for i in inside.split(","))

    def _law(self, name: str) -> Expr:
        for symbol in self._laws(name):
            waiting = tuple(e.shape for e in reversed(self._stack[-len(symbol.inputs) :]))
            if waiting == symbol.inputs:
                return assemble(Op.LAW, self._pop(len(symbol.inputs)), (symbol,))
        raise ParseError(f"law {name!r} before operands of other shapes", "a law of the symbols", "check its inputs")

    def _law_jet(self, name: str, where: tuple[int, ...]) -> Expr:
        if len(where) != 2 or where[1] > len(self._stack):
            raise ParseError(f"jet of {name!r} with {where}", "a component and an order", "write jet:P[0,1]")
        for symbol in self._laws(name):
            width = sum(size(shape) for shape in symbol.inputs)
            if where[0] < size(symbol.shape) and width * (1 + where[1]) <= len(self._stack):
                return assemble(Op.LAW_JET, self._pop(width * (1 + where[1])), (symbol, where[0]))
        raise ParseError(f"jet of {name!r}", "a law of the symbols with as many inputs", "check its inputs")

    def _laws(self, name: str) -> list[LawSymbol]:
        """Laws of a name, those with more inputs first."""
        return sorted(self._table.laws.get(name, ()), key=lambda symbol: -len(symbol.inputs))


_SPECIAL: dict[str, Callable[..., Any]] = {
    "inv": lambda e: assemble(Op.DIVIDE, (Constant(1), e)),
    "pow2": lambda e: assemble(Op.POWER, (e, Constant(2))),
    "pow3": lambda e: assemble(Op.POWER, (e, Constant(3))),
}
