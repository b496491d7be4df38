"""Sizes of a model, with the published ones by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from sciml.errors import OptionError
from sciml.storable import storable


@final
@storable("prose_architecture")
@dataclass(frozen=True)
class Architecture:
    """Sizes of a model.

    Layers are normalised at their input and stacks at their end, where the published model of 2023 normalises outputs
    and embedded inputs: the number of weights is the same.

    Attributes:
        words: size of the vocabulary.
        dimension: number of unknowns.
        width: length of every feature.
        hidden: width of the networks inside layers.
        heads: of each attention.
        data_layers, symbol_layers, fusion_layers, solution_layers, equation_layers: depth of the five stacks.
        frequencies: pairs of sine and cosine that accompany a time.
        reads_symbols: whether there is a guess of the equation; without one there is no fusion either (1-to-1).
        writes_symbols: whether equations are written (2-to-2), or only solutions (2-to-1).
    """

    words: int
    dimension: int = 3
    width: int = 512
    hidden: int = 2048
    heads: int = 8
    data_layers: int = 2
    symbol_layers: int = 4
    fusion_layers: int = 8
    solution_layers: int = 8
    equation_layers: int = 8
    frequencies: int = 0
    reads_symbols: bool = True
    writes_symbols: bool = True

    def __post_init__(self) -> None:
        sizes = (self.words, self.dimension, self.hidden, self.heads, self.data_layers, self.solution_layers)
        if min(sizes) < 1 or self.frequencies < 0 or self.width % (2 * self.heads):
            raise OptionError(
                f"{self!r}", "positive sizes, and a width that is an even multiple of the heads", "change that size"
            )
        if self.writes_symbols and not self.reads_symbols:
            raise OptionError("a model that writes equations but reads none", "2-to-2, 2-to-1 or 1-to-1", "read them")


def paper(words: int = 1072, dimension: int = 3) -> Architecture:
    """PROSE for ordinary differential equations (arXiv:2309.16816): 104 million weights."""
    return Architecture(words, dimension)


def small(words: int, dimension: int = 3) -> Architecture:
    """Half a million weights, for a quarter of an hour on one core."""
    return Architecture(words, dimension, 64, 256, 4, 1, 1, 2, 3, 2, frequencies=24)


def medium(words: int, dimension: int = 3) -> Architecture:
    """About 2.3 million weights, for an hour on two cores."""
    return Architecture(words, dimension, 128, 512, 8, 1, 2, 2, 3, 2, frequencies=24)


ARCHITECTURES = {"paper": paper, "medium": medium, "small": small}
"""Sizes by name."""
