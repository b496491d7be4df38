"""Values of atoms on the lattices of a grid, for one state at one time.

A *site* names a lattice for each axis: all nodes, or the faces of one axis. Fields come from stencils, coordinates and
coefficients from the abscissae of the site, and a flux derivative D(F, x) from F at the faces of x.

In a flux with a rough coefficient the factor g of u_x at a face is the harmonic mean of g along the edge between two
nodes,

    F = u_x / mean(1/g),

the exact flux of a piecewise constant g in one dimension wherever the jump lies; all else is averaged arithmetically.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Coefficient, Parameter
from sciml.expr.linear import partial
from sciml.expr.nodes import Apply, Coordinate, Expr, Scalar
from sciml.expr.traverse import atoms, is_unknown
from sciml.known import Arguments, BoundLaws, known_values
from solvers.classical.finite_difference.fluxes import Flux
from solvers.classical.finite_difference.stencils import Lattice
from solvers.classical.finite_difference.system import System

Site = tuple[Lattice, ...]

ROUGH_ORDER = 2
EDGE_SAMPLES = 32


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Sampler:
    """Supplies `evaluate` with numbers.

    Attributes:
        system: what is solved.
        fields: node values by unknown and time derivative.
        t: time; ignored by steady problems.
        arguments: the problem's numbers.
        tabulated: values of coefficients that do not depend on time, made once by `tabulate`.
    """

    system: System
    fields: Mapping[tuple[int, int], Array]
    t: Any
    arguments: Arguments
    tabulated: Mapping[str, Array]

    @property
    def nodes(self) -> Site:
        """The site of the unknowns."""
        return (Lattice.nodes,) * len(self.system.grid.axes)

    def values(
        self, expressions: Iterable[Scalar], site: Site, given: Mapping[Any, Array] | None = None
    ) -> dict[Any, Array]:
        """`{atom: array}` for the atoms of expressions at a site, those in `given` as they are given."""
        values = dict(given or {})
        for atom in atoms(*expressions):
            if atom not in values:
                values[atom] = self.atom(atom, site, self.system.order)
        return values

    def evaluate(self, expressions: tuple[Scalar, ...], values: Mapping[Any, Array]) -> tuple[Array, ...]:
        """Values of lowered expressions from values of their atoms."""
        return evaluate(expressions, values, BoundLaws(self.arguments.laws))

    def atom(self, atom: Scalar, site: Site, order: int, *, rough: bool = False) -> Array:
        """One atom at a site; in a rough flux a coefficient gets a leading axis of samples along the edge."""
        if atom in self.system.fluxes:
            return self.divergence(self.system.fluxes[atom], site)
        if is_unknown(atom):
            return self._field(atom, site, order)
        if isinstance(atom, Parameter):
            return self.arguments.parameters[atom.name]
        if isinstance(atom, Coordinate):
            return (
                self.t
                if atom.is_time
                else jnp.asarray(self.system.grid.coordinate(atom.name, self._lattice(atom, site)))
            )
        key = table_key(atom, site, rough)
        if key in self.tabulated:
            return self.tabulated[key]
        return known_values([atom], self._points(site, rough), self.arguments)[atom]

    def _lattice(self, x: Coordinate, site: Site) -> Lattice:
        return site[self.system.grid.index(x.name)]

    def _points(self, site: Site, rough: bool) -> dict[str, Any]:
        points: dict[str, Any] = site_points(self.system, site, rough)
        return points if self.system.time is None else {**points, self.system.time.name: self.t}

    def _field(self, atom: Scalar, site: Site, order: int) -> Array:
        unknown, level, orders = self.system.position(atom)
        values = self.fields[unknown, level]
        for k, (axis, m, lattice) in enumerate(zip(self.system.grid.axes, orders, site, strict=True)):
            if m or lattice is Lattice.faces:
                values = axis.stencil(m, order, Lattice.nodes, lattice)(values, k)
        return values

    def divergence(self, flux: Flux, site: Site, *, advective: bool = True) -> Array:
        """D(F, x) at a site, as the central difference of F between the faces (or nodes) on either side.

        Args:
            flux: F and x.
            site: where D(F, x) is wanted.
            advective: whether the part of F without derivatives takes part.
        """
        k = self.system.grid.index(flux.along.name)
        dual = (*site[:k], site[k].dual, *site[k + 1 :])
        parts = [flux.diffusive, *([flux.advective] if advective else [])]
        if flux.is_rough:
            values, order = sum(self._rough(part, flux.along, dual) for part in parts), ROUGH_ORDER
        else:
            values, order = sum(self.evaluate(tuple(parts), self.values(parts, dual))), self.system.order
        shape = [len(axis.points(lattice)) for axis, lattice in zip(self.system.grid.axes, dual, strict=True)]
        values = jnp.broadcast_to(jnp.asarray(values, float), shape)
        return self.system.grid.axes[k].stencil(1, order, dual[k], site[k])(values, k)

    def _rough(self, part: Scalar, along: Coordinate, site: Site) -> Array:
        """A flux with a coefficient that jumps: harmonic means of the factors of derivatives along x."""
        held = atoms(part)
        values: dict[Any, Array] = {a: self.atom(a, site, ROUGH_ORDER, rough=True) for a in held}
        normal = [a for a in held if is_unknown(a) and isinstance(a, Apply) and a.attr == (along,)]
        whole, *factors = self.evaluate((part, *(partial(part, a) for a in normal)), values)
        rest = whole - sum(g * values[a] for g, a in zip(factors, normal, strict=True))
        means = [1.0 / jnp.mean(1.0 / self._samples(g), axis=0) for g in factors]
        return jnp.mean(self._samples(rest), axis=0) + sum(g * values[a] for g, a in zip(means, normal, strict=True))

    def _samples(self, values: Any) -> Array:
        """With the leading axis of edge samples, also where no coefficient brought it."""
        values = jnp.asarray(values, float)
        return values if values.ndim > len(self.system.grid.axes) else values[None]


def table_key(atom: Expr, site: Site | int, rough: bool = False) -> str:
    """Name of a coefficient's values at a site, or at a face of the system by number."""
    where = f"face {site}" if isinstance(site, int) else "".join(lattice.name[0] for lattice in site)
    return f"{atom.digest.hex()} {where}{' edge' if rough else ''}"


