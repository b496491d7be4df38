"""Which words may come next so that what is written can be read: a count of open operands is all it takes.

Prefix words need one expression at the start; a word with a operands closes one and opens a. A sign is followed by a
mantissa, a mantissa by an exponent. When nothing is open the equation is complete: a separator follows if equations are
missing, else the end. A word that would leave too few words for what is then open is not allowed, so every sequence is
complete within its length.
"""

from __future__ import annotations

from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from solvers.prose.vocabulary import END, EXPONENTS, INTEGERS, MANTISSAS, PLACEHOLDER, SEPARATOR, SIGNS, Vocabulary

PLAIN, AFTER_SIGN, AFTER_MANTISSA, ENDED = range(4)


@final
class Written(NamedTuple):
    """How far an output is.

    Attributes:
        open: expressions still to be written in this equation.
        equations: equations still to be written, this one included.
        stage: whether a sign or a mantissa was written last, or the end.
        left: words that still fit, the end included.
    """

    open: jax.Array
    equations: jax.Array
    stage: jax.Array
    left: jax.Array


@final
class Grammar(eqx.Module):
    """The rules as tables over the vocabulary.

    Attributes:
        operands: number of operands of words that stand where an expression may; -1 for others.
        kinds: masks of signs, mantissas, exponents, separator and end, `(5, words)`.
    """

    operands: jax.Array
    kinds: jax.Array

    @staticmethod
    def of(vocabulary: Vocabulary, dimension: int, *, placeholders: bool = False) -> Grammar:
        """The grammar of numbered equations, or of skeletons, for systems of `dimension` unknowns."""
        missing = {f"u_{i}" for i in range(dimension, len(vocabulary.leaves))}
        leaves = tuple(name for name in vocabulary.leaves if name not in missing)
        operands = np.full(len(vocabulary), -1)
        numbers = (PLACEHOLDER,) if placeholders else (*SIGNS, *INTEGERS)
        for count, words in enumerate(((*leaves, *numbers), vocabulary.unary, vocabulary.binary)):
            operands[vocabulary.span(words)] = count
        kinds = [vocabulary.span(words) for words in (SIGNS, MANTISSAS, EXPONENTS, (SEPARATOR,), (END,))]
        return Grammar(jnp.asarray(operands, jnp.int32), jnp.asarray(np.stack(kinds)))

    def start(self, equations: int, length: int) -> Written:
        """Nothing written yet, with room for `length` words, the end included."""
        return Written(*(jnp.asarray(n, jnp.int32) for n in (1, equations, PLAIN, length)))

    def allowed(self, written: Written) -> jax.Array:
        """Mask of the words that may come next."""
        signs, mantissas, exponents, separator, end = self.kinds
        later = 2 * (written.equations - 1) + 1  # a separator and a word for each equation that follows, and the end
        needed = written.open - 1 + self.operands + jnp.where(signs, 2, 0) + later
        expression = (self.operands >= 0) & (needed <= written.left - 1)
        between = jnp.where(written.equations > 1, separator, end)
        plain = jnp.where(written.open > 0, expression, between)
        return jnp.select(
            [written.stage == AFTER_SIGN, written.stage == AFTER_MANTISSA, written.stage == ENDED],
            [mantissas, exponents, jnp.arange(end.shape[0]) == 0],
            plain,
        )

    def after(self, written: Written, word: jax.Array) -> Written:
        """How far it is after one allowed word."""
        sign, mantissa, _, separator, end = self.kinds[:, word]
        inside = (written.stage == AFTER_SIGN) | (written.stage == AFTER_MANTISSA)
        change = jnp.where(inside | separator | end | (written.stage == ENDED), 0, self.operands[word] - 1)
        stage = jnp.select(
            [written.stage == ENDED, sign, mantissa, end], [ENDED, AFTER_SIGN, AFTER_MANTISSA, ENDED], PLAIN
        )
        return Written(
            jnp.where(separator, 1, written.open + change),
            written.equations - separator,
            stage.astype(jnp.int32),
            jnp.maximum(written.left - 1, 0),
        )
