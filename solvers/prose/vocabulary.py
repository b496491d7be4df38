"""The words that a model knows, their numbers, and how many operands each takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from sciml.errors import UnsupportedProblemError
from sciml.expr.tokens import LARGEST_INTEGER
from sciml.storable import storable

PAD, BEGIN, END, SEPARATOR, PLACEHOLDER = "<PAD>", "<BOS>", "<EOS>", "|", "<PLACEHOLDER>"
SPECIAL = (PAD, BEGIN, END, SEPARATOR)
SIGNS = ("+", "-")
LARGEST_EXPONENT = 10
MANTISSAS = ("N000", *(f"N{n}" for n in range(100, 1000)))
EXPONENTS = tuple(f"E{n}" for n in range(-LARGEST_EXPONENT, LARGEST_EXPONENT + 1))
INTEGERS = tuple(str(n) for n in range(-LARGEST_INTEGER, LARGEST_INTEGER + 1))
UNARY = ("neg", "inv", "pow2", "pow3", "sin", "cos", "tan", "exp", "log", "sqrt", "tanh")
BINARY = ("add", "mul", "div", "pow")


@final
@storable("prose_vocabulary")
@dataclass(frozen=True)
class Vocabulary:
    """Words of prefix equations, each with a number; padding has the number 0 everywhere.

    Attributes:
        leaves: names of unknowns and coordinates, such as `u_0`.
        unary: operators of one operand; `dx` is a derivative.
        binary: operators of two operands.
    """

    leaves: tuple[str, ...]
    unary: tuple[str, ...] = UNARY
    binary: tuple[str, ...] = BINARY

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All words in the order of their numbers."""
        named = (*self.leaves, *self.unary, *self.binary)
        return (*SPECIAL, PLACEHOLDER, *named, *SIGNS, *INTEGERS, *EXPONENTS, *MANTISSAS)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each word."""
        return {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def ids(self, words: Sequence[str]) -> list[int]:
        """Numbers of words.

        Raises:
            UnsupportedProblemError: a word that the model has never met.
        """
        unknown = sorted({word for word in words if word not in self.numbers})
        if unknown:
            raise UnsupportedProblemError(
                f"the words {', '.join(unknown)} in the equations",
                f"words that the model was trained with: {', '.join((*self.leaves, *self.unary, *self.binary))}",
                "rewrite the equations, or pretrain a model on a family that has them",
            )
        return [self.numbers[word] for word in words]

    def padded(self, words: Sequence[str], length: int) -> np.ndarray:
        """Numbers of words, filled up with padding to a static length, int32.

        Raises:
            UnsupportedProblemError: too many words, or an unknown one.
        """
        if len(words) > length:
            raise UnsupportedProblemError(
                f"equations of {len(words)} words",
                f"at most {length}, the length that the model was trained for",
                "simplify them, or pretrain a model with longer equations",
            )
        return np.array([*self.ids(words), *[0] * (length - len(words))], np.int32)

    def text(self, ids: Sequence[int] | np.ndarray) -> list[str]:
        """Words of numbers up to the end mark, without marks and padding."""
        words = [self.words[int(i)] for i in ids]
        words = words[: words.index(END)] if END in words else words
        return [word for word in words if word not in (PAD, BEGIN)]

    def span(self, words: Sequence[str]) -> np.ndarray:
        """Mask over all words that is true for the given ones."""
        mask = np.zeros(len(self), bool)
        mask[[self.numbers[word] for word in words if word in self.numbers]] = True
        return mask
