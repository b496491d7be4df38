"""Bodies: sets of material points with a time interval, in a container; the domain of problems of motion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import qmc

from sciml.domains.box import Box
from sciml.domains.container import Container
from sciml.domains.domain import AbstractDomain, Points
from sciml.domains.grids import ScatteredGrid
from sciml.domains.regions import Place, Region
from sciml.domains.shapes import AbstractShape
from sciml.errors import DomainError
from sciml.expr.frames import Frame, fingerprint
from sciml.expr.nodes import Coordinate
from sciml.storable import storable

if TYPE_CHECKING:
    from sciml.domains.sampling import AbstractSampler

_COUNTED = 200_000
"""Points that measure the volume of a shape without a formula: to about one part in a thousand."""


class AbstractParticles(ABC):
    """How a shape is filled with material points."""

    @abstractmethod
    def fill(self, shape: AbstractShape) -> np.ndarray:
        """Points `(d, n)` inside the shape."""

    @abstractmethod
    def refined(self, factor: int) -> AbstractParticles:
        """The same, with spacings smaller by a factor."""


@final
@storable("lattice of particles")
@dataclass(frozen=True)
class Lattice(AbstractParticles):
    """A cubic lattice.

    Args:
        count: points along the longest side of the shape's bounds.
        ends: whether the outermost points lie on the bounds; otherwise half a spacing inside.
    """

    count: int
    ends: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or self.count < 2:
            raise DomainError(f"a lattice of {self.count!r} points a side", "an integer of at least 2", "raise it")

    def fill(self, shape: AbstractShape) -> np.ndarray:
        lengths = [upper - lower for lower, upper in shape.bounds]
        gaps = self.count - 1 if self.ends else self.count
        axes = []
        for (lower, upper), length in zip(shape.bounds, lengths, strict=True):
            n = max(round(length / max(lengths) * gaps), 1)
            edges = np.linspace(lower, upper, n + 1)
            axes.append(edges if self.ends else (edges[1:] + edges[:-1]) / 2)
        points = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(len(axes), -1)
        return points[:, shape.distance(points) <= 1e-9 * max(lengths)]

    def refined(self, factor: int) -> Lattice:
        return Lattice((self.count - 1) * factor + 1 if self.ends else self.count * factor, self.ends)


@final
@storable("scattered particles")
@dataclass(frozen=True)
class Scattered(AbstractParticles):
    """Points of a scrambled Sobol sequence, the same for the same seed.

    Args:
        count: how many.
        seed: of the scrambling.
    """

    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or self.count < 1:
            raise DomainError(f"{self.count!r} scattered points", "a positive integer", "raise it")

    def fill(self, shape: AbstractShape) -> np.ndarray:
        return _scatter(shape, self.count, self.seed)

    def refined(self, factor: int) -> Scattered:
        return Scattered(self.count * factor**3, self.seed)


def _scatter(shape: AbstractShape, count: int, seed: int) -> np.ndarray:
    """The first points of a sequence in the bounds that fall into the shape."""
    lower, upper = np.asarray(shape.bounds).T
    sequence, found, have = qmc.Sobol(shape.dimensions, rng=np.random.default_rng(seed)), [], 0
    for _ in range(64):
        points = (lower + (upper - lower) * sequence.random(1 << max(8, (2 * count).bit_length()))).T
        found.append(points[:, shape.distance(points) < 0])
        have += found[-1].shape[1]
        if have >= count:
            return np.concatenate(found, axis=1)[:, :count]
    raise DomainError(f"{have} points inside {shape!r}", f"{count}", "tighten the bounds of the shape")


@final
@storable("body")
@dataclass(frozen=True)
class Body:
    """One body: its shape at rest, and how it is filled with material points."""

    shape: AbstractShape
    particles: AbstractParticles

    @cached_property
    def volume(self) -> float:
        """Volume of the shape, by formula or by counting."""
        if self.shape.volume is not None:
            return self.shape.volume
        lower, upper = np.asarray(self.shape.bounds).T
        unit = qmc.Sobol(self.shape.dimensions, rng=np.random.default_rng(0)).random(1 << (_COUNTED - 1).bit_length())
        inside = self.shape.distance((lower + (upper - lower) * unit).T) < 0
        return float(np.prod(upper - lower) * inside.mean())

    @cached_property
    def points(self) -> np.ndarray:
        """Material points `(d, n)`.

        Raises:
            DomainError: the filling leaves the shape empty.
        """
        points = self.particles.fill(self.shape)
        if points.shape[1] == 0:
            raise DomainError(f"no particles in {self.shape!r}", "at least one", f"refine {self.particles!r}")
        return points

    @property
    def digest(self) -> bytes:
        """Identity, numbers included."""
        return fingerprint(self.shape.digest, repr(self.particles))


@final
class Bodies(AbstractDomain):
    """Material points of one or several bodies, over an interval of time, and the container that they move in.

    Coordinates of space name material points: their places in the shapes, where `grad(phi)` differentiates. Where they
    are later is the value of the unknown deformation map, which the container bounds.

    Args:
        time: `{t: (start, end)}`.
        bodies: bodies by name; particles are numbered body by body.
        container: where positions may be.

    Raises:
        DomainError: no body, shapes of another dimension, a body outside the container, an interval that is none.
    """

    def __init__(self, time: Mapping[Coordinate, tuple[Any, Any]], bodies: Mapping[str, Body], container: Container):
        t = next(iter(time), None)
        if not isinstance(t, Coordinate) or not t.is_time or len(time) != 1:
            raise DomainError(f"time {time!r}", "the time coordinate with its interval", "write {t: (0, 0.5)}")
        self._frame = t.of
        self.space = tuple(Coordinate(name, t.of) for name in t.of.space)
        if not bodies or not all(
            isinstance(b, Body) and b.shape.dimensions == len(self.space) for b in bodies.values()
        ):
            raise DomainError(
                f"bodies {dict(bodies)!r}", f"at least one Body of {len(self.space)} dimensions", "fix the shapes"
            )
        if set(container.bounds) != set(t.of.space):
            raise DomainError(f"{container!r}", f"an interval for each of {t.of.space}", "complete it")
        self.bodies, self.container = dict(bodies), container
        whole = np.asarray([body.shape.bounds for body in bodies.values()])
        extent = {x: (whole[:, i, 0].min(), whole[:, i, 1].max()) for i, x in enumerate(self.space)}
        self._box = Box({t: time[t], **extent})

    @property
    def frame(self) -> Frame:
        return self._frame

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        return self._box.coordinates

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return self._box.bounds

    @property
    def periodic(self) -> frozenset[str]:
        return frozenset()

    @property
    def digest(self) -> bytes:
        sizes = tuple((name, body.points.shape[1]) for name, body in self.bodies.items())
        return fingerprint("Bodies", self._box.digest, repr(sizes))

    @property
    def content_digest(self) -> bytes:
        each = tuple((name, body.digest.hex()) for name, body in self.bodies.items())
        return fingerprint(self.digest, self._box.content_digest, repr(each), self.container.digest)

    @cached_property
    def points(self) -> np.ndarray:
        """Material points of all bodies `(d, N)`, body by body."""
        return np.concatenate([body.points for body in self.bodies.values()], axis=1)

    @cached_property
    def volumes(self) -> np.ndarray:
        """Volume of each material point `(N,)`: its body's, divided evenly."""
        return np.concatenate(
            [np.full(body.points.shape[1], body.volume / body.points.shape[1]) for body in self.bodies.values()]
        )

    @cached_property
    def sections(self) -> dict[str, slice]:
        """Which particles are each body's."""
        ends = np.cumsum([0, *(body.points.shape[1] for body in self.bodies.values())])
        return {name: slice(int(a), int(b)) for name, a, b in zip(self.bodies, ends, ends[1:], strict=False)}

    @property
    def volume(self) -> float:
        """Volume of all bodies times the length of the interval of time."""
        return sum(body.volume for body in self.bodies.values()) * self._box.length(self.coordinates[0].name)

    def refined(self, factor: int) -> Bodies:
        """The same bodies with finer particles."""
        finer = {name: Body(b.shape, b.particles.refined(factor)) for name, b in self.bodies.items()}
        return Bodies({self.coordinates[0]: self.bounds[self.coordinates[0].name]}, finer, self.container)

    def at(self, **places: Any) -> Region:
        """A time, such as `domain.at(t=0)`, or a point."""
        return self._box.at(**places)

    def place_values(self, place: Place) -> dict[str, float]:
        """Numbers of the coordinates that a place holds fixed, by name."""
        return self._box.place_values(place)

    def sample(
        self, n: int, key: jax.Array, sampler: AbstractSampler | None = None, place: Place | None = None
    ) -> Points:
        """Random material points, bodies by their volume, at times of the sampler."""
        times = self._box.sample(n, key, sampler, place)
        chosen = jax.random.choice(key, self.points.shape[1], (n,), p=jnp.asarray(self.volumes / self.volumes.sum()))
        drawn = dict(zip((x.name for x in self.space), jnp.asarray(self.points)[:, chosen], strict=True))
        fixed = {} if place is None else self.place_values(place)
        return {name: times[name] if name in fixed or name not in drawn else drawn[name] for name in self.frame.names}

    def contains(self, points: Mapping[str, jax.Array]) -> jax.Array:
        inside = self._box.contains(points)
        names = [x.name for x in self.space]
        if not set(names) <= set(points):
            return inside
        arrays = np.broadcast_arrays(*(np.asarray(points[name]) for name in names))
        flat = np.stack([a.reshape(-1) for a in arrays])
        slack = 1e-9 * max(self._box.length(name) for name in names)
        nearest = np.min([body.shape.distance(flat) for body in self.bodies.values()], axis=0)
        return inside & jnp.asarray(nearest <= slack).reshape(arrays[0].shape)

    def body_of(self, *point: Any) -> jax.Array:
        """Index of the body whose shape a material point lies in; for `Coefficient(function=…)`."""
        arrays = np.broadcast_arrays(*(np.asarray(p) for p in point))
        flat = np.stack([a.reshape(-1) for a in arrays])
        distances = np.stack([body.shape.distance(flat) for body in self.bodies.values()])
        return jnp.asarray(np.argmin(distances, axis=0).astype(float).reshape(arrays[0].shape))

    def __repr__(self) -> str:
        t = self.coordinates[0].name
        each = ", ".join(f"{name}: {body.points.shape[1]} particles" for name, body in self.bodies.items())
        return f"Bodies({each}; {t} ∈ [{self.bounds[t][0]:g}, {self.bounds[t][1]:g}]; {self.container!r})"


