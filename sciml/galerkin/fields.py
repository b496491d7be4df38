"""Several fields, each with a representation of its own, as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import jax
import numpy as np

from sciml.solution import AbstractRepresentation
from sciml.spectrum import SpectralLines
from sciml.storable import storable


@final
@storable("galerkin_fields")
class Fields(AbstractRepresentation):
    """What its parts are, together.

    Attributes:
        parts: of one scalar unknown each.
    """

    parts: tuple[AbstractRepresentation, ...]

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        return {name: value for part in self.parts for name, value in part(points).items()}

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array] | None:
        made = [part.on_axes(nodes) for part in self.parts]
        return {name: v for one in made if one is not None for name, v in one.items()} if None not in made else None

    def spectrum(self) -> dict[str, SpectralLines] | None:
        """Lines of all fields, one field after the other."""
        found = [spectrum for part in self.parts if (spectrum := part.spectrum()) is not None]
        names = dict.fromkeys(name for spectrum in found for name in spectrum)
        return {name: _joined([s[name] for s in found if name in s]) for name in names} or None


def _joined(lines: list[SpectralLines]) -> SpectralLines:
    columns = [(one.frequencies, one.widths, one.amplitudes) for one in lines]
    frequencies, widths, amplitudes = (np.concatenate(column) for column in zip(*columns, strict=True))
    return SpectralLines(frequencies, widths, amplitudes)
