"""Cutting text into the marks that the parser reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, unique
from typing import final

from sciml.errors import ParseError


@final
@unique
class Kind(Enum):
    """What a mark is."""

    NUMBER = "a number"
    NAME = "a name"
    STRING = "a quoted name"
    SIGN = "a sign"
    END = "the end"


@final
@dataclass(frozen=True)
class Mark:
    """A piece of text with its meaning and where it begins, counted from 0."""

    kind: Kind
    text: str
    position: int

    def __str__(self) -> str:
        where = f"at position {self.position}"
        return f"the end of the text {where}" if self.kind is Kind.END else f"`{self.text}` {where}"


_MARKS = re.compile(
    r"""(?P<NUMBER>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<NAME>[A-Za-z][A-Za-z0-9_]*)
      | (?P<STRING>"[A-Za-z0-9_]*"|'[A-Za-z0-9_]*')
      | (?P<SIGN>\*\*|==|<=|>=|[-+*/@()\[\],.=<>&|~])""",
    re.VERBOSE,
)


def scan(text: str) -> list[Mark]:
    """Marks of a text in order; the last one is the end.

    Raises:
        ParseError: a character that begins no mark.
    """
    marks: list[Mark] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        found = _MARKS.match(text, position)
        if found is None:
            raise ParseError(
                f"the character {text[position]!r} at position {position}",
                "numbers, names, operators and parentheses",
                "spell the expression as in Python",
            )
        marks.append(Mark(Kind[found.lastgroup or "END"], found.group(), position))
        position = found.end()
    return [*marks, Mark(Kind.END, "", len(text))]
