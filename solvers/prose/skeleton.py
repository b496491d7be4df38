"""Words of a system with its numbers taken out, and systems of words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml.errors import ParseError, UnsupportedProblemError
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Apply, Constant, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.tokens import from_tokens, number_words, tokens
from sciml.expr.traverse import leaves, rebuild, substitute
from solvers.prose.canonical import TIME, System, folded, is_number, unknowns
from solvers.prose.vocabulary import INTEGERS, LARGEST_EXPONENT, PLACEHOLDER, SEPARATOR

LARGEST = 9.99 * 10.0 ** (LARGEST_EXPONENT + 2)
"""Larger numbers have no words."""
SMALLEST = 1e-8
"""Smaller numbers have no words and count as zero."""


@final
@dataclass(frozen=True)
class Skeleton:
    """A system whose numbers are the parameters `c_0, c_1, …`, but for exponents of powers.

    Attributes:
        system: right-hand sides with those parameters, in the order in which they are read.
        numbers: what stood there: constants and expressions of the problem's own parameters.
    """

    system: System
    numbers: tuple[Scalar, ...]

    @staticmethod
    def of(system: System) -> Skeleton:
        """Take the numbers out."""
        numbers: list[Scalar] = []

        def slot(number: Scalar) -> Scalar:
            numbers.append(number)
            return Parameter(f"c_{len(numbers) - 1}")

        return Skeleton(tuple(_without_numbers(side, slot) for side in system), tuple(numbers))

    @property
    def slotted(self) -> list[str | int]:
        """Words of all right-hand sides, with the place in `numbers` where one stands."""
        places: dict[str, int] = {f"c_{k}": k for k in range(len(self.numbers))}
        return [places.get(word, word) for word in joined(self.system)]

    @property
    def words(self) -> list[str]:
        """Words with `<PLACEHOLDER>` for every number."""
        return [word if isinstance(word, str) else PLACEHOLDER for word in self.slotted]

    def is_integer(self, k: int) -> bool:
        """Whether number k is an integer of the equations themselves that has a word of its own."""
        number = self.numbers[k]
        return isinstance(number, Constant) and isinstance(number.value, int) and str(number.value) in INTEGERS

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The numbers, given the parameters by name; numbers or arrays."""
        return [folded(number, dict(parameters)) for number in self.numbers]

    def written(self, values: Sequence[float]) -> list[str]:
        """Words with numbers in place; integers of the equations themselves stay integers."""
        words: list[str] = []
        for word in self.slotted:
            if isinstance(word, str):
                words.append(word)
            else:
                words += number_words(int(values[word]) if self.is_integer(word) else spelled_value(values[word]))
        return words

    def with_numbers(self, values: Sequence[float]) -> System:
        """The system with numbers in place."""
        table: dict[Any, Expr] = {Parameter(f"c_{k}"): Constant(float(v)) for k, v in enumerate(values)}
        return tuple(substitute(side, table) for side in self.system)


def _without_numbers(e: Expr, slot: Callable[[Scalar], Scalar]) -> Any:
    if is_number(e):
        return slot(e)  # type: ignore[arg-type]
    if not isinstance(e, Apply):
        return e
    if e.op is Op.POWER and isinstance(e.operands[1], Constant):
        return rebuild(e, (_without_numbers(e.operands[0], slot), e.operands[1]))
    return rebuild(e, tuple(_without_numbers(arg, slot) for arg in e.operands))


def joined(system: System) -> list[str]:
    """Words of all right-hand sides, with separators between them."""
    words: list[str] = []
    for side in system:
        words += [*([SEPARATOR] if words else []), *tokens(side)]
    return words


def split_words(words: Sequence[str]) -> list[list[str]]:
    """Words between separators."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def parse_system(words: Sequence[str], dimension: int) -> System:
    """The system that words spell; placeholders become the parameters `c_0, c_1, …`.

    Raises:
        ParseError: words that spell no system of this dimension.
    """
    parts = split_words(words)
    if len(parts) != dimension:
        raise ParseError(f"words of {len(parts)} equations", f"{dimension}", "check the separators")
    count, named = 0, []
    for part in parts:
        renamed = []
        for word in part:
            renamed.append(f"c_{count}" if word == PLACEHOLDER else word)
            count += word == PLACEHOLDER
        named.append(renamed)
    symbols = [*unknowns(dimension), TIME, *(Parameter(f"c_{k}") for k in range(count))]
    sides: list[Any] = [from_tokens(part, symbols) for part in named]
    return tuple(sides)


def spelled_value(value: float) -> float:
    """The number that words can say: itself, or zero if it is tiny.

    Raises:
        UnsupportedProblemError: its power of ten has no word.
    """
    value = float(value)
    if abs(value) > LARGEST:
        raise UnsupportedProblemError(
            f"the number {value:g} in the equations", f"at most {LARGEST:g}", "choose other units"
        )
    return value if abs(value) >= SMALLEST else 0.0


def number_codes(values: np.ndarray, numbers: Mapping[str, int]) -> np.ndarray:
    """Numbers of the three words of each value `(n,)`, shape `(n, 3)`: as real numbers, whatever the value.

    Raises:
        UnsupportedProblemError: a value that is too large for the words.
    """
    different, place = np.unique(np.asarray(values, float), return_inverse=True)
    codes = [[numbers[word] for word in number_words(spelled_value(value))] for value in different]
    return np.array(codes, int).reshape(-1, 3)[place]


def parameters_of(system: System) -> set[str]:
    """Names of the parameters in a system."""
    return {leaf.name for leaf in leaves(*system) if isinstance(leaf, Parameter)}
