"""Symbol tables: what the names in a text, a list of words or a JSON document stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, final, runtime_checkable

from sciml.errors import ParseError, SciMLError
from sciml.expr.build import common_frame
from sciml.expr.equation import Equation
from sciml.expr.frames import Frame
from sciml.expr.functions import pi
from sciml.expr.leaves import LawSymbol, Normal
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr
from sciml.expr.operations import Op
from sciml.expr.traverse import postorder


@runtime_checkable
class HasSymbols(Protocol):
    """Something that names symbols of its own, such as a `Problem`."""

    @property
    def symbols(self) -> Iterable[Any]:
        """Its leaves and laws."""
        ...


Symbols: TypeAlias = "SymbolTable | HasSymbols | Mapping[str, Any] | Iterable[Any]"
"""A problem, a dictionary by name, or leaves, laws and whole expressions whose leaves and laws are meant."""


@final
@dataclass(frozen=True)
class SymbolTable:
    """Meaning of names.

    Attributes:
        leaves: expressions by name: fields, parameters, coefficients, and every coordinate of the frame.
        laws: symbols of laws by name; several when one name is used with inputs of different shapes.
        frame: frame of the coordinates; None if no symbol has one.
    """

    leaves: Mapping[str, Expr]
    laws: Mapping[str, tuple[LawSymbol, ...]]
    frame: Frame | None

    @staticmethod
    def of(symbols: Symbols) -> SymbolTable:
        """The table of the given symbols.

        Raises:
            ParseError: something that is no symbol, one name for two things, or coordinates of two frames.
        """
        if isinstance(symbols, SymbolTable):
            return symbols
        if isinstance(symbols, HasSymbols):
            symbols = symbols.symbols
        if isinstance(symbols, str | bytes) or not isinstance(symbols, Iterable):
            raise ParseError(f"{type(symbols).__name__} as symbols", "a problem, or its leaves and laws", "pass [u, x]")
        pairs = list(symbols.items()) if isinstance(symbols, Mapping) else [("", symbol) for symbol in symbols]
        leaves: dict[str, Expr] = {}
        laws: dict[str, tuple[LawSymbol, ...]] = {}
        for name, symbol in pairs:
            _add(name, symbol, leaves, laws)
        try:
            frame = common_frame(tuple(leaves.values()))
        except SciMLError as error:
            raise ParseError(error.found, error.needed, error.todo) from None
        for name in frame.names if frame else ():
            _add(name, Coordinate(name, frame), leaves, laws)  # type: ignore[arg-type]
        return SymbolTable(leaves, laws, frame)

    def leaf(self, name: str) -> Expr | None:
        """What a name stands for; π and the normal are always known."""
        if name in self.leaves:
            return self.leaves[name]
        if name == "normal" and self.frame is not None:
            return Normal(self.frame)
        return pi if name == "pi" else None

    def known(self) -> str:
        """The names, for messages."""
        return ", ".join([*sorted(self.leaves), *sorted(self.laws)]) or "no names"


def _add(name: str, symbol: Any, leaves: dict[str, Expr], laws: dict[str, tuple[LawSymbol, ...]]) -> None:
    """Enter one symbol: under `name` if it has one, else every leaf and law below it under their own."""
    if isinstance(symbol, LawSymbol):
        laws[name or symbol.name] = tuple(dict.fromkeys((*laws.get(name or symbol.name, ()), symbol)))
    elif isinstance(symbol, Equation):
        for side in (symbol.lhs, symbol.rhs):
            _add("", side, leaves, laws)
    elif not isinstance(symbol, Expr):
        raise ParseError(f"{type(symbol).__name__} among the symbols", "leaves and laws", "pass fields, parameters, …")
    elif name and isinstance(symbol, Apply) and symbol.op is Op.LAW:
        _add(name, symbol.attr[0], leaves, laws)
    elif name:
        if leaves.setdefault(name, symbol).digest != symbol.digest:
            raise ParseError(f"two symbols named {name!r}", "one meaning a name", "rename one of them")
    else:
        for e in postorder(symbol):
            if isinstance(e, Apply) and e.op in (Op.LAW, Op.LAW_JET):
                _add("", e.attr[0], leaves, laws)
            elif not e.args and not isinstance(e, Constant | Normal):
                _add(e.name, e, leaves, laws)  # type: ignore[attr-defined]
