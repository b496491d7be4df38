"""The model: two readers, their fusion, and two writers."""

from __future__ import annotations

import math
from typing import NamedTuple, final

import equinox as eqx
import jax

from solvers.prose.architecture import Architecture
from solvers.prose.decoders import EquationDecoder, SolutionDecoder, equation_decoder, solution_decoder
from solvers.prose.encoders import (
    DataEncoder,
    Features,
    Fusion,
    Observed,
    SymbolEncoder,
    data_encoder,
    fusion,
    symbol_encoder,
)


@final
class Read(NamedTuple):
    """What was read of one trajectory: features of the data, and of the guess if there was one."""

    data: Features
    symbols: Features | None


@final
class Model(eqx.Module):
    """PROSE (arXiv:2309.16816): observations and a guess of the equation in, solution and equation out.

    The data writer attends to the data half of the fused features, the symbol writer to the symbol half.
    """

    data: DataEncoder
    symbols: SymbolEncoder | None
    fusion: Fusion | None
    solution: SolutionDecoder
    equation: EquationDecoder | None

    def read(self, observed: Observed, guess: jax.Array) -> Read:
        """Features of one trajectory; `guess` holds words (L,), and is ignored by a model without symbols."""
        data = self.data(observed)
        if self.symbols is None or self.fusion is None:
            return Read(data, None)
        return Read(*self.fusion(data, self.symbols(guess)))


def model(key: jax.Array, size: Architecture) -> Model:
    """A model with first weights; what each layer adds is scaled down by the depth of its stack."""
    keys = jax.random.split(key, 5)

    def gain(layers: int, parts: int = 2) -> float:
        return 1 / math.sqrt(max(parts * layers, 1))

    reads, writes = size.reads_symbols, size.writes_symbols
    return Model(
        data_encoder(keys[0], size, gain(size.data_layers)),
        symbol_encoder(keys[1], size, gain(size.symbol_layers)) if reads else None,
        fusion(keys[2], size, gain(size.fusion_layers)) if reads else None,
        solution_decoder(keys[3], size, gain(size.solution_layers)),
        equation_decoder(keys[4], size, gain(size.equation_layers, 3)) if writes else None,
    )


def count(tree: object) -> int:
    """Number of weights."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree) if hasattr(leaf, "shape"))


def blank(size: Architecture) -> Model:
    """Shapes of the weights, nothing allocated."""
    return eqx.filter_eval_shape(model, jax.random.key(0), size)