def site_points(system: System, site: Site, rough: bool = False) -> dict[str, np.ndarray]:
    """Space coordinates of a site, broadcasting; for a rough flux, of samples along each edge."""
    grid = system.grid
    points = {axis.name: grid.coordinate(axis.name, lattice) for axis, lattice in zip(grid.axes, site, strict=True)}
    if rough:
        k = site.index(Lattice.faces)
        offsets = ((np.arange(EDGE_SAMPLES) + 0.5) / EDGE_SAMPLES - 0.5) * grid.axes[k].spacing
        points[grid.axes[k].name] = points[grid.axes[k].name] + offsets.reshape(-1, *[1] * len(grid.axes))
        if grid.axes[k].periodic:
            lower, upper = grid.axes[k].lower, grid.axes[k].upper
            points[grid.axes[k].name] = lower + np.mod(points[grid.axes[k].name] - lower, upper - lower)
    return points


def is_tabulated(atom: Expr) -> bool:
    """Whether an atom is a coefficient, or its derivative, that does not depend on time."""
    leaf = atom.operands[0] if isinstance(atom, Apply) and atom.operands else atom
    return isinstance(leaf, Coefficient) and not any(x.is_time for x in leaf.on)


def tabulate(system: System, arguments: Arguments) -> dict[str, Array]:
    """Values of every coefficient that does not depend on time, wherever the system needs it."""
    nodes = (Lattice.nodes,) * len(system.grid.axes)
    wanted: dict[str, tuple[Expr, dict[str, Any]]] = {}

    def visit(e: Scalar, site: Site, rough: bool = False) -> None:
        for atom in atoms(e):
            if atom in system.fluxes:
                flux = system.fluxes[atom]
                k = system.grid.index(flux.along.name)
                visit(flux.advective, site)
                for part in (flux.advective, flux.diffusive):
                    visit(part, (*site[:k], site[k].dual, *site[k + 1 :]), flux.is_rough)
            elif is_tabulated(atom):
                wanted[table_key(atom, site, rough)] = atom, site_points(system, site, rough)

    for e in system.residuals:
        visit(e, nodes)
    for i, face in enumerate(system.faces):
        for atom in atoms(*face.residuals):
            if is_tabulated(atom):
                wanted[table_key(atom, i)] = atom, face_points(system, i)
    return {key: jnp.asarray(known_values([atom], points, arguments)[atom]) for key, (atom, points) in wanted.items()}


def face_points(system: System, number: int) -> dict[str, Any]:
    """Space coordinates of the nodes of a face, broadcasting over the other axes."""
    face, grid = system.faces[number], system.grid
    points: dict[str, Any] = {}
    for k, axis in enumerate(grid.axes):
        if k == face.axis:
            points[axis.name] = np.asarray(axis.upper if face.upper else axis.lower)
        else:
            points[axis.name] = np.squeeze(grid.coordinate(axis.name), axis=face.axis)
    return points