def particle_grid(
    domain: Bodies, n: int | Mapping[str, int], *, fixed: Mapping[str, float] | None = None
) -> ScatteredGrid:
    """All material points at evenly spaced times, ends included: arrays of shape `(times, particles)`, equal weights.

    Args:
        domain: bodies.
        n: number of times, or `{"t": number}`.
        fixed: a time held, such as `{"t": 0.5}`.

    Raises:
        DomainError: another domain, fewer than one time.
    """
    if not isinstance(domain, Bodies):
        raise DomainError(f"{domain!r}", "Bodies", "use a grid for boxes")
    t = domain.coordinates[0].name
    held = (fixed or {}).get(t)
    count = n.get(t, 0) if isinstance(n, Mapping) else n
    if held is None and count < 2:
        raise DomainError(f"{count} times", "at least 2", f"write points={{{t!r}: 21}}")
    times = np.linspace(*domain.bounds[t], count) if held is None else np.array([held])
    shape = (times.size, domain.points.shape[1])
    nodes = {t: np.broadcast_to(times[:, None], shape)}
    nodes |= {x.name: np.broadcast_to(row, shape) for x, row in zip(domain.space, domain.points, strict=True)}
    return ScatteredGrid({name: jnp.asarray(nodes[name]) for name in domain.frame.names}, domain.volume)
