"""Boxes: products of intervals, with or without time, any axis periodic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import jax
import jax.numpy as jnp
import numpy as np

from sciml.domains.domain import AbstractDomain, Points
from sciml.domains.regions import Place, Region, Side
from sciml.errors import DomainError
from sciml.expr.build import common_frame
from sciml.expr.evaluation import evaluate
from sciml.expr.frames import Frame, fingerprint
from sciml.expr.nodes import Coordinate, Expr
from sciml.expr.traverse import atoms

if TYPE_CHECKING:
    from sciml.domains.sampling import AbstractSampler


_SIDED = '(x, "lower") or (x, "upper")'


@final
class Box(AbstractDomain):
    """A product of intervals.

    Args:
        intervals: `{coordinate: (lower, upper)}` for every coordinate of the frame.
        periodic: coordinates along which everything repeats; they have no boundary.
        regions: further names for faces: `{"inlet": (x, "lower")}` or a region made by this box's methods.

    Raises:
        DomainError: an empty or reversed interval, a number that is not finite, periodic time, a missing coordinate.
    """

    def __init__(
        self,
        intervals: Mapping[Coordinate, tuple[Any, Any]],
        *,
        periodic: tuple[Coordinate, ...] | Coordinate = (),
        regions: Mapping[str, Any] | None = None,
    ):
        if not isinstance(intervals, Mapping) or not intervals or not all(isinstance(x, Coordinate) for x in intervals):
            raise DomainError(f"intervals {intervals!r}", "a dictionary of coordinates", "write Box({x: (0, 1)})")
        frame = common_frame(tuple(intervals))
        assert frame is not None  # coordinates always have one
        missing = set(frame.names) - {x.name for x in intervals}
        if missing:
            raise DomainError(
                f"no interval for {', '.join(sorted(missing))}", "one for every coordinate of the frame", "add it"
            )
        self._frame = frame
        self._coordinates = tuple(Coordinate(name, frame) for name in frame.names)
        by_name = {x.name: interval for x, interval in intervals.items()}
        self._bounds = {name: _interval(name, by_name[name]) for name in frame.names}
        axes = (periodic,) if isinstance(periodic, Coordinate) else tuple(periodic)
        for x in axes:
            if not isinstance(x, Coordinate) or x.of != frame or x.is_time:
                raise DomainError(f"periodic {x!r}", "spatial coordinates of this box", "list coordinates, not names")
        self._periodic = frozenset(x.name for x in axes)
        self._named = {name: self._resolve(name, value) for name, value in (regions or {}).items()}

    def _resolve(self, name: str, value: Any) -> Region:
        if isinstance(value, Region):
            return Region(name, value.places)
        sides = [side.value for side in Side]
        if not isinstance(value, (tuple, list)) or len(value) != 2 or value[1] not in sides:
            raise DomainError(f"region {name!r}: {value!r}", "a region, or a coordinate with a side", f"write {_SIDED}")
        return Region(name, self._face(self._own(value[0]), Side(value[1])).places)

    @property
    def frame(self) -> Frame:
        return self._frame

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        return self._coordinates

    @property
    def space(self) -> tuple[Coordinate, ...]:
        """Spatial coordinates in frame order."""
        return tuple(x for x in self.coordinates if not x.is_time)

    @property
    def time(self) -> Coordinate | None:
        """The time coordinate, or None."""
        return next((x for x in self.coordinates if x.is_time), None)

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return self._bounds

    @property
    def periodic(self) -> frozenset[str]:
        return self._periodic

    @property
    def digest(self) -> bytes:
        return fingerprint("Box", self._frame.names, str(self._frame.time), tuple(sorted(self._periodic)))

    @property
    def content_digest(self) -> bytes:
        return fingerprint(self.digest, tuple(v for name in self._frame.names for v in self._bounds[name]))

    @property
    def regions(self) -> tuple[Region, ...]:
        """Regions that were given names."""
        return tuple(self._named.values())

    def length(self, name: str) -> float:
        """Extent along a coordinate."""
        lower, upper = self._bounds[name]
        return upper - lower

    @property
    def volume(self) -> float:
        """Product of all extents, time included."""
        return float(np.prod([self.length(name) for name in self._frame.names]))

    @property
    def boundary(self) -> Boundary:
        """The spatial boundary: all faces; `boundary(x)` is both ends of x, `boundary["x-"]` one face."""
        return Boundary(self)

    def _face(self, x: Coordinate, side: Side) -> Region:
        if x.name in self._periodic:
            raise DomainError(
                f"a face of periodic coordinate {x.name}", "a coordinate with ends", "drop the condition: it repeats"
            )
        return Region(f"{x.name} {side.value}", (Place(((x, side),)),))

    def lower(self, x: Coordinate) -> Region:
        """The face at the lower end of a coordinate."""
        return self._face(self._own(x), Side.LOWER)

    def upper(self, x: Coordinate) -> Region:
        """The face at the upper end of a coordinate."""
        return self._face(self._own(x), Side.UPPER)

    def at(self, **places: Any) -> Region:
        """The part of the domain where coordinates have the given numbers: a face, an inner slice, or a point.

        Raises:
            DomainError: an unknown coordinate, or a number outside the box.
        """
        if not places:
            raise DomainError("domain.at() without a place", "coordinates with numbers", "write domain.at(t=0)")
        fixed = tuple((self._named_coordinate(n), self._where(n, places[n])) for n in self._sorted(places))
        return Region(", ".join(f"{n}={_number(n, places[n]):g}" for n in self._sorted(places)), (Place(fixed),))

    def _sorted(self, places: Mapping[str, Any]) -> list[str]:
        for name in places:
            self._named_coordinate(name)
        return [name for name in self._frame.names if name in places]

    def _named_coordinate(self, name: str) -> Coordinate:
        if name not in self._frame.names:
            raise DomainError(f"coordinate {name!r}", f"one of {self._frame}", "check the spelling")
        return Coordinate(name, self._frame)

    def _own(self, x: Coordinate) -> Coordinate:
        if not isinstance(x, Coordinate) or x.of != self._frame:
            raise DomainError(f"{x!r}", f"a coordinate of {self._frame}", "pass the coordinate itself")
        return x

    def _where(self, name: str, value: Any) -> Side | float:
        number = _number(name, value)
        lower, upper = self._bounds[name]
        tolerance = 1e-12 * (upper - lower)
        if abs(number - lower) <= tolerance and name not in self._periodic:
            return Side.LOWER
        if abs(number - upper) <= tolerance and name not in self._periodic:
            return Side.UPPER
        if not lower - tolerance <= number <= upper + tolerance:
            raise DomainError(f"{name}={number:g}", f"a number in [{lower:g}, {upper:g}]", "stay inside the box")
        return number

    def place_values(self, place: Place) -> dict[str, float]:
        """Numbers of the coordinates that a place holds fixed, by name."""
        ends = {Side.LOWER: 0, Side.UPPER: 1}
        return {x.name: self._bounds[x.name][ends[s]] if isinstance(s, Side) else s for x, s in place.fixed}

    def faces(self) -> tuple[Place, ...]:
        """All spatial faces that have no periodic partner, lower before upper, in frame order."""
        return tuple(Place(((x, side),)) for x in self.space if x.name not in self._periodic for side in Side)

    def sample(
        self, n: int, key: jax.Array, sampler: AbstractSampler | None = None, place: Place | None = None
    ) -> Points:
        """`n` points of the interior, or of one place.

        Args:
            n: how many, at least 1.
            key: PRNG key; the same key gives the same points.
            sampler: how they are spread (default: scrambled Sobol).
            place: hold its coordinates fixed.

        Raises:
            DomainError: `n` is not a positive integer.
        """
        from sciml.domains.sampling import AbstractSampler, Sobol, is_key

        if not isinstance(n, (int, np.integer)) or n < 1:
            raise DomainError(f"{n!r} sample points", "a positive integer", "ask for at least one")
        if not (sampler is None or isinstance(sampler, AbstractSampler)):
            raise DomainError(f"{sampler!r} as a sampler", "an object such as Sobol() or Halton()", "pass the object")
        if not is_key(key):
            raise DomainError(f"{key!r} as a PRNG key", "a key", "write jax.random.key(0)")
        fixed = self.place_values(place) if place is not None else {}
        free = [name for name in self._frame.names if name not in fixed]
        unit = (sampler or Sobol()).unit(key, int(n), len(free)) if free else jnp.zeros((n, 0))
        points: Points = {name: jnp.full(n, value) for name, value in fixed.items()}
        for i, name in enumerate(free):
            lower, upper = self._bounds[name]
            points[name] = lower + (upper - lower) * unit[:, i]
        return {name: points[name] for name in self._frame.names}

    def contains(self, points: Mapping[str, jax.Array]) -> jax.Array:
        inside = jnp.asarray(True)
        for name, value in points.items():
            lower, upper = self._bounds[name]
            slack = 1e-9 * (upper - lower)
            inside = inside & (value >= lower - slack) & (value <= upper + slack)
        return inside

    def with_bounds(self, **intervals: tuple[Any, Any]) -> Box:
        """The same structure with other numbers, such as the next time slab."""
        for name in intervals:
            self._named_coordinate(name)
        new = {x: intervals.get(x.name, self._bounds[x.name]) for x in self.coordinates}
        periodic = tuple(x for x in self.coordinates if x.name in self._periodic)
        return Box(new, periodic=periodic, regions=self._named)

    def __repr__(self) -> str:
        parts = [
            f"{name} ∈ [{a:g}, {b:g}{')' if name in self._periodic else ']'}" for name, (a, b) in self._bounds.items()
        ]
        tail = f", periodic in {', '.join(sorted(self._periodic))}" if self._periodic else ""
        return f"Box({', '.join(parts)}{tail})"

    def _region(self, name: str) -> Region:
        if name in self._named:
            return self._named[name]
        known = [
            *self._named,
            *(f"{p.axis.name}{'-' if p.side is Side.LOWER else '+'}" for p in self.faces() if p.axis is not None),
        ]
        for place in self.faces():
            assert place.axis is not None
            if name == f"{place.axis.name}{'-' if place.side is Side.LOWER else '+'}":
                return Region(name, (place,))
        raise DomainError(f"region {name!r}", f"one of {', '.join(known)}", "name it in Box(..., regions={...})")


@final
class Boundary:
    """The spatial boundary of a box; it is itself a region, can be called with coordinates, and indexed by name."""

    def __init__(self, box: Box):
        self._box = box

    def as_region(self) -> Region:
        """All faces."""
        faces = self._box.faces()
        if not faces:
            raise DomainError("the boundary of a fully periodic box", "a coordinate with ends", "drop the condition")
        return Region("the boundary", faces)

    def __call__(self, *along: Coordinate) -> Region:
        """Both faces of each given coordinate.

        Raises:
            DomainError: a coordinate without faces.
        """
        if not along:
            return self.as_region()
        sides = [self._box._face(self._box._own(x), side) for x in along for side in Side]
        for x in along:
            if x.is_time:
                raise DomainError(f"the boundary in time, {x.name}", "spatial coordinates", "write domain.at(t=0)")
        names = ", ".join(x.name for x in along)
        return Region(f"the boundary in {names}", tuple(place for side in sides for place in side.places))

    def __getitem__(self, name: str) -> Region:
        """A face by name: `"x-"`, `"x+"`, or a name given to the box."""
        return self._box._region(name)


def _number(name: str, value: Any) -> float:
    """A finite number, also from an expression of constants such as `2*pi`."""
    if isinstance(value, Expr):
        if atoms(value):
            raise DomainError(
                f"bound {value!r} of {name}", "a number", "domains hold numbers; use Parameters in equations"
            )
        value = evaluate(value, {})
    array = np.asarray(value)
    if array.ndim or array.dtype.kind not in "iuf" or not np.isfinite(array):
        raise DomainError(f"bound {value!r} of {name}", "a finite number", "truncate infinite domains")
    return float(array)


def _interval(name: str, interval: Any) -> tuple[float, float]:
    if not isinstance(interval, (tuple, list)) or len(interval) != 2:
        raise DomainError(f"interval {interval!r} of {name}", "a pair (lower, upper)", f"write {name}: (0, 1)")
    lower, upper = _number(name, interval[0]), _number(name, interval[1])
    if not upper - lower > 1e-14 * max(abs(lower), abs(upper)):
        raise DomainError(f"interval ({lower:g}, {upper:g}) of {name}", "lower < upper", "give it a positive width")
    return lower, upper
