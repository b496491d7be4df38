"""What a solver may ask of any domain: the seam for shapes other than boxes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

import jax

from sciml.domains.regions import Place, Region
from sciml.expr.frames import Frame
from sciml.expr.nodes import Coordinate

if TYPE_CHECKING:
    from sciml.domains.sampling import AbstractSampler

Points = dict[str, jax.Array]
"""Points by coordinate name: one array for each coordinate, all of one shape."""


class AbstractDomain(ABC):
    """A region of space, or of space and time."""

    @property
    @abstractmethod
    def frame(self) -> Frame:
        """Frame of the coordinates."""

    @property
    @abstractmethod
    def coordinates(self) -> tuple[Coordinate, ...]:
        """Coordinates that the domain extends in, in frame order."""

    @property
    @abstractmethod
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """Bounding interval of each coordinate, by name."""

    @property
    @abstractmethod
    def periodic(self) -> frozenset[str]:
        """Names of periodic coordinates."""

    @property
    @abstractmethod
    def digest(self) -> bytes:
        """Structure: coordinates, periodicity and kind of shape, not its numbers."""

    @property
    @abstractmethod
    def content_digest(self) -> bytes:
        """Structure and numbers."""

    @abstractmethod
    def sample(
        self, n: int, key: jax.Array, sampler: AbstractSampler | None = None, place: Place | None = None
    ) -> Points:
        """`n` points of the interior, or of one place."""

    @abstractmethod
    def contains(self, points: Mapping[str, jax.Array]) -> jax.Array:
        """Whether each point lies in the closed domain."""

    def as_region(self) -> Region:
        """The whole domain as a region, for gauges and other statements that hold everywhere."""
        return Region("the domain", (Place(()),))
