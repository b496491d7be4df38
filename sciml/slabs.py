"""Slabs of time that were solved one after the other, put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation
from sciml.spectrum import SpectralLines
from sciml.storable import storable

FROM_BEST_TO_WORST = (
    RESULTS.successful,
    RESULTS.under_resolved,
    RESULTS.stagnated,
    RESULTS.max_steps_reached,
    RESULTS.interrupted,
    RESULTS.budget_exhausted,
    RESULTS.linear_solve_failed,
    RESULTS.nonfinite,
)


def worst(results: Iterable[RESULTS]) -> RESULTS:
    """How a march ended whose slabs ended so."""
    return max(results, key=FROM_BEST_TO_WORST.index)


def largest(numbers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The largest of each number over the slabs that have it."""
    names = dict.fromkeys(name for n in numbers for name in n)
    return {name: max(n[name] for n in numbers if name in n) for name in names}


@final
@storable("gp_slabs")
class Slabs(AbstractRepresentation):
    """Fields, or their standard deviations, in slabs of time; after the last one they stay as they are.

    Attributes:
        parts: one for each slab, in the order of time.
        edges: of the slabs, `(parts + 1,)`; an inner one belongs to the slab before it.
        names: of the coordinates.
        axis: number of the time axis.
    """

    parts: tuple[AbstractRepresentation, ...]
    edges: jax.Array
    names: tuple[str, ...] = eqx.field(static=True)
    axis: int = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        t, owner = self._owners(points)
        found: dict[str, jax.Array] = {}
        for k, part in enumerate(self.parts):
            values = part({**points, self._time: jnp.where(owner == k, t, self.edges[k])})
            found = {name: jnp.where(owner == k, v, found.get(name, v)) for name, v in values.items()}
        return found

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array] | None:
        t, owner = self._owners(nodes)
        found: dict[str, jax.Array] = {}
        for k, part in enumerate(self.parts):
            values = part.on_axes({**nodes, self._time: jnp.where(owner == k, t, self.edges[k])})
            if values is None:
                return None
            mine = jnp.reshape(owner == k, [-1 if j == self.axis else 1 for j in range(len(self.names))])
            found = {name: jnp.where(mine, v, found.get(name, v)) for name, v in values.items()}
        return found

    @property
    def _time(self) -> str:
        return self.names[self.axis]

    def _owners(self, points: Mapping[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Times, at most the last one, and the number of the slab of each."""
        t = jnp.asarray(points[self._time], float)
        t = jnp.where(t > self.edges[-1], self.edges[-1], t)
        return t, jnp.searchsorted(self.edges[1:-1], t)

    def spectrum(self) -> dict[str, SpectralLines] | None:
        """Lines of all slabs, equal ones as one, with root mean squares over all of them."""
        shares = np.diff(np.asarray(self.edges)) / (float(self.edges[-1]) - float(self.edges[0]))
        found = [part.spectrum() for part in self.parts]
        if any(s is None for s in found):
            return None
        return {name: _joined([s[name] for s in found if s is not None], shares) for name in self.names}


def _joined(spectra: Sequence[SpectralLines], shares: np.ndarray) -> SpectralLines:
    powers: dict[tuple[float, float], float] = {}
    for lines, share in zip(spectra, shares, strict=True):
        for m, width, amplitude in zip(lines.frequencies, lines.widths, lines.amplitudes, strict=True):
            key = (float(m), float(width))
            powers[key] = powers.get(key, 0.0) + share * float(amplitude) ** 2
    kept = sorted(powers)
    frequencies, widths = (np.array([key[i] for key in kept]) for i in (0, 1))
    return SpectralLines(frequencies, widths, np.sqrt([powers[key] for key in kept]))
