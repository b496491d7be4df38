"""Containers: boxes of space that bodies move in, with what happens at each wall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from sciml.domains.box import Box
from sciml.domains.regions import Side
from sciml.errors import DomainError
from sciml.expr.frames import fingerprint
from sciml.expr.nodes import Coordinate
from sciml.storable import storable


class AbstractWall:
    """What a wall does to a velocity v with outward normal component v·n; one of the classes below."""


@final
@storable("separating wall")
@dataclass(frozen=True)
class Separating(AbstractWall):
    r"""Nothing enters the wall, and what touches it may leave: $v\cdot n \le 0$, no friction."""


@final
@storable("slipping wall")
@dataclass(frozen=True)
class Slip(AbstractWall):
    r"""What touches the wall stays on it and slides: $v\cdot n = 0$."""


@final
@storable("wall without slip")
@dataclass(frozen=True)
class NoSlip(AbstractWall):
    r"""What touches the wall stays where it is: $v = 0$."""


@final
@storable("frictional wall")
@dataclass(frozen=True)
class Frictional(AbstractWall):
    r"""Separating, with Coulomb's friction: the tangential velocity loses at most $\mu$ times the normal one stopped.

    Args:
        coefficient: μ ≥ 0.
    """

    coefficient: float

    def __post_init__(self) -> None:
        if not self.coefficient >= 0:
            raise DomainError(f"coefficient of friction {self.coefficient!r}", "a number ≥ 0", "use Separating() for 0")


@final
class Container:
    """A box of space with walls.

    Args:
        intervals: `{coordinate: (lower, upper)}` for every coordinate of space: where positions may be.
        wall: what all walls are.
        faces: other walls by name, such as `{"Y-": NoSlip()}`.

    Raises:
        DomainError: an interval that is none, an unknown face, something that is no wall.
    """

    def __init__(
        self,
        intervals: Mapping[Coordinate, tuple[Any, Any]],
        wall: AbstractWall | None = None,
        faces: Mapping[str, AbstractWall] | None = None,
    ):
        first = next(iter(intervals), None)
        if not isinstance(first, Coordinate) or any(x.is_time for x in intervals):
            raise DomainError(f"container {intervals!r}", "an interval for each spatial coordinate", "leave out time")
        time = {} if first.of.time is None else {Coordinate(first.of.time, first.of): (0, 1)}
        box = Box({**time, **intervals})
        self.bounds = {x.name: box.bounds[x.name] for x in box.space}
        known = [f"{name}{sign}" for name in self.bounds for sign in "-+"]
        given = dict(faces or {})
        for name, kind in [*given.items(), (known[0], wall or Separating())]:
            if name not in known or not isinstance(kind, AbstractWall):
                raise DomainError(f"wall {name!r}: {kind!r}", f"an AbstractWall on one of {', '.join(known)}", "fix it")
        self._walls = {name: given.get(name, wall or Separating()) for name in known}

    @property
    def walls(self) -> Mapping[str, AbstractWall]:
        """What each wall is, by the name of its face."""
        return dict(self._walls)

    def wall(self, name: str, side: Side) -> AbstractWall:
        """The wall at one end of a coordinate."""
        return self._walls[f"{name}{'-' if side is Side.LOWER else '+'}"]

    @property
    def digest(self) -> bytes:
        """Identity, numbers included."""
        return fingerprint(repr(self))

    def __repr__(self) -> str:
        parts = [f"{name} ∈ [{a:g}, {b:g}]" for name, (a, b) in self.bounds.items()]
        kinds = sorted({repr(wall) for wall in self._walls.values()})
        each = kinds if len(kinds) == 1 else [f"{name}: {wall!r}" for name, wall in self._walls.items()]
        return f"Container({', '.join(parts)}; {', '.join(each)})"
