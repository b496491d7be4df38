"""Which lines and planes of a domain a figure shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml.domains.domain import AbstractDomain
from sciml.domains.grids import Grid
from sciml.errors import DomainError

Sample = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Values of scalar unknowns, by name, at points that broadcast."""

NODES = {1: 801, 2: 161}
"""Points along each coordinate of a line and of a plane."""
NARROW = 4
"""Ratio of sides from which on a plane is stretched to fill its panel."""
PROBES = 2048
"""Points among which a plane worth drawing is looked for."""


@final
@dataclass(frozen=True)
class Section:
    """A line or a plane through a domain.

    Attributes:
        nodes: the one or two coordinates that vary, horizontal first, with their nodes `(n,)`.
        held: the numbers of all others.
        time: the name of time, if the domain has one.
    """

    nodes: dict[str, np.ndarray]
    held: dict[str, float]
    time: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Coordinates that vary, horizontal first."""
        return tuple(self.nodes)

    @property
    def keeps_proportions(self) -> bool:
        """Whether both axes are lengths, and not too unlike to be drawn with one unit."""
        extents = [float(np.ptp(x)) for x in self.nodes.values()]
        return len(extents) == 2 and self.time not in self.nodes and max(extents) < NARROW * min(extents)

    def points(self) -> dict[str, np.ndarray]:
        """Every coordinate, of shape `(n,)` for a line and `(vertical, horizontal)` for a plane."""
        mesh = np.meshgrid(*self.nodes.values(), indexing="xy")
        shape = mesh[0].shape
        varying = dict(zip(self.nodes, mesh, strict=True))
        return {**varying, **{name: np.full(shape, value) for name, value in self.held.items()}}


def section(
    domain: AbstractDomain,
    time: str | None,
    along: tuple[str, ...],
    held: Mapping[str, float],
    n: int | None = None,
) -> Section:
    """The line or plane along some coordinates with the others held.

    Raises:
        DomainError: a held coordinate that the domain does not have, or one that is neither held nor shown.
    """
    names = domain.frame.names
    unknown = [name for name in held if name not in names]
    if unknown or (n is not None and n < 2):
        raise DomainError(
            f"{', '.join(unknown)} held in a picture" if unknown else f"{n} points in a picture",
            f"some of {', '.join(names)}, at least 2 points",
            "name coordinates of the problem",
        )
    count = n or NODES[len(along)]
    nodes = {name: np.linspace(*domain.bounds[name], count) for name in along}
    return Section(nodes, {name: float(held[name]) for name in names if name not in along}, time)


@final
@dataclass(frozen=True)
class Cut:
    """A line or plane of a tensor grid: the section, and the index that takes it out of arrays of the grid's shape."""

    section: Section
    index: tuple[int | slice, ...]

    def take(self, array: np.ndarray) -> np.ndarray:
        """Values on the section, `(n,)` or `(vertical, horizontal)`."""
        return np.asarray(array, float)[self.index].T


def cut_of_grid(grid: Grid, time: str | None, values: np.ndarray) -> Cut:
    """All of a grid of one or two axes; else its last time; else a plane through the largest of `values` in modulus."""
    free = [name for name, nodes in grid.nodes.items() if nodes.size > 1]
    if time in free and len(free) > 2:
        free.remove(time)
    along = tuple(free[:2]) or (next(iter(grid.nodes)),)
    place: dict[str, int] = {time: grid.nodes[time].size - 1} if time is not None and time not in along else {}
    modulus = np.where(np.isfinite(values), np.abs(values), -1.0)
    for name, i in place.items():
        modulus = np.take(modulus, [i], axis=list(grid.nodes).index(name))
    largest = dict(zip(grid.nodes, np.unravel_index(int(np.argmax(modulus)), modulus.shape), strict=True))
    chosen = {name: place.get(name, int(largest[name])) for name in grid.nodes if name not in along}
    held = {name: float(grid.nodes[name][i]) for name, i in chosen.items()}
    index = tuple(chosen.get(name, slice(None)) for name in grid.nodes)
    return Cut(Section({name: grid.nodes[name] for name in along}, held, time), index)


def loudest_point(
    sample: Sample, bounds: Mapping[str, tuple[float, float]], held: Mapping[str, float]
) -> dict[str, float]:
    """Where the first unknown is largest in modulus, among evenly spread probes: a plane through it is not blank.

    The probes are the additive recurrence $\\{k\\alpha\\}$ with α from the generalised golden ratio.
    """
    d = len(bounds)
    golden = 1.5
    for _ in range(32):
        golden = (1 + golden) ** (1 / (d + 1))
    alpha = golden ** -np.arange(1, d + 1)
    unit = np.mod(0.5 + np.outer(np.arange(PROBES), alpha), 1.0)
    points = {name: low + (high - low) * unit[:, i] for i, (name, (low, high)) in enumerate(bounds.items())}
    everywhere = {**points, **{name: np.full(PROBES, value) for name, value in held.items()}}
    values = np.asarray(next(iter(sample(everywhere).values())), float)
    best = int(np.argmax(np.where(np.isfinite(values), np.abs(values), -1.0)))
    return {name: float(p[best]) for name, p in points.items()}
