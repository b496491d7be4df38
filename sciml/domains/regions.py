"""Regions: parts of a domain on which a condition can hold, named by coordinate and side, never by number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from functools import cached_property
from typing import TYPE_CHECKING, final

from sciml.errors import DomainError
from sciml.expr.frames import Frame, fingerprint
from sciml.expr.nodes import Coordinate
from sciml.storable import storable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sciml.expr.equation import HasRegion


@final
@storable("side")
@unique
class Side(Enum):
    """Which end of a coordinate's interval."""

    LOWER = "lower"
    UPPER = "upper"

    @property
    def outward(self) -> int:
        """Sign of the outward normal along the coordinate."""
        return -1 if self is Side.LOWER else 1


@final
@dataclass(frozen=True)
class Place:
    """Coordinates that are held fixed, each at a side of the domain or at a number inside it; none: everywhere.

    One fixed coordinate gives a face or slice, several an edge, corner or point.
    """

    fixed: tuple[tuple[Coordinate, Side | float], ...]

    @cached_property
    def digest(self) -> bytes:
        """Identity: sides by name, inner places by number."""
        return fingerprint(*((x, str(s) if isinstance(s, Side) else s) for x, s in self.fixed))

    @property
    def is_everywhere(self) -> bool:
        """Whether nothing is fixed."""
        return not self.fixed

    @property
    def axis(self) -> Coordinate | None:
        """The one fixed coordinate of a face or slice; None for other places."""
        return self.fixed[0][0] if len(self.fixed) == 1 else None

    @property
    def side(self) -> Side | None:
        """The side of a face; None for slices and other places."""
        where = self.fixed[0][1] if len(self.fixed) == 1 else None
        return where if isinstance(where, Side) else None

    @property
    def is_initial(self) -> bool:
        """Whether this is the start of time."""
        return self.axis is not None and self.axis.is_time and self.side is Side.LOWER

    @property
    def is_face(self) -> bool:
        """Whether this is one whole spatial face."""
        return self.axis is not None and not self.axis.is_time and self.side is not None

    def normal(self, frame: Frame) -> tuple[int, ...]:
        """Components of the outward normal of a spatial face.

        Raises:
            DomainError: the place has no normal.
        """
        if self.axis is None or self.side is None or self.axis.is_time:
            raise DomainError(f"the normal of `{self}`", "one spatial face", "hold the condition on domain.boundary(x)")
        return tuple(self.side.outward if name == self.axis.name else 0 for name in frame.space)

    def __str__(self) -> str:
        parts = [f"{x.name} {s.value}" if isinstance(s, Side) else f"{x.name}={s:g}" for x, s in self.fixed]
        return ", ".join(parts) or "everywhere"


@final
@dataclass(frozen=True, repr=False)
class Region:
    """A union of places, with a name."""

    name: str
    places: tuple[Place, ...]

    @property
    def digest(self) -> bytes:
        """Identity: that of the places."""
        return fingerprint(*self.places)

    def as_region(self) -> Region:
        """Itself: domains and regions can both follow `.on`."""
        return self

    def __or__(self, other: HasRegion) -> Region:
        as_region = getattr(other, "as_region", None)
        if as_region is None:
            raise DomainError(f"{other!r} joined to region {self.name!r}", "another region", "write a | b of regions")
        region: Region = as_region()
        return Region(f"{self.name} and {region.name}", tuple(dict.fromkeys((*self.places, *region.places))))

    def __iter__(self) -> Iterator[Place]:
        return iter(self.places)

    def __repr__(self) -> str:
        return self.name
