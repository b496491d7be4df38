"""Shapes of bodies: sets given by a signed distance, negative inside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml.errors import DomainError
from sciml.expr.frames import fingerprint
from sciml.storable import storable

Bounds = tuple[tuple[float, float], ...]


class AbstractShape(ABC):
    """A bounded set of points of the plane or of space."""

    @property
    @abstractmethod
    def bounds(self) -> Bounds:
        """Interval `(lower, upper)` that holds it along each axis."""

    @abstractmethod
    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance `(n,)` at points `(d, n)`, or a bound of it with the same sign: negative inside."""

    @property
    @abstractmethod
    def volume(self) -> float | None:
        """Its area or volume; None where only counting can tell."""

    @property
    def digest(self) -> bytes:
        """Identity, numbers included."""
        return fingerprint(repr(self))

    @property
    def dimensions(self) -> int:
        """Number of axes."""
        return len(self.bounds)

    def __or__(self, other: AbstractShape) -> Union:
        if not isinstance(other, AbstractShape) or other.dimensions != self.dimensions:
            raise DomainError(f"{other!r} joined to {self!r}", "a shape of as many axes", "write a | b of shapes")
        return Union((self, other))


def _point(given: Any, what: str) -> tuple[float, ...]:
    array = np.asarray(given, float)
    if array.ndim != 1 or array.size not in (2, 3) or not np.isfinite(array).all():
        raise DomainError(f"{what} {given!r}", "two or three finite numbers", "give one for each axis")
    return tuple(float(number) for number in array)


def _positive(numbers: tuple[float, ...], what: str) -> None:
    if not min(numbers) > 0:
        raise DomainError(f"{what} {numbers}", "positive numbers", "give positive extents")


def _column(centre: tuple[float, ...]) -> np.ndarray:
    return np.asarray(centre)[:, None]


def _around(centre: tuple[float, ...], half: tuple[float, ...]) -> Bounds:
    return tuple((c - h, c + h) for c, h in zip(centre, half, strict=True))


@final
@storable("cuboid")
@dataclass(frozen=True)
class Cuboid(AbstractShape):
    """A rectangle or a cuboid: centre and edge lengths."""

    centre: tuple[float, ...]
    size: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", _point(self.centre, "centre"))
        object.__setattr__(self, "size", _point(self.size, "size"))
        _positive(self.size, "size of a cuboid")

    @property
    def bounds(self) -> Bounds:
        return _around(self.centre, tuple(s / 2 for s in self.size))

    def distance(self, points: np.ndarray) -> np.ndarray:
        q = np.abs(points - _column(self.centre)) - _column(self.size) / 2
        return np.linalg.norm(np.maximum(q, 0), axis=0) + np.minimum(q.max(0), 0)

    @property
    def volume(self) -> float:
        return float(np.prod(self.size))


@final
@storable("ellipsoid")
@dataclass(frozen=True)
class Ellipsoid(AbstractShape):
    """An ellipse or an ellipsoid with axes along the coordinates: centre and semi-axes; equal ones make a ball."""

    centre: tuple[float, ...]
    radii: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", _point(self.centre, "centre"))
        object.__setattr__(self, "radii", _point(self.radii, "radii"))
        _positive(self.radii, "radii of an ellipsoid")

    @property
    def bounds(self) -> Bounds:
        return _around(self.centre, self.radii)

    def distance(self, points: np.ndarray) -> np.ndarray:
        scaled = (points - _column(self.centre)) / _column(self.radii)
        return (np.linalg.norm(scaled, axis=0) - 1) * min(self.radii)

    @property
    def volume(self) -> float:
        return float(np.prod(self.radii)) * (np.pi if self.dimensions == 2 else 4 * np.pi / 3)


def Ball(centre: Any, radius: float) -> Ellipsoid:
    """A disc or a ball."""
    return Ellipsoid(centre, (radius,) * len(_point(centre, "centre")))


@final
@storable("torus")
@dataclass(frozen=True)
class Torus(AbstractShape):
    """A torus around one axis: centre, radius of the ring, radius of the tube, number of the axis."""

    centre: tuple[float, ...]
    ring: float
    tube: float
    axis: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", _point(self.centre, "centre"))
        if len(self.centre) != 3 or not self.ring > self.tube > 0 or self.axis not in (0, 1, 2):
            raise DomainError(f"{self!r}", "ring > tube > 0 in space, around axis 0, 1 or 2", "fix the numbers")

    @property
    def bounds(self) -> Bounds:
        wide = self.ring + self.tube
        return _around(self.centre, tuple(self.tube if a == self.axis else wide for a in range(3)))

    def distance(self, points: np.ndarray) -> np.ndarray:
        q = points - _column(self.centre)
        across = np.linalg.norm(np.delete(q, self.axis, axis=0), axis=0) - self.ring
        return np.hypot(across, q[self.axis]) - self.tube

    @property
    def volume(self) -> float:
        return float(2 * np.pi**2 * self.ring * self.tube**2)


@final
@storable("cylinder")
@dataclass(frozen=True)
class Cylinder(AbstractShape):
    """A circular cylinder along one axis: centre, radius, height, number of the axis."""

    centre: tuple[float, ...]
    radius: float
    height: float
    axis: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", _point(self.centre, "centre"))
        if len(self.centre) != 3 or not min(self.radius, self.height) > 0 or self.axis not in (0, 1, 2):
            raise DomainError(f"{self!r}", "positive radius and height in space, axis 0, 1 or 2", "fix the numbers")

    @property
    def bounds(self) -> Bounds:
        return _around(self.centre, tuple(self.height / 2 if a == self.axis else self.radius for a in range(3)))

    def distance(self, points: np.ndarray) -> np.ndarray:
        q = points - _column(self.centre)
        across = np.linalg.norm(np.delete(q, self.axis, axis=0), axis=0) - self.radius
        along = np.abs(q[self.axis]) - self.height / 2
        return np.hypot(np.maximum(across, 0), np.maximum(along, 0)) + np.minimum(np.maximum(across, along), 0)

    @property
    def volume(self) -> float:
        return float(np.pi * self.radius**2 * self.height)


@final
@dataclass(frozen=True)
class SignedDistance(AbstractShape):
    """Any shape: a NumPy function of points `(d, n)`, negative inside, and the box that holds it."""

    function: Callable[[np.ndarray], np.ndarray]
    box: Bounds

    @property
    def bounds(self) -> Bounds:
        return self.box

    def distance(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(self.function(points), float)

    @property
    def volume(self) -> None:
        return None

    @property
    def digest(self) -> bytes:
        from sciml.content import function_text

        return fingerprint(function_text(self.function), repr(self.box))


@final
@storable("union of shapes")
@dataclass(frozen=True)
class Union(AbstractShape):
    """Several shapes as one, such as a dumbbell."""

    shapes: tuple[AbstractShape, ...]

    @property
    def bounds(self) -> Bounds:
        each = np.asarray([shape.bounds for shape in self.shapes])
        return tuple((float(a), float(b)) for a, b in zip(each[..., 0].min(0), each[..., 1].max(0), strict=True))

    def distance(self, points: np.ndarray) -> np.ndarray:
        return np.min([shape.distance(points) for shape in self.shapes], axis=0)

    @property
    def volume(self) -> None:
        return None

    @property
    def digest(self) -> bytes:
        return fingerprint("union", *(shape.digest for shape in self.shapes))
